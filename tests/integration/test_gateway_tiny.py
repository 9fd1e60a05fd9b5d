"""The gateway with the shipped model: OpenAI's own client, the trace of a run, and a gateway that is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import make_hybrid
from hybrid_agent.assemble.parts import find_parts, hybrid_hash
from hybrid_agent.assemble.presets import preset
from hybrid_agent.assemble.rundir import create_run
from hybrid_agent.traces.reader import read_trace
from tests.integration.gateway_process import PATIENCE_S, Gateway, core

GOAL = "make a folder reports, then copy notes.txt into it"
FILES = {"notes.txt": "one\ntwo\n"}
SEED = 5
MODEL = "hybrid-agent"
ASK: Any = [{"role": "user", "content": "create notes.txt with the text hello"}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    running = Gateway(tmp_path_factory.mktemp("gateway"), "gateway.runs.concurrent=1")
    yield running
    assert running.stop() in (0, -15), running.log()


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> OpenAI:
    return OpenAI(base_url=f"{gateway.url}/v1", api_key="unused", timeout=PATIENCE_S, max_retries=0)


class Person(BaseModel):
    name: str
    age: int
    kind: Literal["friend", "colleague"]
    tags: list[str]


def test_an_answer_has_the_schema_that_was_asked_for(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    made = client.chat.completions.parse(model=MODEL, messages=ASK, response_format=Person, seed=1, max_tokens=90)
    person = made.choices[0].message.parsed
    assert isinstance(person, Person)
    assert made.choices[0].finish_reason == "stop"
    assert made.usage is not None and 0 < made.usage.completion_tokens <= 90
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
    again = client.chat.completions.parse(model=MODEL, messages=ASK, response_format=Person, seed=1, max_tokens=90)
    assert again.choices[0].message.content == made.choices[0].message.content


def test_json_object_and_several_answers(client: OpenAI) -> None:
    made = client.chat.completions.create(
        model=MODEL, messages=ASK, response_format={"type": "json_object"}, n=2, seed=3, max_tokens=80
    )
    assert [choice.index for choice in made.choices] == [0, 1]
    assert all(isinstance(json.loads(choice.message.content or ""), dict) for choice in made.choices)


def test_a_stream_says_what_one_answer_says_and_stops_where_told(client: OpenAI) -> None:
    same: Any = {"model": MODEL, "messages": ASK, "temperature": 0, "max_tokens": 40}
    whole = client.chat.completions.create(**same)
    text = whole.choices[0].message.content or ""
    chunks = list(client.chat.completions.create(**same, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert sum(bool(c.choices and c.choices[0].delta.content) for c in chunks) > 3  # piece by piece
    assert chunks[-1].usage == whole.usage and not chunks[-1].choices
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason
    cut = client.chat.completions.create(**same, stop=["args", text[12:15]])
    assert cut.choices[0].message.content == text[: min(text.find("args"), text.find(text[12:15]))]
    assert cut.choices[0].finish_reason == "stop"
    short = client.chat.completions.create(**{**same, "max_tokens": 3})
    assert short.choices[0].finish_reason == "length"


def test_a_tool_is_called_with_arguments_that_fit(client: OpenAI) -> None:
    city = {"type": "string", "enum": ["Rome", "Oslo"]}
    weather: Any = {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"where": {"$ref": "#/$defs/city"}, "days": {"type": "integer", "maximum": 3}},
                "required": ["where", "days"],
                "additionalProperties": False,
                "$defs": {"city": city},
            },
        },
    }
    clock: Any = {"type": "function", "function": {"name": "clock"}}
    named: Any = {"type": "function", "function": {"name": "weather"}}
    asked: Any = {"model": MODEL, "messages": ASK, "tools": [weather, clock], "seed": 2, "max_tokens": 90}
    made = client.chat.completions.create(**asked, tool_choice=named).choices[0]
    assert made.finish_reason == "tool_calls" and made.message.tool_calls is not None
    called = made.message.tool_calls[0].function  # type: ignore[union-attr]
    arguments = json.loads(called.arguments)
    assert called.name == "weather" and arguments["where"] in city["enum"] and arguments["days"] <= 3
    any_tool = client.chat.completions.create(**asked, tool_choice="required", stream=True)
    calls = [c.choices[0].delta.tool_calls for c in any_tool if c.choices and c.choices[0].delta.tool_calls]
    assert calls[0][0].function.name in ("weather", "clock")  # type: ignore[index,union-attr]
    # The conversation goes on with what the tool said.
    turn: Any = [*ASK, made.message.model_dump(exclude_unset=True)]
    turn.append({"role": "tool", "tool_call_id": made.message.tool_calls[0].id, "content": "sunny"})
    free = client.chat.completions.create(**{**asked, "messages": turn}, tool_choice="none")
    assert free.choices[0].message.tool_calls is None and free.choices[0].message.content


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"top_p": 0.5}, "top_p"),
        ({"logprobs": True}, "logprobs"),
        ({"extra_body": {"wish": 1}}, "wish"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 9000}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "word " * 3000}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, None),
        ({"tool_choice": "required"}, None),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "object", "unevaluatedProperties": 1}},
                }
            },
            None,
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(client: OpenAI, change: Any, param: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": MODEL, "messages": ASK, "max_tokens": 8, **change})
    assert refused.value.body["type"] == "invalid_request_error"  # type: ignore[index,call-overload]
    if param is not None:
        assert refused.value.param == param


def test_an_unknown_model_is_said_to_be_unknown(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-none", messages=ASK)
    assert refused.value.code == "model_not_found"


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The steps of the same goal, seed and files, by the library alone."""
    base = tmp_path_factory.mktemp("alone")
    spec = find_parts(parse_decoder("tiny"), preset("auto"))
    model = hybrid_hash(spec)
    run = create_run(
        base, goal=GOAL, workspace=None, decoder="tiny", model=model, sandbox="bubblewrap", approve="deny", seed=SEED
    )
    workspace = Path(run.info().workspace)
    for name, text in FILES.items():
        (workspace / name).write_text(text)
    options = AgentOptions(seed=SEED, attempts=2)
    with assemble_agent(run, hybrid=make_hybrid(spec), workspace=workspace, options=options) as agent:
        assert agent.run(GOAL).verified
    return [step.model_dump(mode="json") for step in read_trace(run.trace).steps]


def test_the_served_agent_leaves_the_same_trace(gateway: Gateway, in_process: list[dict[str, Any]]) -> None:
    run = gateway.begin(GOAL, files=FILES, seed=SEED, approve="deny")
    events = gateway.follow(run)
    assert gateway.run(run)["state"] == "done", events[-1]
    served = [step.model_dump(mode="json") for step in read_trace(gateway.runs / run / "trace.jsonl").steps]
    assert [core(step, 9) for step in served] == [core(step, 9) for step in in_process]
    assert [event["data"] for event in events if event["type"] == "step"] == served
    text = gateway.http.get("/metrics").text
    for name in ("calibration_error", "expert_share", "draft_accept_ratio", "vetoed_candidates_total"):
        assert f"hybrid_agent_{name}" in text


def test_a_killed_gateway_goes_on_where_it_was(gateway: Gateway, in_process: list[dict[str, Any]]) -> None:
    run = gateway.begin(GOAL, files=FILES, seed=SEED, approve="deny")
    queued = gateway.begin(GOAL, files=FILES, seed=SEED, approve="deny")
    seen = gateway.follow(run, until=lambda event: event["type"] == "step" and event["id"] > 5)
    gateway.kill()
    gateway.start()
    rest = gateway.follow(run, after=seen[-1]["id"])
    assert rest[0]["id"] == seen[-1]["id"] + 1
    events = seen + rest
    again = [e["data"]["reason"] for e in events if e["type"] == "run" and e["data"]["state"] == "running"][1:]
    assert len(again) == 1 and "picked up after step" in again[0]
    assert gateway.run(run)["state"] == "done"
    assert gateway.ended(queued)["state"] == "done"
    for each in (run, queued):
        stored = [step.model_dump(mode="json") for step in read_trace(gateway.runs / each / "trace.jsonl").steps]
        # The new process reads prompts whole which the old one read in pieces: the sums are the same but for rounding.
        assert [core(step, 2) for step in stored] == [core(step, 2) for step in in_process]
        told = [e["data"] for e in gateway.follow(each) if e["type"] == "step"]
        assert told == stored


def test_runs_use_what_worked_before_where_that_is_wanted(tmp_path: Path) -> None:
    running = Gateway(tmp_path, "gateway.runs.memory=true", "gateway.runs.concurrent=1")
    try:
        first = running.begin("create a file called notes.txt with the text hello world")
        told = running.ended(first)["result"]["memory"]
        assert told[0].startswith("memory: learned skill 1"), told
        second = running.begin("create a file called todo.md with the text see you tomorrow")
        assert running.ended(second)["result"]["memory"] == ["memory: used skill 1, strength now 0.70"]
        text = running.http.get(f"/v1/agent/runs/{second}/artifacts/todo.md").text
        assert text.strip() == "see you tomorrow"
        used = [e["data"]["candidates"] for e in running.follow(second) if e["type"] == "candidates"]
        assert any(c["expert"] == "skill:1" for turn in used for c in turn)
        assert running.post(first, "rollback", {"to": None}).status_code == 200  # it did not work after all
        third = running.begin("create a file called other.md with the text later")
        events = running.follow(third)
        turns = [e["data"]["candidates"] for e in events if e["type"] == "candidates"]
        assert all(c["expert"] != "skill:1" for turn in turns for c in turn)
    finally:
        running.stop()
