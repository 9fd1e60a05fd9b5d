"""Contexts as arrays: what is kept, how they are split and batched; the loss."""

import numpy as np
import pytest
import torch
from decoder_models import tokenizer

from hybrid_agent.config.stages.ebm import EbmConfig, StrataConfig
from hybrid_agent.errors import InputError
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.contexts import Candidate, Context, write_contexts
from hybrid_agent.traces.domains import DOMAINS
from hybrid_agent.types import Segment, Window
from train.ebm_data import STRATA, ContextStream, collate, load_contexts, parts
from train.ebm_loss import candidate_weights, loss_terms

LABELS = ("pass", "plausible_fail", "plausible_fail", "flaky")


def context(i, labels=LABELS, strata=("gold", "sampled", "near_miss", "sampled")):
    made = [
        Candidate(segment=Segment(text=f'{{"tool":"shell","args":{{"cmd":"ls f{i} {k}"}}}}'), label=label, stratum=s)
        for k, (label, s) in enumerate(zip(labels, strata, strict=True))
    ]
    window = Window(goal=f"list f{i}" + " again" * (i % 5), files=("a",))
    common = {"task_id": f"t{i}", "pack": "os", "intents": (), "domain": "shell"}
    return Context(id=str(i), group=f"g{i // 2}", window=window, candidates=tuple(made), **common)


@pytest.fixture
def data(tmp_path):
    write_contexts(tmp_path / "c.jsonl.gz", (context(i) for i in range(60)))
    return load_contexts(tmp_path / "c.jsonl.gz", tokenizer(), 256, tmp_path)


def test_candidates_without_a_label_are_left_out(data):
    assert len(data) == 60 and len(data.passed) == 180 and int(data.masked) == 60
    assert data.passed.reshape(60, 3).tolist() == [[True, False, False]] * 60
    assert set(data.domain.tolist()) == {DOMAINS.index("shell")}
    assert data.stratum[:3].tolist() == [STRATA.index(s) for s in ("gold", "sampled", "near_miss")]


def test_a_file_without_labels_and_a_missing_one_are_named(tmp_path):
    write_contexts(tmp_path / "c.jsonl", [context(0, ("flaky", "infra_failure"), ("gold", "gold"))])
    with pytest.raises(InputError, match="label"):
        load_contexts(tmp_path / "c.jsonl", None, 0, tmp_path)
    with pytest.raises(InputError, match="no such contexts file"):
        load_contexts(tmp_path / "d.jsonl", None, 0, tmp_path)


def test_a_group_lies_in_one_part_and_stays_there(data):
    split = parts(data, 0.2, 0.3, seed=0)
    assert sorted(np.concatenate(list(split.values())).tolist()) == list(range(60))
    owners = [set(data.groups[rows].tolist()) for rows in split.values()]
    assert not owners[0] & owners[1] and not owners[0] & owners[2] and not owners[1] & owners[2]
    again = parts(data, 0.2, 0.3, seed=0)
    assert all((split[k] == again[k]).all() for k in split)
    assert any(len(parts(data, 0.2, 0.3, seed=s)["val"]) != len(split["val"]) for s in (1, 2, 3))


def test_too_few_groups_are_named(tmp_path):
    write_contexts(tmp_path / "c.jsonl", [context(0)])
    with pytest.raises(InputError, match="no group"):
        parts(load_contexts(tmp_path / "c.jsonl", None, 0, tmp_path), 0.1, 0.1, 0)


@pytest.mark.parametrize("packed", [True, False])
def test_batches_hold_the_texts_they_should(data, packed):
    batch = collate(data, np.array([7, 2]), packed)
    encode = tokenizer().backend_tokenizer
    first = batch.text.ids[batch.text.row[0]]
    start, size = int(batch.text.start[0]), int(batch.text.size[0])
    said = encode.decode(first[start : start + size].tolist(), skip_special_tokens=False)
    assert said.startswith('{"tool":"shell"') and "f7 0" in said.replace(" 7", "7")
    assert batch.owner.tolist() == [0, 0, 0, 1, 1, 1]
    assert batch.text.ids.shape[0] == (2 if packed else 6)


def test_a_restored_stream_goes_on_alike(data):
    one = ContextStream(data, np.arange(60), 600, seed=4, packed=True)
    for _ in range(len(one) + 2):
        one.next()
    state = one.state()
    expected = [one.next().index.tolist() for _ in range(5)]
    two = ContextStream(data, np.arange(60), 600, seed=4, packed=True)
    two.restore(state)
    assert [two.next().index.tolist() for _ in range(5)] == expected


def test_an_epoch_shows_every_context_once(data):
    stream = ContextStream(data, np.arange(60), 600, seed=4, packed=True)
    seen = np.concatenate([stream.next().index for _ in range(len(stream))])
    assert sorted(seen.tolist()) == list(range(180))


def test_strata_get_their_shares(data):
    weights = candidate_weights(data, np.arange(60), StrataConfig(sampled=0.75, near=0.25))
    sampled, near = (weights[data.stratum == STRATA.index(s)] for s in ("sampled", "near_miss"))
    assert sampled.sum() / near.sum() == pytest.approx(3.0)
    assert weights[~data.passed].mean() == pytest.approx(1.0) and (weights[data.passed] == 1).all()


def terms(energies, passed, owner, teacher=None):
    model = EnergyModel(None)
    count = len(energies)
    return loss_terms(
        model,
        torch.tensor(energies, requires_grad=True),
        None if teacher is None else torch.tensor(teacher),
        passed=torch.tensor(passed),
        domain=torch.zeros(count, dtype=torch.long),
        owner=torch.tensor(owner),
        weights=torch.ones(count),
    )


def test_ranking_is_the_share_of_passing_mass():
    found = terms([0.0, 1.0, 2.0], [True, True, False], [0, 0, 0])
    mass = np.exp([0.0, -1.0, -2.0])
    assert found.ranking.item() == pytest.approx(-np.log(mass[:2].sum() / mass.sum()), rel=1e-5)
    assert found.square.item() == pytest.approx(5 / 3)


def test_contexts_of_one_kind_count_for_the_binary_loss_only():
    found = terms([0.0, 5.0, -1.0, 2.0, 3.0], [True, True, False, False, False], [0, 0, 1, 1, 1])
    assert found.ranking.item() == 0.0 and found.bce.item() > 0
    found.total(EbmConfig(length={"max_steps": 1})).backward()


def test_the_teacher_pulls_only_where_it_differs():
    same = terms([0.0, 1.0, 2.0], [True, False, False], [0, 0, 0], [0.0, 1.0, 2.0])
    other = terms([0.0, 1.0, 2.0], [True, False, False], [0, 0, 0], [2.0, 1.0, 0.0])
    assert same.kl.item() == pytest.approx(0.0, abs=1e-6) and other.kl.item() > 0.5


def test_gradients_are_finite_when_kinds_are_missing():
    energies = torch.zeros(5, requires_grad=True)
    model = EnergyModel(None)
    found = loss_terms(
        model,
        energies,
        torch.ones(5),
        passed=torch.tensor([True, False, True, False, False]),
        domain=torch.zeros(5, dtype=torch.long),
        owner=torch.tensor([0, 0, 1, 2, 2]),
        weights=torch.ones(5),
    )
    found.total(EbmConfig(length={"max_steps": 1})).backward()
    assert torch.isfinite(energies.grad).all() and energies.grad[0] > 0 > energies.grad[1]
