"""What the planner sees: kinds of work instead of names, and when its clock ticks."""

import subprocess
import sys

import numpy as np
import pytest

from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.planner.state import begins, call_kind, feature_count, features, phi, ticks
from hybrid_agent.types import Exchange, Window

CONFIG = PlannerConfig()


def step(clause, *exchanges, files=("a.py", "docs/"), index=0, steps=2):
    clauses = tuple(clause if i == index else "x" for i in range(steps))
    pairs = tuple(Exchange(call=c, obs=o) for c, o in exchanges)
    return Window(goal="g", phase="step", steps=clauses, index=index, files=files, exchanges=pairs)


def dense(window):
    found = features(window, CONFIG)
    out = np.zeros(feature_count(CONFIG), np.float32)
    np.add.at(out, found.index, found.value)
    return out


def test_names_do_not_matter_but_words_do():
    one = dense(step("copy `notes.txt` into 'old files'"))
    assert np.array_equal(one, dense(step("copy `plan.txt` into 'new things'")))
    assert not np.array_equal(one, dense(step("move `notes.txt` into 'old files'")))
    assert not np.array_equal(one, dense(step("copy `notes.csv` into 'old files'")))


LIST = '{"tool":"fs","args":{"op":"list","path":"."}}'
READ = '{"tool":"fs","args":{"op":"read","path":"a.py"}}'


@pytest.mark.parametrize(
    "other",
    [
        step("do it", (LIST, "ok\na.py")),
        step("do it", (READ, "ok\nx = 1")),
        step("do it", (LIST, "error\nno such folder")),
        step("do it", files=("a.py", "docs/", "b.json")),
        step("do it", index=1),
        step("do it", steps=3),
        Window(goal="do it"),
    ],
)
def test_everything_that_is_said_to_be_seen_is_seen(other):
    assert not np.array_equal(dense(step("do it")), dense(other))


def test_features_fit_the_table_and_empty_windows_are_fine():
    long = step(
        " ".join(f"word{'abc'[i % 3]}{'xyz'[i % 3] * (i % 9)}" for i in range(300)), (LIST, "ok"), index=9, steps=40
    )
    for window in (long, Window(goal=""), Window(goal="g", phase="finish"), step("", ("not a call", ""))):
        found = features(window, CONFIG)
        assert found.index.min() >= 0 and found.index.max() < feature_count(CONFIG)
        assert len(found.index) == len(found.value) and np.isfinite(found.value).all()


def test_kind_of_a_call():
    assert call_kind(READ) == "fs.read.py"
    assert call_kind('{"tool":"shell","args":{"cmd":"ls"}}') == "shell"
    for text in ("", "[]", '{"tool":"fs"}', '{"tool":"fs","args":3}', "null"):
        assert call_kind(text) == "?"


def test_phi_tells_listing_exit_codes_and_tests_apart():
    base = step("do it")
    assert np.array_equal(phi(base), phi(step("another clause")))
    for other in (
        step("do it", files=("a.py", "docs/", "b.json")),
        step("do it", (LIST, "ok")),
        step("do it", (LIST, "error")),
        step("do it", index=1),
    ):
        assert np.linalg.norm(phi(other) - phi(base)) > 0.1
    failing, passing = (step("t", (READ, f"ok\n{n} failed, {5 - n} passed")) for n in (3, 1))
    assert np.linalg.norm(phi(failing) - phi(passing)) > 0.1


def test_an_episode_begins_with_another_goal_or_with_planning():
    opening, later = Window(goal="g"), step("do it")
    assert begins(None, later)
    assert not begins(opening, later)
    assert begins(later, opening)
    assert begins(later, later.model_copy(update={"goal": "h"}))
    planning = opening.model_copy(update={"exchanges": (Exchange(call="x", obs="error"),)})
    assert not begins(opening, planning)


def test_the_clock_ticks_every_k_segments_and_at_each_step():
    first, more = step("a", (LIST, "ok")), step("a", (LIST, "ok"), (READ, "ok"))
    assert ticks(None, first, 0, CONFIG)
    assert not ticks(first, more, 1, CONFIG)
    assert ticks(first, more, CONFIG.k_plan, CONFIG)
    assert ticks(more, first, 1, CONFIG), "a step that is tried again is a new start"
    assert ticks(first, step("b", index=1), 1, CONFIG)
    assert not ticks(first, step("b", index=1), 1, CONFIG.model_copy(update={"tick_on_steps": False}))


def test_features_need_no_torch():
    code = "import sys; import hybrid_agent.planner.state, hybrid_agent.config.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
