"""The training engine and its batches: exact resumption, right losses."""

import itertools
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from rich.console import Console
from torch import nn

from hybrid_agent.config.optim import LengthConfig, OptimConfig, ProfileConfig
from hybrid_agent.errors import HybridAgentError, InputError
from tests.unit.decoder_models import model, tokenizer
from train.checkpoint import checkpoints
from train.data import BatchStream, Sequences, bucket, collate, load_sequences, split
from train.engine import Engine, Loss, Stopped, read_metrics, trim_metrics
from train.optim import Average, lr_scale
from train.stages.sft import completion_loss, evaluate

PROFILE = ProfileConfig(name="test", precision="fp32")


class Numbers:
    """A stream of small regression batches that depend on the position only."""

    def __init__(self):
        self.at = 0

    def next(self):
        self.at += 1
        generator = torch.Generator().manual_seed(self.at)
        x = torch.randn(16, 4, generator=generator)
        return x, x @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]])

    def state(self):
        return {"at": self.at}

    def restore(self, state):
        self.at = state["at"]


def engine(folder, optim=None, evaluate=None, stop_at=None, **length):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 1))
    calls = itertools.count(1)

    def loss(batch):
        if next(calls) == stop_at:
            made._stop = True  # what the signal handler does
        x, y = batch
        return Loss(F.mse_loss(net(x), y), len(x), {})

    length = {"max_steps": 30, "log_every": 1, "save_every": 7, "eval_every": 10, **length}
    made = Engine(
        net,
        Numbers(),
        loss,
        evaluate,
        folder=folder,
        optim=OptimConfig(**(optim or {"lr": 0.05})),
        length=LengthConfig(**length),
        profile=PROFILE,
        console=Console(quiet=True),
    )
    return made


def losses(folder):
    return [(e["step"], e["loss"], e["lr"]) for e in read_metrics(folder / "metrics.jsonl") if "loss" in e]


@pytest.mark.parametrize(
    "optim", [{"lr": 0.05}, {"lr": 0.05, "ema": 0.9}, {"kind": "muon", "lr": 0.05, "matrix_lr": 0.3}]
)
def test_a_resumed_run_ends_exactly_where_an_uninterrupted_one_does(tmp_path, optim):
    whole = engine(tmp_path / "a", optim)
    whole.fit()
    with pytest.raises(Stopped):
        engine(tmp_path / "b", optim, stop_at=12).fit()
    # A run that was killed later than its newest checkpoint has logged steps that it will do again.
    with (tmp_path / "b" / "metrics.jsonl").open("a") as log:
        log.write(json.dumps({"step": 13, "loss": 9.0, "lr": 1}) + '\n{"step": 14, "lo')
    resumed = engine(tmp_path / "b", optim)
    resumed.fit()
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    assert len(losses(tmp_path / "a")) == 30
    for ours, theirs in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert losses(tmp_path / "a")[-1][1] < losses(tmp_path / "a")[0][1] * 0.6


def test_two_checkpoints_are_kept_and_a_half_written_one_is_not_seen(tmp_path):
    engine(tmp_path).fit()
    assert [p.name for p in checkpoints(tmp_path)] == ["ckpt-28.pt", "ckpt-30.pt"]
    (tmp_path / ".ckpt-31.pt.99.tmp").write_bytes(b"PK")
    again = engine(tmp_path, max_steps=31)
    again.fit()
    assert again.step == 31


def test_evaluation_sees_the_averaged_weights_and_training_goes_on_with_its_own(tmp_path):
    seen = []
    run = engine(tmp_path, {"lr": 0.05, "ema": 0.5}, lambda: seen.append(snapshot()) or {"exact": 0.0})

    def snapshot():
        return run.model[0].weight.detach().clone()

    run.fit()
    assert len(seen) == 3  # steps 10 and 20, and the end
    assert torch.equal(seen[-1], snapshot())  # the averaged weights are what is kept
    plain = engine(tmp_path / "plain", {"lr": 0.05})
    plain.fit()
    assert losses(tmp_path) == losses(tmp_path / "plain")
    assert not torch.equal(plain.model[0].weight, seen[-1])


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    run = engine(tmp_path)
    run.loss = lambda batch: Loss(run.model(batch[0]).sum() * float("nan"), 1, {})
    with pytest.raises(HybridAgentError, match=r"not finite at step 0.*stage\.optim\.lr"):
        run.fit()


def test_the_clock_can_end_a_run(tmp_path):
    run = engine(tmp_path, max_steps=10**6, max_minutes=1e-3)
    run.fit()
    assert 0 < run.step < 10**6


def test_schedule():
    values = [lr_scale(done / 100, 0.1, 0.2) for done in range(101)]
    assert values[10] == 1.0 == max(values)
    assert values[:11] == sorted(values[:11]) and values[10:] == sorted(values[10:], reverse=True)
    assert values[100] == pytest.approx(0.2)
    assert values[55] == pytest.approx(0.6)
    assert lr_scale(0, 0, 0.1) == 1.0


def test_average_is_the_textbook_one_after_its_start():
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(0.0)
    average = Average(net, 0.9)
    expected = 0.0
    for step in range(1, 200):
        net.weight.data.fill_(float(step))
        average.update(net, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert average.weights[0].item() == pytest.approx(expected, rel=1e-5)


def test_trim_keeps_what_the_checkpoint_has_seen(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    trim_metrics(path, 2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


# --- data


def lines(rows, path):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(*segments, **more):
    return {"segments": [{"text": text, "train": train} for text, train in segments], **more}


@pytest.fixture
def data(tmp_path):
    rows = [
        row(("copy the garden<|call|>", False), ("apple pear<|end|>", True), weight=2.0, kind="os"),
        row(("a<|call|>", False), ("b<|end|>", True), ("<|obs|>c<|call|>", False), ("d e<|end|>", True), kind="code"),
        row(("x " * 40 + "<|call|>", False), ("y<|end|>", True), ("z " * 100, False), ("late", True)),
        row(("x " * 500, False), ("never reached", True)),
    ] + [row((f"{i}<|call|>", False), (f"{i * i}<|end|>", True), kind="os") for i in range(60)]
    return load_sequences(lines(rows, tmp_path / "d.jsonl"), tokenizer(), 128, tmp_path / "cache")


def test_answers_are_marked_and_long_sequences_end_after_their_last_whole_answer(data):
    assert (len(data), data.dropped, data.kind_names) == (63, 1, ("os", "code", ""))
    assert list(data.weights[:2]) == [2.0, 1.0]

    def answers(i):
        part = slice(data.starts[i], data.starts[i + 1])
        ids, marks = data.tokens[part], data.answer[part]
        return [tokenizer().backend_tokenizer.decode(ids[marks == n].tolist(), skip_special_tokens=False)
                for n in range(1, marks.max() + 1)]  # fmt: skip

    assert answers(0) == ["apple pear<|end|>"]
    assert answers(1) == ["b<|end|>", "d e<|end|>"]
    assert answers(2) == ["y<|end|>"]
    assert data.lengths.max() <= 128


def test_the_cache_is_used_until_something_changes(tmp_path):
    path, cache = tmp_path / "d.jsonl", tmp_path / "c"
    lines([row(("a", False), ("b", True))], path)
    load_sequences(path, tokenizer(), 128, cache)
    load_sequences(path, tokenizer(), 128, cache)
    assert len(list(cache.iterdir())) == 1
    load_sequences(path, tokenizer(), 64, cache)
    assert len(list(cache.iterdir())) == 2
    lines([row(("a", False), ("c", True))], path)
    load_sequences(path, tokenizer(), 64, cache)
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"segments": []}', "d.jsonl:2.*segments"),
        ('{"segments": [{"text": "a", "tran": true}]}', "d.jsonl:2.*(train|tran)"),
        ("not json", "d.jsonl:2"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, says):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps(row(("a", False), ("b", True))) + "\n" + text + "\n")
    with pytest.raises(InputError, match=says):
        load_sequences(path, tokenizer(), 128, tmp_path / "c")
    with pytest.raises(InputError, match="no such data file"):
        load_sequences(tmp_path / "none.jsonl", tokenizer(), 128, tmp_path / "c")


def test_every_row_comes_once_an_epoch_and_a_restored_stream_goes_on_the_same(data):
    train, val = split(data, 0.1, seed=1)
    assert sorted([*train, *val]) == list(range(len(data))) and len(val) == 6
    stream = BatchStream(data, train, 64, seed=3, pad_id=0, pool=16)
    epochs: dict[int, list] = {0: [], 1: []}
    while stream.epoch < 2:
        batch = stream.next()
        epochs.setdefault(stream.epoch, []).append(batch)
    starts = [sorted(tuple(r[r != 0].tolist()) for b in epochs[e] for r in b.ids) for e in (0, 1)]
    wanted = sorted(tuple(data.tokens[data.starts[i] : data.starts[i + 1]].tolist()) for i in train)
    assert starts[0] == starts[1] == wanted
    assert any(not torch.equal(a.ids, b.ids) for a, b in zip(epochs[0], epochs[1], strict=False))
    one = BatchStream(data, train, 64, seed=3, pad_id=0, pool=16)
    for _ in range(len(one) + 2):
        one.next()
    other = BatchStream(data, train, 64, seed=3, pad_id=0, pool=16)
    other.restore(one.state())
    for _ in range(5):
        assert torch.equal(one.next().ids, other.next().ids)


def test_buckets_stay_within_the_budget_and_hold_neighbours():
    lengths = np.random.default_rng(0).integers(1, 90, 500)
    groups = bucket(np.arange(500), lengths, 256)
    assert sorted(np.concatenate(groups)) == list(range(500))
    assert all(len(g) * lengths[g].max() <= 256 for g in groups)
    padded = sum(len(g) * lengths[g].max() for g in groups)
    assert lengths.sum() / padded > 0.93
    assert [len(g) for g in bucket(np.arange(2), np.array([900, 5]), 256)] == [1, 1]


# --- the SFT loss


def test_loss_is_that_of_the_stock_model_on_answers_only(data: Sequences):
    """Padding, packing, weights and the shortened head change nothing against one row at a time with -100 labels."""
    rows = np.array([0, 1, 2, 10, 40])
    got = completion_loss(model(), collate(data, rows, 0)).value.item()
    total = count = 0.0
    for i in rows:
        part = slice(data.starts[i], data.starts[i + 1])
        ids = torch.tensor(data.tokens[part].astype(np.int64))[None]
        labels = torch.where(torch.tensor(data.answer[part] > 0), ids[0], -100)[None]
        n = int((labels[0, 1:] != -100).sum())
        with torch.no_grad():
            total += model()(input_ids=ids, labels=labels).loss.item() * n * data.weights[i]
        count += n * data.weights[i]
    assert got == pytest.approx(total / count, rel=1e-4)


def test_exact_counts_the_answers_that_greedy_decoding_would_write(data: Sequences):
    rows = np.arange(len(data))
    exact = {"os": [], "code": [], "": []}
    for i in rows:
        ids = data.tokens[data.starts[i] : data.starts[i + 1]].astype(np.int64)
        marks = data.answer[data.starts[i] : data.starts[i + 1]]
        for number in range(1, marks.max() + 1):
            at = np.flatnonzero(marks == number)
            with torch.no_grad():
                out = (
                    model()
                    .generate(
                        torch.tensor(ids[None, : at[0]]),
                        attention_mask=torch.ones(1, at[0], dtype=torch.long),
                        max_new_tokens=len(at),
                        do_sample=False,
                    )[0, at[0] :]
                    .tolist()
                )
            exact[data.kind_names[data.kinds[i]]].append(out == ids[at].tolist())
    figures = evaluate(model(), data, rows, 300, 0)
    every = [hit for hits in exact.values() for hit in hits]
    assert figures["exact"] == pytest.approx(np.mean(every))
    assert figures["exact/code"] == pytest.approx(np.mean(exact["code"]))


def test_exact_is_one_for_a_model_that_has_learnt_its_rows(data: Sequences, tmp_path):
    import copy

    net = copy.deepcopy(model()).train()
    rows = np.arange(12)
    stream = BatchStream(data, rows, 512, seed=0, pad_id=0)
    run = Engine(
        net,
        stream,
        lambda batch: completion_loss(net, batch),
        lambda: evaluate(net, data, rows, 512, 0),
        folder=tmp_path,
        optim=OptimConfig(lr=0.01),
        length=LengthConfig(max_steps=80, eval_every=1000),
        profile=PROFILE,
        console=Console(quiet=True),
    )
    figures = run.fit()
    assert figures["exact"] == 1.0 and figures["val_loss"] < 0.2
