"""Agent runs over HTTP: events, approvals, cancelling, rolling back, files, overload. The agent follows a script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.cli_process import call, done, finish, plan
from tests.integration.gateway_process import Gateway, script, states

GIVEN = {"b.txt": "bye\n"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    base = tmp_path_factory.mktemp("gateway")
    calls = script(
        base,
        plan("write a.txt", "remove b.txt"),
        call("fs", op="write", path="a.txt", text="hello\n"),
        done(kind="equals", path="a.txt", text="hello"),
        call("fs", op="remove", path="b.txt"),
        done(kind="absent", path="b.txt"),
        finish(),
    )
    running = Gateway(base, calls, "gateway.runs.queue=3", "gateway.runs.concurrent=1", "body_mb=0.1")
    yield running
    assert running.stop() in (0, -15), running.log()


def test_a_run_tells_of_everything_and_can_be_taken_back(gateway: Gateway) -> None:
    run = gateway.begin("do it", files=GIVEN, approve="ask")
    question = gateway.waiting(run)
    assert gateway.run(run)["approvals"] == [question]
    assert gateway.post(run, "rollback", {}).status_code == 409  # it is still going
    assert gateway.post(run, "approvals/a99", {"allow": True}).status_code == 409
    assert gateway.post(run, f"approvals/{question}", {"allow": True}).status_code == 200
    assert gateway.post(run, f"approvals/{question}", {"allow": False}).status_code == 409  # answered already

    events = gateway.follow(run)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert states(events) == ["queued", "running", "waiting", "running", "done"]
    kinds = [event["type"] for event in events]
    assert kinds.count("candidates") == kinds.count("step") == 6
    assert [e["data"]["state"] for e in events if e["type"] == "approval"] == ["asked", "allowed"]
    chosen = next(event["data"] for event in events if event["type"] == "candidates")
    assert (chosen["turn"], chosen["chosen"]) == (1, 0)
    assert '"plan"' in chosen["candidates"][0]["text"]
    checks = next(event["data"]["results"] for event in events if event["type"] == "checks")
    assert [(check["step"], check["ok"]) for check in checks] == [("write a.txt", True), ("remove b.txt", True)]
    assert gateway.run(run)["result"]["verified"] is True

    # From any point on, both ways, what comes is what would have come.
    assert gateway.follow(run, after=10) == events[10:]
    assert gateway.follow(run, after=10, header=True) == events[10:]
    assert gateway.follow(run, after=len(events)) == []

    diff = gateway.http.get(f"/v1/agent/runs/{run}/diff").json()
    assert [(one["path"], one["kind"]) for one in diff["files"]] == [("a.txt", "added"), ("b.txt", "removed")]
    assert "+hello" in diff["files"][0]["diff"]

    second = gateway.run(run)["snapshots"][1]
    assert gateway.post(run, "rollback", {"to": second}).json()["to"] == second  # before the removal
    names = [one["path"] for one in gateway.http.get(f"/v1/agent/runs/{run}/artifacts").json()["files"]]
    assert names == ["a.txt", "b.txt"]
    assert gateway.post(run, "rollback", {"to": "999999"}).status_code == 400
    assert gateway.post(run, "rollback", {"to": None}).json()["files"] == []
    names = [one["path"] for one in gateway.http.get(f"/v1/agent/runs/{run}/artifacts").json()["files"]]
    assert names == ["b.txt"]
    kinds = [event["type"] for event in gateway.follow(run, after=len(events))]
    assert kinds == ["rollback", "diff", "rollback", "diff"]
    assert run in [row["id"] for row in gateway.http.get("/v1/agent/runs").json()["runs"]]


def test_a_denied_call_is_not_made(gateway: Gateway) -> None:
    run = gateway.begin(files=GIVEN, approve="ask")
    gateway.post(run, f"approvals/{gateway.waiting(run)}", {"allow": False})
    assert gateway.ended(run)["state"] == "failed"
    assert gateway.http.get(f"/v1/agent/runs/{run}/artifacts/b.txt").content == b"bye\n"
    run = gateway.begin(files=GIVEN, approve="deny")
    assert gateway.ended(run)["state"] == "failed"
    assert "approval" not in {event["type"] for event in gateway.follow(run)}


def test_cancelling_ends_a_run_whether_it_works_or_waits(gateway: Gateway) -> None:
    first, second = gateway.begin(files=GIVEN), gateway.begin(files=GIVEN)
    gateway.waiting(first)
    assert gateway.run(second)["state"] == "queued"
    assert gateway.post(second, "cancel").status_code == 200
    assert gateway.ended(second)["state"] == "cancelled"
    assert gateway.post(first, "cancel").status_code == 200
    assert gateway.ended(first)["state"] == "cancelled"
    assert gateway.post(first, "cancel").status_code == 409
    events = gateway.follow(first)
    assert states(events)[-1] == "cancelled"
    assert '"result":"partial"' in (gateway.runs / first / "trace.jsonl").read_text()  # the trace has an end
    assert gateway.http.get(f"/v1/agent/runs/{first}/artifacts/b.txt").content == b"bye\n"


def test_too_many_runs_are_refused_and_none_is_lost(gateway: Gateway) -> None:
    replies = [gateway.http.post("/v1/agent/runs", json={"goal": "x", "files": GIVEN}) for _ in range(7)]
    taken = [reply.json()["id"] for reply in replies if reply.status_code == 201]
    refused = [reply for reply in replies if reply.status_code != 201]
    assert len(taken) == 4 and len(refused) == 3
    assert {reply.status_code for reply in refused} == {429}
    assert all(int(reply.headers["retry-after"]) > 0 for reply in refused)
    assert refused[0].json()["error"]["code"] == "queue_full"
    for run in taken:
        gateway.post(run, f"approvals/{gateway.waiting(run)}", {"allow": True})
        assert gateway.ended(run)["state"] == "done"


def test_files_are_only_those_of_the_workspace(gateway: Gateway) -> None:
    run = gateway.begin(files={"docs/note.txt": "n", "page.html": "<script>1</script>"}, approve="deny")
    gateway.ended(run)
    workspace = gateway.runs / run / "workspace"
    (gateway.runs / "secret").write_text("s3cret")
    (workspace / "link").symlink_to(gateway.runs / "secret")
    (workspace / "up").symlink_to(gateway.runs, target_is_directory=True)
    (workspace / "inside").symlink_to("docs/note.txt")
    os.mkfifo(workspace / "pipe")
    listed = [one["path"] for one in gateway.http.get(f"/v1/agent/runs/{run}/artifacts").json()["files"]]
    assert listed == ["a.txt", "docs/note.txt", "page.html"]
    base = f"{gateway.url}/v1/agent/runs/{run}/artifacts/"
    for path in (
        "link",
        "up/secret",
        "..%2F..%2Fsecret",
        "%2Fetc%2Fpasswd",
        "pipe",
        "docs",
        "none",
        "a%00b",
        "x" * 900,
    ):
        reply = gateway.http.get(base + path)
        assert reply.status_code == 404 and "s3cret" not in reply.text, (path, reply.text)
    assert httpx.get(base + "inside").content == b"n"
    page = gateway.http.get(base + "page.html")
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "goal"),
        ({"goal": " "}, "goal"),
        ({"goal": 5}, "goal"),
        ({"goal": "x", "files": {"../x": ""}}, None),
        ({"goal": "x", "files": {"/etc/x": ""}}, None),
        ({"goal": "x", "files": {"a": "", "a/b": ""}}, None),
        ({"goal": "x", "files": {"a\0b": ""}}, None),
        ({"goal": "x", "seed": 2**70}, "seed"),
        ({"goal": "x", "approve": "yes"}, "approve"),
        ({"goal": "x", "hybrid": "nonesuch"}, None),
        ({"goal": "x", "speed": 1}, "speed"),
    ],
)
def test_bad_runs_are_refused_by_name(gateway: Gateway, body: object, param: str | None) -> None:
    reply = gateway.http.post("/v1/agent/runs", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    if param is not None:
        assert reply.json()["error"]["param"] == param


def test_bodies_that_are_no_request(gateway: Gateway) -> None:
    def post(content: bytes, kind: str = "application/json") -> int:
        return gateway.http.post("/v1/agent/runs", content=content, headers={"content-type": kind}).status_code

    assert post(b'{"goal":') == post(b"\xff\xfe") == post(b'{"goal":"\\ud800"}') == post(b"[" * 50_000) == 400
    assert post(b'{"goal":"x"}', "text/plain") == 400  # what a foreign page could send without asking
    assert post(b" " * 200_000) == 413
    chunks = (b" " * 10_000 for _ in range(20))
    assert gateway.http.post("/v1/agent/runs", content=chunks).status_code == 413
    assert gateway.http.get("/v1/agent/runs/20260101-000000-abcdef").status_code == 404
    assert gateway.http.put("/v1/models").status_code == 405


def test_metrics_count_what_happened(gateway: Gateway) -> None:
    text = gateway.http.get("/metrics").text
    assert 'hybrid_agent_runs_total{state="done"}' in text
    assert 'hybrid_agent_part_p95_seconds{part="decode"}' in text
    assert 'hybrid_agent_candidates_bucket{le="1.0"}' in text
    assert 'hybrid_agent_approvals_total{answer="allowed"}' in text
    assert 'hybrid_agent_overload_total{what="runs"} 3.0' in text
    assert "hybrid_agent_mistakes_total 0.0" in text
    assert gateway.http.get("/healthz").json() == {"status": "ok"}


def test_every_page_shows_only_itself(gateway: Gateway) -> None:
    page = gateway.http.get("/")
    assert page.status_code == 200 and "default-src 'none'" in page.headers["content-security-policy"]


def test_a_request_under_a_foreign_name_or_from_a_foreign_page_is_refused(gateway: Gateway) -> None:
    run = {"json": {"goal": "x"}}
    assert gateway.http.post("/v1/agent/runs", headers={"Host": "evil.example"}, **run).status_code == 403
    assert gateway.http.post("/v1/agent/runs", headers={"Origin": "http://evil.example"}, **run).status_code == 403
    assert gateway.http.post("/v1/agent/runs", headers={"Origin": "null"}, **run).status_code == 403
    own = {"Origin": gateway.url}
    assert gateway.http.get("/v1/models", headers=own).status_code == 200


def test_two_gateways_never_share_runs(gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Gateway(gateway.runs.parent, "decoder=tiny")
    assert "another gateway has these runs" in gateway.log()
