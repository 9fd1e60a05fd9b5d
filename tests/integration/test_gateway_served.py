"""The gateway with its parts at real services: the same events, and a killed gateway finds its session again."""

from __future__ import annotations

import re
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.bench.farm import farm
from tests.integration.cli_process import call, done, finish, plan
from tests.integration.gateway_process import Gateway, script, states

REMOVE = call("fs", op="remove", path="b.txt")


def test_a_served_run_survives_its_gateway_and_is_one_trace(tmp_path: Path) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)  # of the services, which are in this process
    calls = (
        plan("write a.txt", "remove b.txt"),
        call("fs", op="write", path="a.txt", text="hello\n"),
        done(kind="equals", path="a.txt", text="hello"),
        REMOVE,
        REMOVE,  # the decoder service lives on, and is asked for this turn twice
        done(kind="absent", path="b.txt"),
        finish(),
    )
    with farm("tools", "decoder", overrides=[script(tmp_path, *calls)]) as services:
        shared = [word for word in services.overrides if not word.startswith("runs=")]
        gateway = Gateway(tmp_path, "gateway.parts=served", "telemetry.exporter=console", *shared)
        try:
            run = gateway.begin("do it", files={"b.txt": "bye\n"}, approve="ask")
            first = gateway.waiting(run)
            seen = gateway.follow(run, until=lambda event: event["type"] == "approval")
            gateway.kill()
            gateway.start()
            asked = gateway.follow(
                run,
                after=seen[-1]["id"],
                until=lambda event: event["type"] == "approval" and event["data"]["approval"] != first,
            )
            assert asked[0]["data"] == {**seen[-1]["data"], "state": "expired", "expires": None}
            gateway.post(run, f"approvals/{asked[-1]['data']['approval']}", {"allow": True})
            assert gateway.ended(run)["state"] == "done", gateway.follow(run)[-1]
            events = gateway.follow(run)
            assert states(events) == ["queued", "running", "waiting", "running", "waiting", "running", "done"]
            assert [event["type"] for event in events].count("step") == 6
            diff = gateway.http.get(f"/v1/agent/runs/{run}/diff").json()["files"]
            assert [(one["path"], one["kind"]) for one in diff] == [("a.txt", "added"), ("b.txt", "removed")]
            assert gateway.http.get(f"/v1/agent/runs/{run}/artifacts/a.txt").text == "hello\n"
            assert gateway.http.get(f"/v1/agent/runs/{run}/artifacts/..%2Fsession.json").status_code == 404
            assert gateway.post(run, "rollback", {"to": None}).json()["files"] == []
            (left,) = gateway.http.get(f"/v1/agent/runs/{run}/artifacts").json()["files"]
            assert left["path"] == "b.txt" and left["bytes"] > 0 and left["modified"] > 0
            assert gateway.http.post("/v1/agent/runs", json={"goal": "x", "hybrid": "greedy"}).status_code == 400
            turns = re.findall(r'"name": "agent.turn",\s*"context": {\s*"trace_id": "0x([0-9a-f]{32})"', gateway.log())
            served = {f"{span.context.trace_id:032x}": span.name for span in spans.get_finished_spans() if span.context}
            names = {span.name for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" in turns}
            assert turns and turns[-1] in served
            assert {"hybrid.v1.Decoder/Propose", "hybrid.v1.Tools/Act"} <= names
        finally:
            gateway.stop()
