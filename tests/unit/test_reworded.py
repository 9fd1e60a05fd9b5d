"""Training rows of another wording are of the same task, or are refused."""

from __future__ import annotations

import pytest

from hybrid_agent.agent.window import call_text
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.types import Task, Window
from train.gold import GoldError, Turn, reworded


def _turns(task: Task) -> list[Turn]:
    """What `replay` stores, but for what the tools said."""
    return [Turn(window=Window(goal=task.goal), call=call_text(call)) for call in task.gold]


def test_another_wording_changes_the_goal_and_the_plan_only() -> None:
    pack = load_pack("os")
    original, other = make_task(pack, "train", 3), make_task(pack, "train", 3, wording=5)
    made = reworded(_turns(original), original, other)
    assert original.goal != other.goal
    assert {turn.window.goal for turn in made} == {other.goal}
    assert made[0].call == call_text(other.gold[0])
    assert [turn.call for turn in made[1:]] == [call_text(call) for call in original.gold[1:]]


def test_turns_of_an_older_state_of_the_task_are_refused() -> None:
    pack = load_pack("os")
    original, stale = make_task(pack, "train", 3), make_task(pack, "train", 4)
    with pytest.raises(GoldError, match="are not those of the task"):
        reworded(_turns(stale), original, make_task(pack, "train", 3, wording=5))
