"""Fitting logit shaping: the decoder's own likelihoods, a convex objective, and α = 0 where nothing is gained."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from hybrid_agent.constrain import Lexicon
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.decoder.shaping import Shaper
from hybrid_agent.nn.tokenizer import save_tokenizer
from hybrid_agent.packs import words
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.contexts import Candidate, Context, write_contexts
from hybrid_agent.types import Budget, Control, Segment, Window
from tests.integration.offline_runs import watched
from tests.unit.decoder_models import model, tokenizer
from train.shaping import main
from train.shaping_fit import fit, judge, log_likelihoods, weights
from train.shaping_table import collect, from_labels

CALLS = {op: f'{{"tool":"fs","args":{{"op":"{op}","path":"x"}}}}' for op in ("list", "stat")}


def context(number, rng, rule):
    said = rng.choice(list(CALLS))
    name = rng.choice(words.TRAIN)
    window = Window(goal="g", phase="step", steps=(f"{said} {name} now",), files=("x",))
    good = rule(said, number)
    candidates = tuple(
        Candidate(segment=Segment(text=text), label="pass" if key == good else "plausible_fail", stratum="sampled")
        for key, text in CALLS.items()
    )
    return Context(
        id=str(number), task_id="t", pack="os", intents=("i",), group=f"g{number // 2}", domain="editor",
        window=window, candidates=candidates,
    )  # fmt: skip


def contexts(count, rule=lambda said, number: said, seed=0):
    rng = random.Random(seed)
    return [context(number, rng, rule) for number in range(count)]


def decoder():
    return HfDecoder(model(), tokenizer(), call_schema(), options=DecoderOptions(threads=1))


def reference(one, window, text):
    """With the stock module, token by token: softmax over what is allowed, tokens that must follow count nothing."""
    prompt, tokens = one.encode(window)[0], tokenizer().backend_tokenizer.encode(text).ids
    with torch.inference_mode():
        logits = model()(torch.tensor([prompt + tokens])).logits[0].double().numpy()
    matcher, total = one.constraint(window)(), 0.0
    for at, token in enumerate(tokens):
        allowed = np.flatnonzero(np.unpackbits(matcher.mask().view(np.uint8), bitorder="little", count=600))
        if token not in matcher.forced()[:1] and len(allowed) > 1:
            scores = logits[len(prompt) - 1 + at]
            total += scores[token] - np.logaddexp.reduce(scores[allowed])
        matcher.advance([token])
    assert matcher.is_done()
    return total


def test_unshifted_likelihoods_are_those_of_the_decoder():
    one = decoder()
    before = one.propose(contexts(1)[0].window, Budget(max_tokens=60), Control())
    made = [
        c.model_copy(
            update={
                "candidates": (
                    *c.candidates,
                    Candidate(segment=Segment(text='{"tool":"no such"}'), label="pass", stratum="sampled"),
                    c.candidates[0].model_copy(update={"label": "flaky"}),
                )
            }
        )
        for c in contexts(4)
    ]
    table = collect(one, made, from_labels)
    logs = log_likelihoods(table, torch.zeros(4, 600))
    expected = [reference(one, c.window, text) for c in made for text in CALLS.values()]
    assert logs.tolist() == pytest.approx(expected, abs=2e-3)
    assert table.skipped == 2 * len(made)
    assert one.propose(contexts(1)[0].window, Budget(max_tokens=60), Control()) == before


def test_windows_are_read_as_when_it_serves():
    known = ("list", "stat", "now", "zebra", "violet", "tool", "args", "path")
    lexicon = Lexicon(known=known, stand_ins=("zebra", "violet"))
    knows = HfDecoder(model(), tokenizer(), call_schema(), lexicon, DecoderOptions(threads=1))
    made = [c.model_copy(update={"window": c.window.model_copy(update={"steps": ("stat zorbel now",)})}) for c in
            contexts(2)]  # fmt: skip
    shown = [c.model_copy(update={"window": knows.aliases.of(c.window).window}) for c in made]
    assert "zorbel" not in shown[0].window.steps[0]
    for said in ("logits", "features"):
        assert torch.equal(getattr(collect(knows, made, from_labels), said), getattr(table(knows, shown), said))
    assert not torch.equal(collect(knows, made, from_labels).features, table(decoder(), made).features)


def table(one, made):
    return collect(one, made, from_labels)


def test_weights_follow_energies_within_each_context():
    table = collect(decoder(), contexts(3), from_labels)
    w = weights(table, 4.0)
    assert torch.zeros(3).index_add(0, table.context, w).tolist() == pytest.approx([1, 1, 1])
    assert w[table.good].tolist() == pytest.approx([1 / (1 + np.exp(-4))] * 3)


def test_it_learns_what_the_clause_decides_and_shaping_lowers_the_energy():
    one = decoder()
    train, held = collect(one, contexts(40), from_labels), collect(one, contexts(30, seed=5), from_labels)
    shaper = Shaper.for_model(model(), tokenizer())
    shaper.steering, loss = fit(train, shaper, beta=4.0, eta=0.002, iterations=30)
    _, more = fit(train, shaper, beta=4.0, eta=1.0, iterations=30)
    plain, shaped = judge(held, shaper, 4.0, 0.0), judge(held, shaper, 4.0, 1.0)
    assert loss < more < float((-weights(train, 4.0) * log_likelihoods(train, torch.zeros(40, 600))).sum() / 40)
    assert shaped["energy"].mean() < plain["energy"].mean() - 0.05
    assert shaped["first_passes"].mean() > plain["first_passes"].mean()
    assert shaped["nll"].mean() < plain["nll"].mean()


@pytest.fixture
def folder(tmp_path):
    model().save_pretrained(str(tmp_path / "decoder"))
    save_tokenizer(tokenizer(), tmp_path / "decoder")
    return tmp_path


def test_the_command_writes_a_part_that_a_decoder_takes(folder, capsys):
    write_contexts(folder / "c.jsonl.gz", contexts(60))
    arguments = [f"contexts={folder / 'c.jsonl.gz'}", f"decoder={folder / 'decoder'}", f"runs={folder / 'runs'}"]
    assert main([*arguments, "iterations=20", "tracking=wandb"]) == 0
    watched(folder / "runs" / "shaping" / "tiny" / "001", "shaping", "shaping/nll", table="strengths")
    manifest = read_manifest(folder / "runs" / "shaping" / "tiny" / "001")
    assert manifest.metrics["alpha"] > 0
    part = folder / "runs" / "shaping" / "tiny" / "001" / "shaping"
    one = HfDecoder.from_folder(folder / "decoder", call_schema(), parts={"shaping": part})
    window = contexts(1)[0].window
    assert np.abs(one.shaper.bias(window)).max() > 0.1
    for wrong, says in ((["contexts=none"], "no such contexts"), (["beta=-1", "contexts=x"], "beta"), (["x"], "key")):
        assert main(wrong) == 2
        assert says in capsys.readouterr().err


def test_where_labels_are_chance_the_strength_is_zero(folder):
    chance = contexts(60, lambda said, number: random.Random(number).choice(list(CALLS)))
    write_contexts(folder / "c.jsonl", chance)
    arguments = [f"contexts={folder / 'c.jsonl'}", f"decoder={folder / 'decoder'}", f"out={folder / 'out'}", "eta=0"]
    assert main([*arguments, "iterations=20", "scorer=labels"]) == 0
    assert json.loads((folder / "out" / "shaping.json").read_text())["alpha"] == 0


def test_help_needs_no_torch():
    asked = "import sys; from train.shaping import main; main(['--help']); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True)
