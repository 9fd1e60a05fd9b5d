"""Release gates: which level a figure reaches, and what counts as a human override."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from eval.gate_lines import LINES, Measured, lines, show
from eval.overrides import canonical, overrides
from hybrid_agent.config.gates import GatesConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.traces.store import TraceWriter
from hybrid_agent.types import Step, Task, ToolCall, Verdict

CONFIG = load_config("gates", [], GatesConfig)


@pytest.mark.parametrize(
    ("key", "value", "reached"),
    [
        ("os_success", 0.85, "alpha"),
        ("os_success", 0.9499, "beta"),
        ("os_success", 0.95, "prod"),
        ("os_success", 0.5, None),
        ("code_success", 0.8, "beta"),
        ("segment_p95_s", 0.95, "beta"),
        ("segment_p95_s", 1.6, None),
        ("destructive_outside", 0, "prod"),
        ("destructive_outside", 1, None),
        ("rollback", 0.99, "prod"),
        ("scorer_auc", 0.899, None),
        ("human_overrides", 0.005, None),
        ("human_overrides", 0.0049, "prod"),
    ],
)
def test_the_level_that_a_figure_reaches(key: str, value: float, reached: str | None) -> None:
    line = next(line for line in lines({key: Measured(value, "here")}, CONFIG.thresholds) if line.key == key)
    assert line.reached == reached
    assert line.passes("prod") == (reached == "prod")


def test_what_is_not_measured_is_not_reached(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines({"os_success": Measured(0.93, "480 tasks")}, CONFIG.thresholds)
    assert [line.key for line in found] == list(LINES)
    assert [line.key for line in found if line.passes("beta")] == ["os_success"]
    assert all(line.missing("alpha") is None for line in found if line.key != "os_success")
    show(found, "beta", Console(width=100))
    out = capsys.readouterr().out
    assert "OS success: 480 tasks; prod: 2.0 % short" in out and out.count("FAIL") == len(LINES) - 1


def episode(folder: Path, task: Task, *steps: Step) -> Path:
    path = folder / f"{task.id}.jsonl"
    with TraceWriter(path) as writer:
        writer.start(task.goal, run_id="r", task_id=task.id)
        for each in steps:
            writer.step(each)
    return path


def step(call: ToolCall, **verdict: object) -> Step:
    return Step(action="tool", content=call.model_dump_json(), verdict=Verdict.model_validate(verdict))


def test_overrides_are_approvals_not_asked_for_and_denied_gold_calls(tmp_path: Path) -> None:
    tasks = load_tasks("os", "val")
    calm = next(t for t in tasks if not t.destructive)
    rough = next(t for t in tasks if t.destructive)
    gold = next(c for c in calm.gold if c.tool not in ("plan", "finish"))
    other = ToolCall(tool="shell", args={"cmd": "rm -rf everything"})
    swapped = ToolCall(tool=gold.tool, args=dict(reversed(gold.args.items())))
    assert canonical(swapped) == canonical(gold)
    traces = {
        calm.id: episode(
            tmp_path,
            calm,
            step(gold, allow=True),
            step(other, allow=False, destructive=True, approval="refused"),  # asks for what the task does not give
            step(swapped, allow=False, rule="policy"),  # a person would have to overrule the gate
            step(swapped, allow=False, rule="energy_veto"),
            step(other, allow=False, rule="outside"),
        ),
        rough.id: episode(tmp_path, rough, step(other, allow=True, destructive=True, approval="granted")),
    }
    found = overrides([calm, rough], traces)
    assert (found.hits, found.n) == (2, 6)
    assert overrides([calm, rough], {}).n == 0
