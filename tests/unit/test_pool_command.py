"""`python -m eval.code_pool`, whole, on a small pool."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import eval.code_pool as command
from hybrid_agent.cli.exits import program
from hybrid_agent.runs.manifest import read_manifest
from tests.unit.pool_cases import record, write_pool

DEV = Path(__file__).resolve().parents[3] / "shared" / "data" / "codegen_pool" / "dev.jsonl.gz"


def _figures(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with pytest.raises(SystemExit) as caught:
        program(command.command, [*arguments, "--json"])
    assert not caught.value.code
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def _settings(tmp_path: Path) -> list[str]:
    return [f"cache={tmp_path / 'cache'}", f"out={tmp_path / 'runs'}", "workers=1", "repeats=1", "resamples=100"]


def test_reranks_a_pool_and_writes_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = write_pool(tmp_path / "pool.jsonl", [record(f"t/{i}") for i in range(4)])
    body = _figures([f"pool={pool}", *_settings(tmp_path)], capsys)
    top = {name: found["value"] for name, found in body["top_one"].items()}
    assert top["random"] == 3 / 8 and top["oracle"] == 1.0
    assert top["CodeT agreement"] == 1.0 == top["EBM with execution"]
    assert top["EBM without execution"] > top["random"]
    folder = Path(body["report"]).parent
    assert set(read_manifest(folder).files) == {"figures.json", "energy.json", "figures.png", "report.html"}


def test_without_execution_nothing_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = write_pool(tmp_path / "pool.jsonl", [record(f"t/{i}") for i in range(3)])
    body = _figures([f"pool={pool}", *_settings(tmp_path), "execution=false"], capsys)
    assert "EBM with execution" not in body["top_one"] and "CodeT agreement" not in body["top_one"]
    assert not (tmp_path / "cache").exists()


def test_a_missing_pool_is_answered_with_exit_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "USUAL", tmp_path / "none")
    for arguments in ([], [f"pool={tmp_path / 'none.jsonl'}"]):
        with pytest.raises(SystemExit) as caught:
            program(command.command, arguments)
        assert caught.value.code == 2
        assert "POOL=PATH" in (said := capsys.readouterr().err) or "no such file" in said


@pytest.mark.skipif(not DEV.is_file(), reason="the development pool is not here")
def test_development_pool_reads() -> None:
    from hybrid_agent.scorer.pool.probes import make_probes
    from hybrid_agent.scorer.pool.records import read_pool

    tasks = read_pool(DEV)
    assert len(tasks) == 82 and all(len(t.candidates) == 100 for t in tasks)
    blind = replace(tasks[0], passed=tuple(not p for p in tasks[0].passed))
    assert make_probes(blind) == make_probes(tasks[0])
