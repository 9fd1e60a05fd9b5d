"""The energy model: packed, row by row and cached serving agree; what it may learn; saving; mistakes."""

import json

import numpy as np
import pytest
import torch
from decoder_models import model as tiny_model
from decoder_models import tokenizer

from hybrid_agent.errors import InputError
from hybrid_agent.scorer.calibration import Calibration, Head
from hybrid_agent.scorer.encode import Encoder, pack
from hybrid_agent.scorer.energy import CALIBRATION, EnergyScorer, ScorerConfig, save_model
from hybrid_agent.scorer.features import BAD_COUNT, DECODER_START, FEATURES, features
from hybrid_agent.scorer.model import EnergyModel, drop_features, pool
from hybrid_agent.scorer.view import view_of
from hybrid_agent.traces.domains import DOMAINS, domain_of
from hybrid_agent.types import Exchange, Segment, ToolCall, Verdict, Window

WINDOW = Window(goal="show notes.md", phase="step", steps=("show notes.md",), files=("notes.md", "docs/"))
TEXTS = (
    '{"tool":"fs","args":{"op":"read","path":"notes.md"}}',
    '{"tool":"shell","args":{"cmd":"cat notes.md"}}',
    '{"tool":"fs","args":{"op":"write","path":"a.py","text":"print(1)\\n"}}',
)
SEGMENTS = [Segment(text=t, logprob=-1.0, tokens=9, forced=3) for t in TEXTS]


@pytest.fixture
def energy_model():
    torch.manual_seed(3)
    made = EnergyModel(tiny_model().model, hidden=16, dropout=0.0).eval()
    torch.nn.init.normal_(made.free, std=0.3)
    return made


@pytest.fixture
def folder(energy_model, tmp_path):
    shape = json.loads(energy_model.trunk.config.to_json_string(use_diff=False))
    config = ScorerConfig(hidden=16, context=256, trunk=shape)
    save_model(tmp_path, energy_model, config, tokenizer())
    head = Head(energies=(-1.0, 1.0), passes=(0.9, 0.1), threshold=0.3)
    (tmp_path / CALIBRATION).write_text(Calibration(heads=dict.fromkeys(DOMAINS, head)).model_dump_json())
    return tmp_path


def by_module(model, window, packed):
    """Energies through the stock module."""
    encoder = Encoder(tokenizer(), 256)
    batch = pack([encoder.prefix(window)], [[encoder.candidate(t) for t in TEXTS]], packed)
    rows = np.stack([features(view_of(window), s) for s in SEGMENTS])
    domain = torch.tensor([DOMAINS.index(domain_of(t)) for t in TEXTS])
    with torch.no_grad():
        return model(batch, torch.from_numpy(rows), domain).numpy()


def test_packed_rows_and_served_energies_are_those_of_single_rows(energy_model, folder):
    alone = by_module(energy_model, WINDOW, packed=False)
    assert len(set(np.round(alone, 3))) == 3
    np.testing.assert_allclose(by_module(energy_model, WINDOW, packed=True), alone, atol=1e-4)
    served = EnergyScorer.load(folder)
    np.testing.assert_allclose(served.energies(WINDOW, SEGMENTS), alone, atol=0.02)  # weights are fp16 there


def test_a_longer_window_reuses_the_prefix_and_changes_nothing(folder):
    longer = WINDOW.model_copy(update={"exchanges": (Exchange(call=TEXTS[0], obs="ok\nhello"),)})
    scorer = EnergyScorer.load(folder)
    scorer.score(WINDOW, SEGMENTS)
    kept = scorer.energies(longer, SEGMENTS)
    assert scorer.text.reused > 10
    np.testing.assert_allclose(kept, EnergyScorer.load(folder).energies(longer, SEGMENTS), atol=1e-4)
    other = Window(goal="something else")
    np.testing.assert_allclose(
        scorer.energies(other, SEGMENTS), EnergyScorer.load(folder).energies(other, SEGMENTS), atol=1e-4
    )


def test_scores_fall_with_energy_and_the_veto_follows_the_threshold(folder):
    scorer = EnergyScorer.load(folder)
    scores = scorer.score(WINDOW, SEGMENTS)
    order = sorted(scores, key=lambda s: s.energy)
    assert [s.p for s in order] == sorted((s.p for s in scores), reverse=True)
    for segment, score in zip(SEGMENTS, scores, strict=True):
        veto = scorer.veto(WINDOW, segment)
        assert veto.vetoed == (veto.score.p < 0.3) and veto.score.p == pytest.approx(score.p, abs=1e-4)
    as_call = scorer.veto(WINDOW, ToolCall.model_validate_json(TEXTS[0]))
    assert as_call.score.energy == pytest.approx(scorer.score(WINDOW, [Segment(text=TEXTS[0])])[0].energy, abs=1e-4)
    assert scorer.score(WINDOW, []) == []


def test_the_gates_answer_raises_the_energy_of_what_it_denies(folder):
    plain, judged = (
        EnergyScorer.load(folder, judge=judge)
        for judge in (lambda c: Verdict(allow=True), lambda c: Verdict(allow=c.tool != "shell"))
    )
    before, after = plain.energies(WINDOW, SEGMENTS), judged.energies(WINDOW, SEGMENTS)
    assert before[0] == after[0] and before[1] != after[1]


def test_text_that_is_no_call_has_a_score(folder):
    assert len(EnergyScorer.load(folder, judge=lambda c: Verdict(allow=True)).score(WINDOW, [Segment(text="hm")])) == 1


def test_known_bad_features_can_only_raise_the_energy(energy_model):
    torch.nn.init.normal_(energy_model.raw_bad, std=5.0)
    assert (energy_model.feature_weights[:, :BAD_COUNT] > 0).all()
    assert (energy_model.feature_weights[:, BAD_COUNT:] < 0).any()


def test_features_alone_make_a_model():
    model = EnergyModel(None, hidden=8).eval()
    row = torch.zeros(2, len(FEATURES))
    row[1, FEATURES.index("repeat_failed")] = 1
    assert model(None, row, torch.tensor([0, 0])).shape == (2,)


def test_pooling_ignores_what_lies_beyond_a_candidate():
    states = torch.randn(2, 5, 4)
    inside = torch.arange(5) < torch.tensor([[3], [5]])
    other = states.clone()
    other[0, 3:] = 100.0
    assert torch.equal(pool(states, inside), pool(other, inside))
    assert torch.allclose(pool(states, inside)[0, :4], states[0, 2])


def test_dropped_features_are_zero_and_the_decoders_go_together():
    torch.manual_seed(0)
    kept = drop_features(torch.ones(4000, len(FEATURES)), 0.3)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert 0.6 < kept.mean() < 0.66  # 0.7 x 0.9
    assert (kept[:, DECODER_START:].std(1) == 0).all()
    assert torch.equal(drop_features(kept, 0.0), kept)


def test_long_texts_are_cut_in_the_middle():
    encoder = Encoder(tokenizer(), 64)
    long = encoder.candidate("word " * 300)
    assert len(long) == 24 and long[-1] == encoder.candidate("x")[-1]
    assert len(encoder.prefix(Window(goal="word " * 300))) == 40


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "calibration.json"])
def test_a_damaged_folder_is_named(folder, name):
    (folder / name).write_text("{")
    with pytest.raises(InputError, match=r"scorer|json|safetensors|tokenizer|calibration"):
        EnergyScorer.load(folder)
    (folder / name).unlink()
    with pytest.raises(InputError):
        EnergyScorer.load(folder)


def test_a_model_of_other_features_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    config["features"] = config["features"][1:]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="other features"):
        EnergyScorer.load(folder)
