"""Replayed masks, log-probabilities and the objective, with a small untrained model."""

import copy
import functools

import numpy as np
import pytest
import torch
from rich.console import Console

from hybrid_agent.config.load import load_config
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.constrain import Lexicon
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.errors import HybridAgentError, InputError
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Window
from tests.hf_models import save_folder
from tests.unit.decoder_models import model, tokenizer
from train.rl.loss import k3, policy_loss
from train.rl.phases import Parts, PhaseStream, save_decoder, split_updates
from train.rl.policy import Policy, check_engine
from train.rl.records import Group, Piece, Rollout, read_groups, write_groups
from train.rl.replay import choices_of
from train.rl.rows import _row, fill, log_probs, make_rows
from train.rl.tasks import History, draw_tasks, fits, open_level

STEP = Window(
    goal="copy report.txt to vault", phase="step", steps=("copy report.txt to vault",), files=("report.txt", "vault/")
)
LEXICON = Lexicon(words=("true",), text=("done",), shell=("cp", "-r"), code=("print",))


@functools.cache
def policy(constrained=True, temperature=1.3):
    options = DecoderOptions(constrained=constrained, lookup=False)
    return Policy(HfDecoder(model(), tokenizer(), call_schema(), LEXICON, options), temperature, 120)


@functools.cache
def stage(*overrides):
    return load_config("train", ["stage=rl", "stage.temperature=1.3", *overrides], TrainConfig).stage


def group(k=10, seed=3, name="g"):
    """Drawn texts; every second one is said to pass."""
    drafts = policy().draw(STEP, k, seed)
    rollouts = tuple(
        Rollout(
            pieces=(Piece(window=0, tokens=tuple(d.tokens), logprob=d.logprob, complete=d.complete),),
            label="plausible_fail" if i % 2 else "pass",
        )
        for i, d in enumerate(drafts)
    )
    return Group(
        id=name, task_id="t", pack="os", level=0, intents=("copy_file",), unit="segment", kind="act",
        windows=(STEP,), rollouts=rollouts,
    )  # fmt: skip


def rows():
    found = make_rows([group()], policy(), stage(), use_energy=False)
    gaps = fill(found, copy.deepcopy(model()), model(), stage())
    return found, gaps


def test_replayed_masks_give_the_engines_own_probabilities():
    one = policy()
    checked = 0
    for seed in range(4):
        for draft in one.draw(STEP, 4, seed):
            found = choices_of(draft.tokens, one.end_id, one.constraint(STEP), draft.complete)
            ended = len(found.at) > 0 and found.at[-1] == len(draft.tokens)
            assert len(found.at) - ended == len(draft.tokens) - draft.forced
            checked += draft.complete
    assert checked > 3
    made, gaps = rows()
    assert len(made) >= 4
    assert gaps["mismatch_max"] < 1e-4  # under other masks they would differ by nats
    assert all(row.weight == pytest.approx(1, abs=1e-4) for row in made)
    unmasked = [copy.copy(row) for row in made]
    for row in unmasked:
        row.masks = None
    assert fill(unmasked, model(), model(), stage())["mismatch"] > 1


def test_a_pretrained_decoder_is_written_drawn_from_and_trained_on_alike(tmp_path):
    """Random Qwen: what rollouts load is what is trained, chat template included."""
    parent = save_folder(tmp_path / "run" / "decoder")
    made, words = load_checkpoint(parent)
    with torch.no_grad():
        for weight in made.parameters():
            weight += 0.01 * torch.randn_like(weight)  # an update
    one = stage()
    parts = Parts(one, made, words, tmp_path / "run", None, tmp_path, 0, Console(quiet=True))
    save_decoder(tmp_path / "phase", parts)
    now, before = (Policy.load(folder, one.temperature, 40) for folder in (tmp_path / "phase", tmp_path / "run"))
    assert now.prompt(STEP) == before.prompt(STEP) and "<|im_start|>" in now.text(now.prompt(STEP))
    pieces = [
        Piece(window=0, tokens=tuple(draft.tokens), logprob=draft.logprob, complete=draft.complete)
        for draft in now.draw(STEP, 4, seed=0)
    ]
    found = [_row(0, group(), piece, before, 1.0, 1) for piece in pieces]
    reference = PhaseStream(parts)._ref()
    gaps = fill(found, made, reference, one)
    assert gaps["mismatch_max"] < 1e-2
    assert fill(found, reference, reference, one)["mismatch"] > 10 * gaps["mismatch"]
    assert policy_loss(made, found, one).value.isfinite()


def test_without_a_grammar_every_token_is_a_choice():
    one = policy(constrained=False)
    [draft] = one.draw(STEP, 1, 0)
    cut = choices_of(draft.tokens, one.end_id, one.constraint(STEP), ended=False)
    assert cut.masks is None and cut.tokens.tolist() == draft.tokens
    assert choices_of(draft.tokens, one.end_id, None).tokens.tolist() == [*draft.tokens, one.end_id]


def test_a_text_that_the_grammar_does_not_allow_is_refused():
    one = policy()
    draft = next(d for seed in range(9) for d in one.draw(STEP, 4, seed) if d.complete)
    found = choices_of(draft.tokens, one.end_id, one.constraint(STEP))
    wrong = list(draft.tokens)
    wrong[int(found.at[0])] = one.end_id
    with pytest.raises(HybridAgentError, match="stored text"):
        choices_of(wrong, one.end_id, one.constraint(STEP))


def test_masked_tries_and_groups_without_variance_give_no_rows():
    plain = group()
    infra = plain.model_copy(
        update={"rollouts": tuple(r.model_copy(update={"label": "infra_failure"}) for r in plain.rollouts[1:])}
    )
    even = plain.model_copy(update={"rollouts": tuple(r.model_copy(update={"label": "pass"}) for r in plain.rollouts)})
    hacked = plain.model_copy(  # their own checks hold, the held-out one does not: no pass, so no variance
        update={"rollouts": tuple(r.model_copy(update={"own": True, "held_out": False}) for r in plain.rollouts)}
    )
    cut = plain.rollouts[0].model_copy(
        update={"pieces": (plain.rollouts[0].pieces[0].model_copy(update={"complete": False}),)}
    )
    assert cut.masked and hacked.pass_rate == 0
    for useless in (infra, even, hacked):
        assert make_rows([useless], policy(), stage(), use_energy=False) == []


def test_an_update_raises_what_passed_and_lowers_what_failed():
    made, _ = rows()
    trained = copy.deepcopy(model()).train()
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.02)
    loss = policy_loss(trained, made, stage("stage.kl=0"))
    assert loss.logs["ratio"] == pytest.approx(1) and loss.logs["kl"] == pytest.approx(0, abs=1e-6)
    loss.value.backward()
    optimizer.step()
    change = {True: 0.0, False: 0.0}
    for row in made:
        with torch.no_grad():
            now, _, _ = log_probs(trained, [row], 1.3)
        change[row.advantage > 0] += float(now.sum()) - float(row.old.sum())
    assert change[True] > 0 > change[False]


def test_several_passes_give_the_gradient_of_one():
    made, _ = rows()
    gradients = []
    for tokens in (60, 100_000):
        trained = copy.deepcopy(model()).train()
        with torch.no_grad():  # away from the old policy, so that ratios and KL are not trivial
            trained.get_output_embeddings().weight.mul_(1.05)
        config = stage()
        config = config.model_copy(update={"optim": config.optim.model_copy(update={"batch_tokens": tokens})})
        loss = policy_loss(trained, made, config)
        loss.value.backward()
        gradients.append((float(loss.value), loss.logs, [p.grad.clone() for p in trained.parameters()]))
    (one, logs, first), (other, same, second) = gradients
    assert one == pytest.approx(other, abs=1e-6) and logs == pytest.approx(same, abs=1e-5)
    assert logs["kl"] > 0
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_clipping_is_wider_upwards_and_stops_the_gradient():
    made, _ = rows()
    row = max(made, key=lambda r: r.advantage)
    for factor, clipped in ((1.25, False), (1.32, True)):
        moved = copy.copy(row)
        moved.old = row.old - np.float32(np.log(factor))
        trained = copy.deepcopy(model())
        loss = policy_loss(trained, [moved], stage("stage.kl=0"))
        loss.value.backward()
        moves = max(float(p.grad.abs().max()) for p in trained.parameters())
        assert (loss.logs["clipped"] == 1.0) == clipped
        assert (moves < 1e-9) == clipped


def test_k3_is_an_estimate_of_kl():
    torch.manual_seed(0)
    p, q = torch.randn(6).log_softmax(0), torch.randn(6).log_softmax(0)
    exact = float((p.exp() * (p - q)).sum())
    drawn = torch.multinomial(p.exp(), 200_000, replacement=True)
    assert float(k3(p[drawn], q[drawn]).mean()) == pytest.approx(exact, rel=0.03)
    assert float(k3(p, q).min()) >= 0


def test_groups_stay_together_and_come_once_an_epoch():
    many = [group(seed=s, name=f"g{s}") for s in range(5)]
    config = stage("stage.updates=4", "stage.epochs=2")
    made = make_rows(many, policy(), config, use_energy=False)
    updates = split_updates(made, config, seed=0, phase=1)
    assert len(updates) == 4
    for epoch in (updates[:2], updates[2:]):
        names = [{row.group for row in update} for update in epoch]
        assert names[0].isdisjoint(names[1]) and sum(len(update) for update in epoch) == len(made)
    assert updates == split_updates(made, config, seed=0, phase=1)


def test_groups_are_stored_as_they_are(tmp_path):
    write_groups(tmp_path / "a.jsonl.gz", [group()])
    assert list(read_groups(tmp_path / "a.jsonl.gz")) == [group()]


def test_the_curriculum_draws_training_tasks_and_opens_levels():
    config = stage("stage.tasks=12", "stage.patience=2", "stage.advance=0.8")
    nothing = History({}, {})
    assert [open_level(config, p, nothing) for p in range(6)] == [0, 0, 1, 1, 2, 2]
    assert open_level(config, 0, History({0: 0.9, 1: 0.7}, {})) == 1
    packs = {name: load_pack(name) for name in ("os", "code")}
    drawn = draw_tasks(config, 3, 0, nothing)
    assert drawn == draw_tasks(config, 3, 0, nothing) != draw_tasks(config, 3, 1, nothing)
    tasks = [draw.task(packs) for draw in drawn]
    assert {task.split for task in tasks} == {"train"} and {draw.level for draw in drawn} == {0, 1}
    assert all(fits(t, config.levels[d.level], packs[d.pack]) for t, d in zip(tasks, drawn, strict=True))
    first = draw_tasks(config, 0, 0, nothing)
    assert {d.level for d in first} == {0} and {d.seed for d in first}.isdisjoint({d.seed for d in drawn})


def test_intents_that_gave_a_signal_come_more_often():
    config = stage("stage.tasks=120")
    rated = group().model_copy(update={"intents": ("sort_unique",)})
    dull = group().model_copy(update={"rollouts": rated.rollouts[:1], "intents": ("make_folder",)})
    history = History.of([[rated, dull]], 0.1, 0.9)
    assert history.signal == {"sort_unique": 1.0, "make_folder": 0.0}
    code = {i.name: 1.0 for i in load_pack("code").intents}
    signal = {i.name: 0.0 for i in load_pack("os").intents} | code

    def share(history):
        drawn = draw_tasks(config, 0, 0, history)
        return sum(draw.pack == "code" for draw in drawn) / len(drawn)

    assert share(History({}, signal)) > 0.65 > 0.5 > share(History({}, {}))


def test_an_engine_that_cannot_write_tries_is_refused_by_name():
    check_engine(stage().engine)
    with pytest.raises(InputError, match=r"vLLM is not available.*stage\.engine=hf"):
        check_engine("vllm")
