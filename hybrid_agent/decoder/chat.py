"""A window as a conversation, for models that follow instructions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hybrid_agent.types import Window

Message = dict[str, str]

_RULES = """\
You work on a computer, in a sandbox whose working directory is /workspace. You reply with exactly one tool call: \
one JSON object, no other text. All paths are relative to the working directory.

Order of work: first plan (op "set") with one short step for each thing the goal asks for, in the goal's own words. \
Then, step by step: the calls that do the step, then plan (op "done") with a check that proves it. When every step is \
done: finish with status "done". If it cannot be done: finish with "failed"; if you are not sure: "unsure".

Tools (JSON schema of the args):
"""


def messages(window: Window, schema: Mapping[str, Any]) -> list[Message]:
    """System and user messages for the next call, with the calls of the step as earlier turns."""
    out = [{"role": "system", "content": _RULES + describe(schema)}, {"role": "user", "content": situation(window)}]
    for exchange in window.exchanges:
        out.append({"role": "assistant", "content": exchange.call})
        out.append({"role": "user", "content": f"Result:\n{exchange.obs}\n\nThe next call:"})
    return out


def situation(window: Window) -> str:
    """What is known before the calls of the step."""
    lines = [f"Goal: {window.goal}"]
    if window.phase == "plan":
        return "\n".join([*lines, "Reply with the plan: the steps of this goal."])
    lines += [f"Step {number}: {step}" for number, step in enumerate(window.steps, 1)]
    if window.notes:
        lines.append("Changed so far: " + "; ".join(window.notes))
    if window.files:
        lines.append("Files: " + " ".join(window.files))
    if window.phase == "finish":
        return "\n".join([*lines, "All steps are done. Reply with finish."])
    return "\n".join([*lines, f"You are at step {window.index + 1}. Reply with the next call."])


def describe(schema: Mapping[str, Any]) -> str:
    """One line for each tool of a call schema (the alternatives of its `anyOf`)."""
    return "\n".join(
        f"{case['properties']['tool']['const']}: {_compact(case['properties']['args'])}"
        for case in schema.get("anyOf", [])
    )


def tool_names(schema: Mapping[str, Any]) -> list[str]:
    """The tools that a call schema offers."""
    return [str(case["properties"]["tool"]["const"]) for case in schema.get("anyOf", [])]


def _compact(schema: Any) -> str:
    return json.dumps(_plain(schema), separators=(",", ":"))


def _plain(node: Any) -> Any:
    """Without what only our own constraint reads."""
    if isinstance(node, Mapping):
        hidden = ("x-span", "additionalProperties", "minLength", "maxLength")
        return {key: _plain(value) for key, value in node.items() if key not in hidden}
    return [_plain(item) for item in node] if isinstance(node, list) else node
