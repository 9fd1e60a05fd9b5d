"""The in-process decoder and its bundle."""

import copy
import functools
import json
import random

import pytest
from transformers import AutoModelForCausalLM

from hybrid_agent.constrain import Lexicon, find_spans
from hybrid_agent.constrain.repeats import repeated
from hybrid_agent.decoder.bundle import export_bundle, load_bundle
from hybrid_agent.decoder.chat import messages
from hybrid_agent.decoder.engine import Sampling
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.decoder.prompt import ChatPrompt, TinyPrompt
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import save_tokenizer
from hybrid_agent.runs.manifest import Manifest, write_manifest
from hybrid_agent.tools.registry import call_schema, parse_call
from hybrid_agent.traces.window_text import render_window
from hybrid_agent.types import Budget, Control, Exchange, ToolCall, Window
from tests.unit.decoder_models import model, tokenizer

SCHEMA = call_schema()
LEXICON = Lexicon(words=("true",), text=("done",), shell=("cp", "-r"), code=("print",))
STEP = Window(
    goal="copy report.txt to vault", phase="step", steps=("copy report.txt to vault",), files=("report.txt", "vault/")
)
PLAN = Window(goal="make a folder named pear, then write 'two plums' into pear/list.txt")
FINISH = Window(goal="g", phase="finish", steps=("a",), index=1, notes=("report.txt",))


@functools.cache
def decoder(**options):
    return HfDecoder(model(), tokenizer(), SCHEMA, LEXICON, DecoderOptions(**options))


@pytest.mark.parametrize("window", [STEP, PLAN, FINISH])
@pytest.mark.parametrize("spans", [True, False])
def test_every_call_is_valid_even_from_an_untrained_model(window, spans):
    for seed in range(6):
        budget = Budget(k=4, temperature=1.3, seed=seed, max_tokens=80)
        segments = decoder(spans=spans).propose(window, budget, Control())
        assert 1 <= len(segments) <= 4
        assert len({s.text for s in segments}) == len(segments)
        for segment in segments:
            assert parse_call(segment.text).tool in segment.text
            assert "policy" not in segment.text


def test_with_spans_paths_are_copied_from_the_window():
    spans, seen, one = find_spans(STEP), set(), decoder()
    for seed in range(15):
        budget = Budget(k=4, temperature=1.5, seed=seed, max_tokens=80)
        for segment in one.propose(STEP, budget, Control(tool_prior={"fs": 1.0})):
            args = json.loads(segment.text)["args"]
            seen |= {args[key] for key in ("path", "to") if key in args}
    assert len(seen) > 2
    assert seen <= {*spans.paths, *spans.words}


def test_the_tool_prior_moves_the_choice_of_the_tool():
    def share(prior):
        budget = Budget(k=8, temperature=1.0, max_tokens=40)
        control = Control(tool_prior=prior)
        budgets = [budget.model_copy(update={"seed": seed}) for seed in range(8)]
        texts = [s.text for b in budgets for s in one.propose(STEP, b, control)]
        return sum('"tool":"ask"' in t for t in texts) / len(texts)

    one = decoder(greedy_first=False)
    names = [case["properties"]["tool"]["const"] for case in SCHEMA["anyOf"]]
    towards = {name: 0.94 if name == "ask" else 0.01 for name in names}
    away = {name: 0.001 if name == "ask" else 0.166 for name in names}
    assert share(towards) > share({}) > share(away)


def test_a_call_that_does_not_end_is_replaced_by_a_valid_one():
    (segment,) = decoder(spans=False).propose(STEP, Budget(max_tokens=3), Control())
    assert not segment.complete
    assert parse_call(segment.text).args["status"] == "unsure"
    (free,) = decoder(constrained=False).propose(STEP, Budget(max_tokens=3), Control())
    assert not free.complete and free.tokens == 3 and "unsure" not in free.text


def test_a_step_goes_on_from_the_cache_of_its_last_call():
    one = HfDecoder(model(), tokenizer(), SCHEMA, LEXICON)
    (first,) = one.propose(STEP, Budget(max_tokens=80), Control())
    later = STEP.model_copy(update={"exchanges": (Exchange(call=first.text, obs="ok"),)})
    one.propose(later, Budget(max_tokens=80), Control())
    # All but the tokens after the last one that was written came from the cache.
    assert one.engine.reused >= len(one.prompt.encode(STEP, 999)) + first.tokens - first.forced


def test_long_windows_are_shortened_to_fit_and_short_ones_are_not():
    prompt = TinyPrompt(tokenizer())
    assert prompt.encode(STEP, 500) == tokenizer().backend_tokenizer.encode(render_window(STEP)).ids
    rng = random.Random(0)
    files = tuple(f"{rng.randrange(10**6)}.txt" for _ in range(200))
    exchanges = tuple(Exchange(call="{}", obs=f"{i} " * 300) for i in range(9))
    huge = STEP.model_copy(update={"files": files, "exchanges": exchanges, "steps": ("word " * 400,)})
    for room in (60, 200, 1500):
        ids = prompt.encode(huge, room)
        assert len(ids) <= room
        assert tokenizer().backend_tokenizer.decode(ids[-1:], skip_special_tokens=False) == "<|call|>"
    only_files = STEP.model_copy(update={"files": files})
    text = tokenizer().backend_tokenizer.decode(prompt.encode(only_files, 200), skip_special_tokens=False)
    assert STEP.steps[0] in text and files[0] in text


def test_other_models_get_a_conversation():
    window = STEP.model_copy(update={"exchanges": (Exchange(call='{"tool":"x"}', obs="error\nno"),)})
    turns = messages(window, SCHEMA)
    assert [t["role"] for t in turns] == ["system", "user", "assistant", "user"]
    assert all(name in turns[0]["content"] for name in ("fs", "editor", "finish", '"op"'))
    assert "x-span" not in turns[0]["content"]
    assert "report.txt" in turns[1]["content"] and turns[2]["content"] == '{"tool":"x"}' and "no" in turns[3]["content"]
    templated = copy.deepcopy(tokenizer())
    templated.chat_template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[reply]"
    ids = ChatPrompt(templated, SCHEMA).encode(window, 10**6)
    text = tokenizer().backend_tokenizer.decode(ids, skip_special_tokens=False)
    assert text.startswith("[system]You work") and text.endswith("[reply]")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    model().save_pretrained(str(folder / "decoder"))
    save_tokenizer(tokenizer(), folder / "decoder")
    (folder / "lexicon.json").write_text(LEXICON.to_json())
    files = [p for p in folder.rglob("*") if p.is_file()]
    write_manifest(folder, Manifest(stage="sft", name="t", command="train it", metrics={"exact": 0.5}), files)
    return folder


def test_a_run_becomes_a_bundle_that_transformers_loads(run, tmp_path):
    folder = tmp_path / "bundle"
    export_bundle(run, folder, {"os": 0.9})
    manifest = export_bundle(run, folder, {"os": 0.91})  # replaces
    assert manifest.metrics == {"exact": 0.5, "os": 0.91} and manifest.command == "train it"
    stock = AutoModelForCausalLM.from_pretrained(str(folder / "decoder"), local_files_only=True)
    assert stock.num_parameters() == model().num_parameters()
    assert load_bundle(folder).lexicon == LEXICON
    budget = Budget(max_tokens=60)
    texts = [HfDecoder.from_folder(f, SCHEMA).propose(STEP, budget, Control())[0].text for f in (run, folder)]
    assert texts[0] == texts[1]


def test_a_damaged_bundle_is_refused(run, tmp_path):
    export_bundle(run, tmp_path / "b")
    weights = tmp_path / "b" / "decoder" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InputError, match=r"decoder/model\.safetensors.*not the one"):
        HfDecoder.from_folder(tmp_path / "b", SCHEMA)
    weights.unlink()
    with pytest.raises(InputError, match="missing"):
        HfDecoder.from_folder(tmp_path / "b", SCHEMA)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"config\.json"):
        HfDecoder.from_folder(tmp_path / "empty", SCHEMA)
    (tmp_path / "empty" / "config.json").write_text("{}")
    with pytest.raises(InputError, match="not a loadable model"):
        HfDecoder.from_folder(tmp_path / "empty", SCHEMA)


def test_the_script_is_said_in_order_then_the_fallback():
    script = ScriptedDecoder([ToolCall(tool="fs", args={"op": "list", "path": "."}), "not json"])
    texts = [script.propose(w, Budget(), Control())[0].text for w in (PLAN, STEP, FINISH)]
    assert texts[:2] == ['{"tool":"fs","args":{"op":"list","path":"."}}', "not json"]
    assert parse_call(texts[2]).args["status"] == "failed"
    assert script.windows == [PLAN, STEP, FINISH]


def test_a_watcher_hears_each_candidate_once_and_can_stop_the_rest():
    one, budget = decoder(), Budget(k=6, temperature=1.3, seed=2, max_tokens=80)
    told = []
    everything = one.propose(STEP, budget, Control(), lambda s: told.append(s))
    assert sorted(s.text for s in told) == sorted(s.text for s in everything)
    assert all(s.entropy > 0 > s.low for s in everything)
    some = one.propose(STEP, budget, Control(), lambda s: True)
    assert 1 <= len(some) < len(everything)
    assert {s.text for s in some} < {s.text for s in everything}
    told.clear()
    (instead,) = one.propose(STEP, Budget(max_tokens=3), Control(), lambda s: told.append(s))
    assert told == [instead] and not instead.complete


def moves_only():
    """The call schema with nothing left but moves."""
    (fs,) = (case for case in SCHEMA["anyOf"] if case["properties"]["tool"]["const"] == "fs")
    cases = [case for case in fs["properties"]["args"]["anyOf"] if case["properties"]["op"]["const"] == "move"]
    return {"anyOf": [{**fs, "properties": {**fs["properties"], "args": {"anyOf": cases}}}]}


def test_a_greedy_call_does_not_name_one_thing_twice():
    """An untrained model repeats itself often; what the loop gets from it does not."""
    one = HfDecoder(model(), tokenizer(), moves_only(), LEXICON, DecoderOptions())
    before = after = 0
    for number in range(30):
        step = f"move plum{number}.txt to pear{number}.md"
        window = Window(goal=step, phase="step", steps=(step,), files=(f"plum{number}.txt", f"pear{number}.md"))
        ids, _ = one.encode(window, 80)
        (draft,) = one.engine.write(ids, Sampling(max_tokens=80), one.constraint(window))
        before += repeated(one._segment(draft, "base").text) is not None
        (segment,) = one.propose(window, Budget(max_tokens=80), Control())
        assert parse_call(segment.text)
        assert one.spent[0] >= segment.tokens
        after += repeated(segment.text) is not None
    assert before >= 3
    assert after <= before / 3
