"""What a newcomer types first is done by the shipped bundle: ordinary words in quotes, files that are not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.parts import find_parts
from hybrid_agent.assemble.presets import preset
from hybrid_agent.assemble.rundir import create_run

GOALS = {
    "make a folder reports, then write a file reports/summary.txt containing 'all good'": {
        "reports/summary.txt": "all good"
    },
    "create todo.txt with the text 'buy milk and eggs'": {"todo.txt": "buy milk and eggs"},
    "write 'it works' to status.txt": {"status.txt": "it works"},
    "write 'the meeting is at noon' into meeting.txt": {"meeting.txt": "the meeting is at noon"},
    "append 'the end' to notes.txt": {"notes.txt": "call mum\nthe end"},
    "rename notes.txt to diary.txt": {"diary.txt": "call mum", "notes.txt": None},
}


@pytest.fixture(scope="module")
def hybrid() -> Hybrid:
    return make_hybrid(find_parts(parse_decoder("tiny"), preset("auto")))


@pytest.mark.parametrize("goal", GOALS)
def test_done(goal: str, hybrid: Hybrid, tmp_path: Path) -> None:
    run = create_run(
        tmp_path, goal=goal, workspace=None, decoder="tiny", model="m", sandbox="bubblewrap", approve="auto", seed=0
    )
    workspace = Path(run.info().workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / "notes.txt").write_text("call mum\n")
    options = AgentOptions(approve="auto", attempts=2)
    with assemble_agent(run, hybrid=hybrid, workspace=workspace, options=options) as agent:
        result = agent.run(goal)
    assert result.verified, result.summary
    for name, text in GOALS[goal].items():
        path = workspace / name
        assert (path.read_text().strip() if path.is_file() else None) == text
