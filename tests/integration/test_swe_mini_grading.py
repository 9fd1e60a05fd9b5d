"""Real instances, tested in the real sandbox, graded by the official code."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from eval.swe_grading import Grade, grade
from eval.swe_mini import command
from eval.swe_mini_run import run_one
from hybrid_agent.cli.exits import program
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.swe.bench.predictions import Prediction, write_predictions
from task_packs.swe_mini.build import build_instance, check_base
from task_packs.swe_mini.mirror import base_commits, read_rows, write_mirrors
from task_packs.swe_mini.spec import load_repo

ROWS = {row["instance_id"]: row for row in read_rows()}
CALC = ROWS["swe-mini__calcu-average-of-nothing"]
CACHE = ROWS["swe-mini__cachekit-dump-nothing"]
FUNCTIONS = "calcu/functions.py"


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_mirrors(tmp_path_factory.mktemp("mirrors"), [CALC, CACHE])


def _graded(row: dict[str, Any], patch: str, mirrors: dict[str, Path], folder: Path, timeout_s: float = 300.0) -> Grade:
    prediction = Prediction(row["instance_id"], "someone/model", patch)
    run_one(row, prediction, mirrors[row["repo"]], folder, timeout_s)
    return grade(row, prediction, folder)


def _patch(path: str, old: str, new: str) -> str:
    """A patch of the calculator's base commit."""
    repo = load_repo("calcu")
    bug = next(bug for bug in repo.bugs if repo.instance_id(bug) == CALC["instance_id"])
    before = base_commits(repo, bug, json.loads(CALC["FAIL_TO_PASS"]))[-1].files[path]
    assert old in before
    lines = (text.splitlines(keepends=True) for text in (before, before.replace(old, new, 1)))
    return "".join(difflib.unified_diff(*lines, f"a/{path}", f"b/{path}"))


def _new_file(path: str, *lines: str) -> str:
    body = "".join(f"+{line}\n" for line in lines)
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n{body}"


@pytest.mark.parametrize("row", [CALC, CACHE], ids=["unittest", "pytest"])
def test_gold_resolves(row: dict[str, Any], mirrors: dict[str, Path], tmp_path: Path) -> None:
    found = _graded(row, row["patch"], mirrors, tmp_path)
    assert found.resolved and found.reason == "resolved"
    assert found.passed == found.wanted and found.wanted[0] >= 1 and found.wanted[1] >= 10
    assert found.test_seconds is not None


def test_a_patch_that_does_not_help(mirrors: dict[str, Path], tmp_path: Path) -> None:
    harmless = _patch(FUNCTIONS, '"""Functions that expressions can call."""', '"""Functions."""')
    found = _graded(CALC, harmless, mirrors, tmp_path)
    assert (found.reason, found.passed[1]) == ("not_fixed", found.wanted[1])


def test_a_patch_that_breaks_something_else(mirrors: dict[str, Path], tmp_path: Path) -> None:
    broken = CALC["patch"] + _patch("calcu/scope.py", '"""Variables, in scopes within scopes."""', "raise SystemExit")
    assert _graded(CALC, broken, mirrors, tmp_path).resolved is False


def test_a_patch_that_does_not_apply(mirrors: dict[str, Path], tmp_path: Path) -> None:
    other = _patch(FUNCTIONS, "import math", "import cmath").replace("-import math", "-import this")
    found = _graded(CALC, other, mirrors, tmp_path)
    assert found.reason == "patch_not_applied" and "error:" in found.detail


def test_a_patch_that_never_ends(mirrors: dict[str, Path], tmp_path: Path) -> None:
    endless = _new_file("tests/test_zz.py", "while True:", "    pass")
    assert _graded(CALC, endless, mirrors, tmp_path, timeout_s=8.0).reason == "timeout"


def test_changed_tests_are_put_back(mirrors: dict[str, Path], tmp_path: Path) -> None:
    cheat = _patch("tests/test_parts.py", "import unittest", "raise SystemExit(0)") + CALC["patch"]
    assert _graded(CALC, cheat, mirrors, tmp_path).resolved


def test_a_patch_reaches_nothing_outside(
    mirrors: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "do-not-tell-anyone")
    secret, written = tmp_path / "secret.txt", tmp_path / "written.txt"
    secret.write_text("do-not-tell-anyone")
    attack = _new_file(
        "tests/test_attack.py",
        "import os, pathlib, socket",
        "for step in (",
        f"    lambda: print(pathlib.Path({str(secret)!r}).read_text()),",
        f"    lambda: pathlib.Path({str(written)!r}).write_text('here'),",
        "    lambda: print(os.environ['SECRET_TOKEN']),",
        "    lambda: print(pathlib.Path('/proc/1/environ').read_text()),",
        "    lambda: print('connected', socket.create_connection(('1.1.1.1', 80), 2)),",
        "):",
        "    try:",
        "        step()",
        "    except Exception as error:",
        "        print('refused', type(error))",
    )
    assert _graded(CALC, CALC["patch"] + attack, mirrors, tmp_path / "logs").resolved
    log = next((tmp_path / "logs").rglob("test_output.txt")).read_text()
    assert log.count("refused") >= 4
    assert "do-not-tell-anyone" not in log.replace(attack, "") and "connected" not in log.replace(attack, "")
    assert not written.exists()


@pytest.mark.parametrize("row", [CALC, CACHE], ids=["unittest", "pytest"])
def test_the_generator_makes_the_stored_row(row: dict[str, Any]) -> None:
    repo = load_repo(row["repo"].split("/")[1])
    bug = next(bug for bug in repo.bugs if repo.instance_id(bug) == row["instance_id"])
    assert build_instance(repo, bug) == row
    assert check_base(repo, bug, json.loads(row["FAIL_TO_PASS"])) == []


def _run(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    settings = [f"cache={tmp_path / 'cache'}", f"out={tmp_path / 'runs'}", "workers=1"]
    with pytest.raises(SystemExit) as caught:
        program(command, [*arguments, *settings, "--json"])
    assert not caught.value.code
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_command_grades_gold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = _run(["gold=true", f"instances=[{CALC['instance_id']}]"], tmp_path, capsys)
    assert body["resolved"]["rate"] == 1.0 and body["resolved"]["n"] == 1
    assert body["by_repo"]["swe-mini/calcu"]["hits"] == 1
    folder = Path(body["report"]).parent
    assert set(read_manifest(folder).files) == {"report.json", "predictions.jsonl"}


def test_command_grades_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "preds.jsonl"
    write_predictions(made, [Prediction(CALC["instance_id"], "me", "")])
    body = _run([f"predictions={made}", "instances=[calcu]", "limit=3"], tmp_path, capsys)
    assert body["resolved"]["hits"] == 0 and body["resolved"]["n"] == 3
    assert {reason: len(ids) for reason, ids in body["by_reason"].items()} == {"empty_patch": 1, "no_prediction": 2}


def test_command_names_what_it_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program(command, ["instances=[nothing]", f"out={tmp_path}"])
    assert caught.value.code == 2
    assert "spanlib" in capsys.readouterr().err


def test_command_runs_the_patch_loop_within_its_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = _run([f"instances=[{CALC['instance_id']}]", "budget=4", "order=operator"], tmp_path, capsys)
    assert body["models"] == ["hybrid-agent-local"] and body["errors"] == {}
    assert 2 <= body["cost"]["test_runs"] <= 4
    records = Path(body["report"]).parent / "predictions.runs" / CALC["instance_id"]
    trace = json.loads((records / "trace.json").read_text())
    assert trace["result"]["evidence"]["tests_before"] == {"passed": 68, "failing": 1, "all": 69}


def test_a_killed_evaluation_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its finished instance is not done again, whatever the number of workers now is."""
    settings = ["instances=[calcu]", "limit=2", "budget=2", "order=operator"]
    places = [f"cache={tmp_path / 'cache'}", f"out={tmp_path / 'runs'}", "workers=1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "eval.swe_mini", *settings, *places],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    runs = tmp_path / "runs" / "eval" / "swe_mini"
    try:
        until = time.monotonic() + 180
        while not (done := list(runs.glob("*/predictions.runs/*/record.json"))):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    before = done[0].stat().st_mtime_ns
    body = _run(settings, tmp_path, capsys)
    assert [folder.name for folder in runs.iterdir()] == ["001"]
    assert done[0].stat().st_mtime_ns == before
    assert body["resolved"]["n"] == 2 and body["cost"]["instances_with_records"] == 2
