"""The mixture: the same order for the same seed, exact positions, the same batches for any number of ranks."""

import json
from collections import Counter

import pytest
import torch

from hybrid_agent.config.mixture import ScreenConfig, SourceConfig, StreamConfig
from hybrid_agent.errors import InputError
from hybrid_agent.traces.contexts import Candidate, Context, write_contexts
from hybrid_agent.types import Segment, Window
from tests.unit.decoder_models import tokenizer
from tests.unit.stream_files import completions, lines, messages, sequences
from train.ngrams import Held, Screen
from train.stream import MixtureStream, Part, validation
from train.stream_readers import fingerprint, open_reader
from train.stream_records import Encoder, line_of, text_of

CONTEXT = 96
END = "<|end|>"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """One source of each way of reading: gzip lines, plain lines, parquet, a saved data set."""
    datasets = pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("sources")
    table = datasets.Dataset.from_list(messages())
    table.to_parquet(str(folder / "chat.parquet"))
    datasets.Dataset.from_list([{"q": r["prompt"], "a": r["completion"]} for r in completions()]).save_to_disk(
        str(folder / "saved")
    )
    return (
        SourceConfig(path=str(sequences(folder / "own.jsonl.gz")), weight=3, kind="own"),
        SourceConfig(path=str(lines(folder / "p.jsonl", completions(seed=9))), format="completion", kind="plain"),
        SourceConfig(path=str(folder / "chat.parquet"), format="messages", weight=1.5, kind="chat"),
        SourceConfig(
            path=str(folder / "saved"), format="completion", columns={"prompt": "q", "completion": "a"}, kind="saved"
        ),
    )


def stream(sources, seed=0, val_share=0.0, screen=None, **settings):
    settings = {"block": 24, **settings}
    parts = [Part(source, END, val_share=val_share, seed=seed, screen=screen) for source in sources]
    encoder = Encoder(tokenizer(), CONTEXT)
    return MixtureStream(parts, encoder, StreamConfig(**settings), batch_tokens=300, seed=seed, pad_id=0)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


def said(batch):
    """The sequences of a batch as texts."""
    out = []
    numbers = getattr(batch, "segments", None)
    for r, row in enumerate(batch.ids):
        parts = [row[row != 0]] if numbers is None else [row[numbers[r] == n] for n in range(1, numbers[r].max() + 1)]
        out += [tokenizer().decode(part.tolist()) for part in parts]
    return out


@pytest.mark.parametrize("pack", [True, False])
def test_a_restored_stream_goes_on_exactly_wherever_it_stood(sources, pack):
    whole = stream(sources, pack=pack)
    states, batches = [], []
    for _ in range(40):
        states.append(json.dumps(whole.state()))
        batches.append(whole.next())
    assert whole.block > 3 and max(state_epochs(whole)) > 0  # over ends of blocks and of sources
    assert max(map(len, states)) < 2000
    for at in (0, 1, 7, 19, 33):
        again = stream(sources, pack=pack)
        again.restore(json.loads(states[at]))
        assert json.dumps(again.state()) == states[at]
        assert all(same(again.next(), batch) for batch in batches[at : at + 7])
    assert not same(stream(sources, seed=1, pack=pack).next(), batches[0])


def state_epochs(whole):
    return [source["cursor"]["epoch"] for source in whole.state()["sources"]]


def test_ranks_take_turns_and_their_number_may_change_on_the_way(sources):
    alone = stream(sources)
    wanted = [alone.next() for _ in range(24)]

    def rank(rank, world, steps, start=None):
        mine = stream(sources)
        if start is not None:
            mine.restore(start)
        taken = []
        for _ in range(steps):
            for turn in range(world):
                if turn == rank:
                    taken.append(mine.next())
                else:
                    mine.skip()
        return taken, mine.state()

    by_rank = [rank(r, 3, 4) for r in range(3)]
    first = [batch for step in zip(*(taken for taken, _ in by_rank), strict=True) for batch in step]
    later = [rank(r, 2, 6, by_rank[0][1])[0] for r in range(2)]
    found = first + [batch for step in zip(*later, strict=True) for batch in step]
    assert all(same(a, b) for a, b in zip(found, wanted, strict=True))


def test_sources_come_by_weight_and_every_record_once_an_epoch(sources):
    mixed = stream(sources, block=1000)
    mixed.next()
    read = {k.split("/")[1]: v for k, v in mixed.figures().items() if k.endswith("/read")}
    assert sum(read.values()) == 1000
    for name, share in {"own": 3, "plain": 1, "chat": 1.5, "saved": 1}.items():
        assert read[name] / 1000 == pytest.approx(share / 6.5, abs=0.04)
    one = stream(sources[:1], block=40)
    counts = Counter(text for _ in batches_of_a_block(one) for text in said(_))
    assert len(counts) == 40 and set(counts.values()) == {1}


def batches_of_a_block(mixed):
    while mixed.block == 0:
        batch = mixed.next()
        if mixed.block == 0:
            yield batch


def test_packed_rows_hold_what_the_padded_ones_do(sources):
    packed, padded = (stream(sources, block=60, pack=pack) for pack in (True, False))
    texts = [sorted(t for b in batches_of_a_block(s) for t in said(b)) for s in (packed, padded)]
    assert texts[0] == texts[1]
    filled = [float((b.ids != 0).float().mean()) for b in list(batches_of_a_block(stream(sources, block=200)))[:-1]]
    assert sum(filled) / len(filled) > 0.9


def test_held_out_lines_are_never_trained_on(sources):
    parts = [Part(source, END, val_share=0.2, seed=0) for source in sources]
    encoder = Encoder(tokenizer(), CONTEXT)
    data = validation(parts, encoder, 1000)
    held = {tokenizer().decode(data.tokens[a:b].tolist()) for a, b in zip(data.starts, data.starts[1:], strict=False)}
    assert 8 < len(held) < 50 and set(data.kind_names) == {"own", "plain", "chat", "saved"}
    mixed = stream(sources, val_share=0.2, block=300)
    trained = {text for b in batches_of_a_block(mixed) for text in said(b)}
    assert not trained & held and len(trained) > 60
    assert len(validation(parts, encoder, 8)) <= 12


def test_contaminated_records_are_left_out_and_counted(tmp_path):
    path = sequences(tmp_path / "s.jsonl", 20)
    goal = json.loads(path.read_text().splitlines()[7])["segments"][0]["text"]
    screen = Screen([Held("task-1", "goal", goal)], ScreenConfig(against=("x",)))
    mixed = stream([SourceConfig(path=str(path), kind="s")], screen=screen, block=57)
    batches = [mixed.next()]
    assert mixed.figures() == {"data/s/read": 60, "data/s/epochs": 2, "data/s/dropped": 3}
    texts = [t for b in [*batches, *batches_of_a_block(mixed)] for t in said(b)]
    name = goal.split("<|goal|>")[1].split("<|call|>")[0]
    assert len(texts) == 57 and not any(name in text for text in texts)


def test_each_format_trains_on_the_right_part(tmp_path):
    def made(format, row, **more):
        encoder = Encoder(tokenizer(), CONTEXT)
        (sample,) = encoder.samples([line_of(row, SourceConfig(path="x", format=format, **more), "row", END)])
        backend = tokenizer().backend_tokenizer
        ids = [sample.ids.tolist(), sample.ids[sample.answer > 0].tolist()]
        return [backend.decode(part, skip_special_tokens=False) for part in ids]

    assert made("completion", {"prompt": "apple ", "completion": "pear"}) == ["apple pear<|end|>", "pear<|end|>"]
    assert made("text", {"body": "apple"}, columns={"text": "body"}) == ["apple<|end|>", "apple<|end|>"]
    talk = [("system", "be"), ("user", "apple"), ("assistant", "pear"), ("user", "<|end|>"), ("assistant", "plum")]
    rows = [{"role": role, "content": content, "tool_calls": None} for role, content in talk]
    assert made("messages", {"messages": rows}) == [
        "<|goal|>be\napple<|call|>pear<|end|><|obs|>< |end|><|call|>plum<|end|>",
        "pear<|end|>plum<|end|>",
    ]
    window = Window(goal="apple", phase="plan")
    candidates = [("bad", "plausible_fail", "sampled"), ("other", "pass", "sampled"), ("good", "pass", "gold")]
    context = Context(
        id="c",
        task_id="t",
        pack="os",
        intents=("i",),
        group="g",
        domain="shell",
        window=window,
        candidates=[Candidate(segment=Segment(text=t), label=label, stratum=s) for t, label, s in candidates],
    )
    write_contexts(tmp_path / "contexts.jsonl.gz", [context])
    record, _ = open_reader(SourceConfig(path=str(tmp_path), format="contexts")).next()
    assert made("contexts", record) == ["<|goal|>apple<|call|>good<|end|>", "good<|end|>"]


@pytest.mark.parametrize(
    ("rows", "format", "says"),
    [
        ('{"prompt": "a"}', "completion", r"f\.jsonl: record 1.*no completion.*columns=\{completion: NAME\}"),
        ("[1]", "text", "record 1: not a JSON object|not a JSON object"),
        ("{", "text", "not JSON"),
        ("", "text", "no record in it"),
        ('{"messages": [{"role": "user", "content": 3}]}', "messages", "record 1.*messages"),
        ('{"text": "b", "weight": -1}', "text", "weight"),
    ],
)
def test_a_wrong_record_is_named(tmp_path, rows, format, says):
    path = tmp_path / "f.jsonl"
    path.write_text(rows + "\n")
    part = Part(SourceConfig(path=str(path), format=format), END)
    with pytest.raises(InputError) as caught:
        part.next()
    import re

    assert re.search(says, str(caught.value), re.S), caught.value


def test_a_source_that_is_not_there_or_useless_is_named(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match="no such data file"):
        open_reader(SourceConfig(path=str(tmp_path / "none.jsonl")))
    with pytest.raises(InputError, match="cannot open it"):
        open_reader(SourceConfig(path=str(tmp_path / "none.parquet"), format="text"))
    long = lines(tmp_path / "long.jsonl", [{"prompt": "a " * 500, "completion": "b"}])
    with pytest.raises(InputError, match=r"within 96 tokens"):
        stream([SourceConfig(path=str(long), format="completion")]).next()
    with pytest.raises(InputError, match="row of 32 tokens"):
        stream([SourceConfig(path=str(long), format="completion")], row_tokens=32)


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    path = sequences(tmp_path / "a.jsonl", 5)
    before = fingerprint(SourceConfig(path=str(path)))
    assert before == fingerprint(SourceConfig(path=str(path), weight=2))
    sequences(path, 5, seed=1)
    assert fingerprint(SourceConfig(path=str(path))) != before
    assert text_of(line_of({"text": "a"}, SourceConfig(path="x", format="text"), "", "")) == (
        '{"segments":[{"text":"a","train":true}]}'
    )
