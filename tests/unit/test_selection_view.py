"""What a person is told about how a call was chosen."""

from __future__ import annotations

from selection_parts import segment, write

from hybrid_agent.cli.view import describe_choice
from hybrid_agent.types import Control, Effort, Schedule, Segment, Step

TAKEN = '{"tool":"fs","args":{"op":"write","path":"b","text":"x"}}'


def test_a_plain_greedy_call_needs_no_words() -> None:
    step = Step(action="tool", content=TAKEN, candidates=(Segment(text=TAKEN),), effort=Effort())
    assert describe_choice(step) == ""


def test_energies_risk_experts_and_vetoes_are_shown() -> None:
    first = segment(write("a"), energy=3.0, p=0.02)
    best = segment(write("b"), energy=-1.25, p=0.9).model_copy(update={"expert": "shell"})
    effort = Effort(k=4, drawn=3, early=True, cancelled=1, vetoed=1)
    step = Step(
        action="tool",
        content=TAKEN,
        candidates=(first, best),
        control=Control(risk=0.7),
        schedule=Schedule(k=4, why="risk"),
        effort=effort,
    )
    said = describe_choice(step)
    assert said == (
        "K 4 (risk), 2 different, 1 cancelled; energy -1.25 (least -1.25), p 0.90; risk 0.70; by shell; "
        "1 vetoed by energy"
    )
