"""Who may call a gateway that other machines can reach; and that its traces stay at home unless asked for."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.cli_process import finish
from tests.integration.gateway_process import Gateway, script


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    base = tmp_path_factory.mktemp("gateway")
    running = Gateway(base, script(base, finish("failed", "x")), "host=0.0.0.0", "telemetry.exporter=console")
    running.url = running.url.replace("0.0.0.0", "127.0.0.1")
    running.http.close()
    running.http = httpx.Client(base_url=running.url, timeout=300)
    yield running
    assert running.stop() in (0, -15), running.log()


def token(gateway: Gateway) -> str:
    """What was made for us."""
    return (gateway.runs / "gateway-token").read_text().strip()


def test_a_token_is_made_and_only_the_owner_can_read_it(gateway: Gateway) -> None:
    file = gateway.runs / "gateway-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in gateway.log() and token(gateway) not in gateway.log()
    assert len(token(gateway)) >= 40


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/agent/runs"),
        ("GET", "/v1/agent/runs"),
        ("GET", "/v1/agent/runs/20260101-000000-abcdef/events"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/static/../v1/models"),
        ("GET", "//v1/models"),
        ("POST", "/v1/session"),
    ],
)
def test_nothing_of_anybodys_is_had_without_the_token(gateway: Gateway, method: str, path: str) -> None:
    right = token(gateway)
    shown = ({}, {"Authorization": f"Bearer {right[:-1]}"}, {"Authorization": right}, {"Cookie": f"x={right}"})
    for headers in (*shown, {"Cookie": f"hybrid_agent_session={right}"}, {"Authorization": "Bearer " + "é"}):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        reply = gateway.http.request(method, path, headers=raw)
        assert reply.status_code in (401, 404), (headers, reply.text)
        assert reply.status_code == 401 or path.startswith(("/static", "//"))
    assert gateway.http.get("/").status_code == gateway.http.get("/healthz").status_code == 200


def test_the_token_opens_and_a_browser_may_keep_it(gateway: Gateway) -> None:
    bearer = {"Authorization": f"Bearer {token(gateway)}"}
    assert gateway.http.get("/v1/models", headers=bearer).status_code == 200
    made = httpx.post(f"{gateway.url}/v1/session", headers=bearer)
    kept = made.headers["set-cookie"]
    assert "HttpOnly" in kept and "samesite=strict" in kept.lower() and token(gateway) not in kept
    cookie = {"Cookie": kept.split(";")[0]}
    assert httpx.get(f"{gateway.url}/v1/models", headers=cookie).status_code == 200
    foreign = {**cookie, "Origin": "http://evil.example"}
    assert httpx.post(f"{gateway.url}/v1/agent/runs", headers=foreign, json={"goal": "x"}).status_code == 403


def test_a_run_is_one_trace_and_goes_on_from_the_callers(gateway: Gateway) -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"Authorization": f"Bearer {token(gateway)}", "traceparent": caller}
    run = gateway.http.post("/v1/agent/runs", headers=headers, json={"goal": "x"}).json()["id"]
    gateway.http.headers.update(headers)
    gateway.ended(run)
    for _ in range(100):
        log = gateway.log()
        if '"name": "agent.run"' in log:
            break
        gateway.run(run)
    assert "0af7651916cd43dd8448eb211c80319c" in log
    assert {"agent.run", "agent.turn", "agent.decode"} <= set(re.findall(r'"name": "([a-z.]+)"', log))


def test_a_weak_or_open_token_is_refused(tmp_path: Path) -> None:
    for text, mode, what in (("short", 0o600, "not a token"), ("x" * 40, 0o644, "others can read")):
        file = tmp_path / "token"
        file.write_text(text)
        file.chmod(mode)
        with pytest.raises(AssertionError):
            Gateway(tmp_path, "host=0.0.0.0", f"token_file={file}")
        assert what in (tmp_path / "log").read_text()
