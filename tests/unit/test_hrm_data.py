"""From contexts, traces and gold episodes to targets; splits and positions of the stream; calibration."""

import gzip
import json

import numpy as np
import pytest

from hybrid_agent.config.optim import LengthConfig
from hybrid_agent.config.stages.hrm import HrmConfig, PlannerConfig
from hybrid_agent.errors import InputError
from hybrid_agent.planner.calibration import Calibration, Knots
from hybrid_agent.traces.contexts import Candidate, Context, write_contexts
from hybrid_agent.traces.domains import EXPERTS
from hybrid_agent.traces.episodes import EpisodeEntry
from hybrid_agent.types import Exchange, Segment, Step, Trace, Verdict, Window
from train.hrm_batches import UNKNOWN, EpisodeStream, collate, split_groups, to_arrays
from train.hrm_episodes import PlannerEpisode, PlannerTurn, from_contexts, from_trace, load_episodes
from train.hrm_eval import Predictions, apply, ece, figures, fit_calibration

TOOLS = ("fs", "shell", "plan")
CONFIG = PlannerConfig(words=64)
SHELL = '{"tool":"shell","args":{"cmd":"ls"}}'
READ = '{"tool":"fs","args":{"op":"read","path":"a.py"}}'
WRITE = '{"tool":"fs","args":{"op":"write","path":"a.py","text":""}}'


def stage(**more):
    return HrmConfig(length=LengthConfig(max_steps=1), **more)


def window(index=0, tried=0, goal="g", phase="step", files=()):
    exchanges = (Exchange(call=SHELL, obs="ok"),) * tried
    return Window(goal=goal, phase=phase, steps=("a", "b"), index=index, exchanges=exchanges, files=files)


def context(name, at, candidates, group="t1"):
    made = [Candidate(segment=Segment(text=text), label=label, stratum=stratum) for text, label, stratum in candidates]
    return Context(
        id=name, task_id=group, pack="os", intents=(), group=group, domain="editor", window=at, candidates=tuple(made)
    )


def test_contexts_tell_right_calls_failure_and_worth_of_deliberation():
    found = [
        context("t1.3", window(1), [(READ, "plausible_fail", "sampled"), (WRITE, "plausible_fail", "sampled")]),
        context("t1.0", Window(goal="g"), [(SHELL, "pass", "sampled"), (READ, "plausible_fail", "sampled")]),
        context("t1.2", window(0, 1), [(READ, "policy_violation", "sampled"), (SHELL, "pass", "sampled")]),
        context("t1.1", window(0), [(SHELL, "pass", "gold"), (READ, "pass", "near_miss")]),
        context("t2.1", window(0, goal="h"), [(READ, "flaky", "sampled"), (SHELL, "pass", "sampled")], "t2"),
    ]
    first, second = from_contexts(found)
    assert [t.number for t in first.turns] == [0, 1, 2, 3]
    assert [t.failed for t in first.turns] == [False, None, True, True]
    assert [t.deliberate for t in first.turns] == [False, None, True, False]
    assert [t.calls for t in first.turns] == [(SHELL,), (SHELL,), (SHELL,), ()]
    assert second.group == "t2" and second.turns[0].failed is None


def test_contexts_whose_ids_say_nothing_are_ordered_by_what_came_before():
    order = [Window(goal="g"), window(0), window(0, 1), window(1), window(2, phase="finish")]
    found = [context(f"t-{i}-x", order[i], [(SHELL, "pass", "gold")]) for i in (3, 0, 4, 2, 1)]
    (episode,) = from_contexts(found)
    assert [t.window for t in episode.turns] == order
    assert [t.number for t in episode.turns] == [0, 1, 2, 3, 4]


ENTRY = {"trace": "x", "task_id": "t", "pack": "os", "split": "train", "intents": (), "group": "t", "how": "greedy"}
ENTRY |= {"temperature": 0.0, "seed": 0, "status": "done", "verified": True, "turns": 1, "tokens": 1}


def entry(label, **more):
    return EpisodeEntry(**{**ENTRY, "label": label, "denied": 0, "invalid": 0, **more})


def trace(*turns):
    steps = [
        Step(action=action, content=call, window=at, verdict=Verdict(allow=allow), ok=ok)
        for action, call, at, allow, ok in turns
    ]
    return Trace(run_id="r", goal="g", steps=tuple(steps), result="success")


def test_traces_tell_failures_and_second_passes():
    made = trace(
        ("plan", "p", Window(goal="g"), True, True),
        ("tool", SHELL, window(0), False, False),  # refused; the step is then tried anew, and done
        ("tool", READ, window(0, 1), True, False),  # a command that fails may be right
        ("tool", SHELL, window(0), True, True),
        ("plan", "done", window(0, 1), True, False),  # this check fails, and is repaired in place
        ("plan", "done", window(0, 2), True, True),
        ("tool", SHELL, window(1), True, True),
    )
    (passed,) = from_trace(made, entry("pass"))
    assert [t.failed for t in passed.turns] == [False, True, False, False, True, False, False]
    assert [t.deliberate for t in passed.turns] == [False, True, False, False, None, False, False]
    assert passed.turns[1].calls == () and passed.turns[2].calls == (READ,)
    (lost,) = from_trace(made, entry("plausible_fail"))
    assert lost.turns[-1].failed and not lost.success and not any(t.calls for t in lost.turns)
    assert not list(from_trace(made, entry("flaky"))) and not list(from_trace(made, entry("infra_failure")))


def arrays(*turns, success=True):
    return to_arrays(PlannerEpisode("t", turns, success, "test"), CONFIG, TOOLS)


def test_failure_within_the_horizon_is_known_only_where_it_is():
    failed = [False, None, False, True, None, False]
    made = arrays(*(PlannerTurn(window(0, i), i, (), f) for i, f in enumerate(failed)))
    assert made.failed.tolist() == [
        [0, UNKNOWN, UNKNOWN, 1],
        [UNKNOWN, UNKNOWN, 1, 1],
        [0, 1, 1, 1],
        [1, 1, 1, 1],
        [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN],
        [0, 0, 0, 0],
    ]
    gap = arrays(PlannerTurn(window(0), 0, (), False), PlannerTurn(window(0, 2), 2, (), False))
    assert gap.failed.tolist() == [[0, UNKNOWN, UNKNOWN, UNKNOWN], [0, 0, 0, 0]]


def test_priors_are_shares_of_the_right_calls():
    made = arrays(PlannerTurn(window(), 0, (READ, WRITE, SHELL, SHELL)), PlannerTurn(window(0, 1), 1))
    assert made.tool.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    assert made.expert[0, EXPERTS.index("shell")] == 0.5 and made.expert[0].sum() == 1


def test_plans_are_matched_with_what_happened_later_and_only_if_it_ended_well():
    grown = [window(0, min(i, 1), files=tuple(f"{n}.py" for n in range(i))) for i in range(7)]
    turns = [PlannerTurn(w, i) for i, w in enumerate(grown)]
    made = arrays(*turns)
    assert made.first[0] == 0 and np.abs(made.keys[0, 0]).max() == 4  # four more files after four turns
    assert np.abs(made.keys[0, 1]).max() == 1
    short = arrays(*turns[:3])
    assert np.abs(short.keys[0, 0]).max() == 2  # hindsight: the end is what the plan was for
    assert not arrays(*turns, success=False).keys.any()


def episodes(count=40):
    return [
        PlannerEpisode(f"t{i // 2}", tuple(PlannerTurn(window(0, n), n, (SHELL,)) for n in range(1 + i % 5)), True, "x")
        for i in range(count)
    ]


def test_a_task_is_in_one_share_only_whatever_the_order():
    made = episodes()
    shares = split_groups(made, 0.4, 3)
    names = [{made[row].group for row in rows} for rows in shares]
    assert all(names) and sum(map(len, names)) == len(set.union(*names)) == 20
    assert sum(map(len, shares)) == 40
    again = split_groups(made[::-1], 0.4, 3)
    assert [{made[::-1][row].group for row in rows} for rows in again] == names


def test_the_stream_goes_on_where_it_was():
    data = [to_arrays(e, CONFIG, TOOLS) for e in episodes()]
    first, second = (EpisodeStream(data, np.arange(40), 12, 5) for _ in range(2))
    seen = [first.next() for _ in range(3)]
    state = first.state()
    later = [first.next().states.index.tolist() for _ in range(20)]
    second.restore(state)
    assert [second.next().states.index.tolist() for _ in range(20)] == later
    assert seen[0].states.index.tolist() != seen[1].states.index.tolist()
    assert all(len(b.tool) <= 12 for b in seen)
    epoch = EpisodeStream(data, np.arange(40), 12, 5)
    turns = 0
    while epoch.epoch == 0 and turns < 120:
        turns += len(epoch.next().tool)
    assert turns == 120  # every turn once


def test_a_batch_keeps_episodes_apart():
    data = [to_arrays(e, CONFIG, TOOLS) for e in episodes(6)]
    states = collate(data).states
    assert len(states.offsets) == sum(len(e.counts) for e in data)
    assert (
        states.episode.tolist() == sorted(states.episode.tolist())
        and states.order[states.episode.diff(prepend=states.episode[:1] - 1) > 0].eq(0).all()
    )
    assert (states.segment[states.first] == np.arange(len(states.first))).all()


def test_any_subset_of_sources_will_do_and_mistakes_are_named(tmp_path):
    path = tmp_path / "contexts.jsonl.gz"
    write_contexts(path, [context("t1.0", Window(goal="g"), [(SHELL, "pass", "sampled")])])
    gold = tmp_path / "episodes" / "os-abc"
    gold.mkdir(parents=True)
    lines = [
        json.dumps({"seed": seed, "turns": [{"window": window(goal=goal).model_dump(mode="json"), "call": SHELL}]})
        for seed, goal in ((1, "g"), (2, "h"))
    ]
    (gold / "0.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert len(load_episodes(stage(contexts=str(path)))) == 1
    both = load_episodes(stage(contexts=str(path), gold=str(tmp_path / "episodes")))
    assert [e.group for e in both] == ["t1", "t1", "os:2"], "the same goal is the same task"
    assert len(load_episodes(stage(gold=str(tmp_path / "episodes"), max_gold=1))) == 1
    with pytest.raises(InputError, match="at least one"):
        load_episodes(stage())
    with pytest.raises(InputError, match="no such contexts file"):
        load_episodes(stage(contexts=str(tmp_path / "none.jsonl")))
    with pytest.raises(InputError, match="no cached gold"):
        load_episodes(stage(gold=str(tmp_path / "none")))
    (tmp_path / "index.jsonl").write_text(entry("pass", split="val").model_dump_json() + "\n")
    with pytest.raises(InputError, match="held-out split val"):
        load_episodes(stage(episodes=str(tmp_path)))
    (gold / "1.jsonl.gz").write_bytes(gzip.compress(b'{"seed": 1}'))
    with pytest.raises(InputError, match=r"1\.jsonl\.gz:1"):
        load_episodes(stage(gold=str(tmp_path / "episodes")))


def test_long_episodes_are_cut(tmp_path):
    path = tmp_path / "c.jsonl"
    write_contexts(path, [context(f"t1.{i}", window(0, i), [(SHELL, "pass", "gold")]) for i in range(7)])
    assert [len(e.turns) for e in load_episodes(stage(contexts=str(path), max_turns=3))] == [3, 3, 1]


def predictions(count=4000, seed=0):
    """Scores that are too high by half: what they say is 1.5 times what comes true."""
    rng = np.random.default_rng(seed)
    true = rng.random(count) * 0.6
    happens = (rng.random(count) < true).astype(np.int64)
    tool = np.tile([0.7, 0.2, 0.1], (count, 1))
    shares = np.eye(3)[rng.choice(3, count, p=[0.7, 0.2, 0.1])]
    return Predictions(
        tool=tool,
        expert=tool,
        risk=true * 1.5,
        deliberate=true * 1.5,
        true_tool=shares,
        true_expert=shares,
        true_risk=happens,
        true_deliberate=happens,
        in_step=np.ones(count, bool),
        row=np.zeros(count, np.int64),
        losses={},
        match=(0.0, 0.0, 0),
    )


def test_calibration_mends_scores_on_other_tasks():
    marginal = np.array([0.7, 0.2, 0.1])
    calibration = fit_calibration(predictions(seed=1), TOOLS, marginal)
    report = predictions(seed=2)
    assert ece(report.risk, report.true_risk) > 0.12
    assert ece(apply(calibration.risk, report.risk), report.true_risk) < 0.04
    assert calibration.tool_marginal == {"fs": 0.7, "shell": 0.2, "plan": 0.1}
    said = figures(report, marginal, calibration)
    assert said["risk_ece"] < said["risk_ece_raw"] and 0.6 < said["risk_auc"] < 0.9
    assert said["tool_ce"] == pytest.approx(said["tool_ce_marginal"]) and said["tool_acc"] == said["tool_acc_marginal"]
    assert 0 < said["deliberate_share"] < 1
    stored = Calibration.model_validate_json(calibration.model_dump_json())
    assert stored == calibration


def test_a_head_that_knows_nothing_does_not_deliberate_everywhere():
    p = predictions()
    rare = (np.arange(4000) % 10 == 0).astype(np.int64)
    blind = Predictions(**{**vars(p), "true_deliberate": rare, "deliberate": np.full(4000, 0.3)})
    marginal = np.array([0.7, 0.2, 0.1])
    assert figures(blind, marginal, fit_calibration(blind, TOOLS, marginal))["deliberate_share"] == 0


def test_what_is_not_known_is_not_reported_nor_calibrated():
    p = predictions(30)
    unknown = np.full(30, UNKNOWN)
    p = Predictions(**{**vars(p), "true_risk": unknown, "true_deliberate": unknown})
    calibration = fit_calibration(p, TOOLS, np.array([0.7, 0.2, 0.1]))
    assert calibration.risk == Knots() and calibration.risk(0.3) == 0.3 and calibration.deliberate_above == 0.5
    assert not [name for name in figures(p, np.ones(3) / 3, calibration) if name.startswith("risk")]


def test_knots():
    knots = Knots(x=(0.1, 0.5, 0.5, 0.9), y=(0.0, 0.2, 0.4, 1.0))
    assert [round(knots(p), 3) for p in (0.0, 0.1, 0.3, 0.7, 0.9, 1.0)] == [0.0, 0.0, 0.1, 0.7, 1.0, 1.0]
    with pytest.raises(ValueError, match="go down"):
        Knots(x=(0.5, 0.1), y=(0.0, 1.0))
