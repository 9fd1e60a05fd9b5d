"""A small helping of what `python -m services.bench.fuzz_http n=10000` does, and of the load command."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.bench import fuzz_http, load
from tests.integration.cli_process import finish
from tests.integration.gateway_process import script


def test_malformed_requests_never_break_the_gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("schemathesis")
    code = fuzz_http.main(["n=120", script(tmp_path, finish("failed", "x"))])
    said = capsys.readouterr().out
    assert code == 0, said
    assert " 400: " in said and " 500: " not in said


def test_every_session_under_load_has_an_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["runs.concurrent=2", "runs.queue=6", script(tmp_path, finish("failed", "x"))]
    code = load.main(["sessions=16", "single=1", *few])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "refused=" in said and "lost=0" in said


def test_the_fuzz_finds_what_may_not_be() -> None:
    found = fuzz_http.Findings()
    found.see("x", 500, "application/json", b"{}")
    found.see("x", 400, "application/json", b'{"detail":"x"}')
    found.see("x", 400, "application/json", b'{"error":{"message":"","type":"","param":null,"code":null}}')
    assert len(found.bad) == 2
