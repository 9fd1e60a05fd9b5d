"""Calls and observations as short lines for people.

What a sandboxed process printed is not trusted: control characters are shown, never sent to the terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hybrid_agent.types import Observation, Step, Verdict

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def safe(text: str) -> str:
    """Text without anything a terminal would act on."""
    return CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", text.replace("\r\n", "\n").replace("\t", "    "))


def excerpt(text: str, width: int = 100, lines: int = 3) -> list[str]:
    """The first lines of a text, each cut to `width`, with a note on how much is missing."""
    rows = [row for row in safe(text).rstrip("\n").split("\n") if row.strip()]
    shown = [row if len(row) <= width else row[: width - 3] + "..." for row in rows[:lines]]
    if len(rows) > lines:
        shown.append(f"... {len(rows) - lines} more lines")
    return shown


def describe_call(content: str, width: int = 160) -> str:
    """One line that says what a call does: `fs mkdir path=notes`, `shell: ls -l`."""
    try:
        call = json.loads(content)
        tool, args = str(call["tool"]), dict(call["args"])
    except (ValueError, KeyError, TypeError):
        return _one_line("not a call: " + content, width)
    return _one_line(_DESCRIBE.get(tool, _generic)(tool, args), width)


def describe_verdict(verdict: Verdict | None) -> str:
    """Empty for a plain allowed call; else what the gate said."""
    if verdict is None:
        return "not a valid call"
    if not verdict.allow:
        return safe(f"denied by rule {verdict.rule}: {verdict.reason}")
    if verdict.destructive:
        return f"destructive, approval {verdict.approval.replace('_', ' ')}"
    return ""


def describe_obs(obs: Observation | None, width: int = 100, lines: int = 3) -> list[str]:
    """What came back, in a few lines."""
    if obs is None or obs.denied is not None:
        return []
    return excerpt(obs.stdout if obs.ok else "\n".join(part for part in (obs.stderr, obs.stdout) if part), width, lines)


def step_ms(step: Step) -> float:
    """All milliseconds of a step."""
    return step.ms.plan + step.ms.decode + step.ms.score + step.ms.gate + step.ms.tool


def _plan(tool: str, args: dict[str, Any]) -> str:
    if args.get("op") == "set":
        steps = args.get("steps", [])
        return f"plan: {len(steps)} step{'' if len(steps) == 1 else 's'}"
    check = dict(args.get("check", {}))
    return f"verify: {check.pop('kind', '?')} {_pairs(check)}"


def _finish(tool: str, args: dict[str, Any]) -> str:
    return f"finish: {args.get('status')} {args.get('summary', '')}"


def _edits(tool: str, args: dict[str, Any]) -> str:
    edits = [edit for edit in args.get("edits", []) if isinstance(edit, dict)]
    shown = "; ".join(f"{edit.get('op')} {_pairs({k: v for k, v in edit.items() if k != 'op'})}" for edit in edits)
    return f"edit {args.get('path')}: {shown}"


def _code(tool: str, args: dict[str, Any]) -> str:
    return f"{args.get('lang')}: {args.get('code')}"


def _generic(tool: str, args: dict[str, Any]) -> str:
    args = dict(args)
    op = args.pop("op", "")
    return f"{tool} {op} {_pairs(args)}"


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{key}={_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s=]", text) or not text else text


def _one_line(text: str, width: int) -> str:
    text = safe(re.sub(r"\s*\n\s*", " ⏎ ", text.strip()))
    return text if len(text) <= width else text[: width - 3] + "..."


_DESCRIBE: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "shell": lambda tool, args: f"shell: {args.get('cmd')}",
    "exec_code": _code,
    "editor": _edits,
    "plan": _plan,
    "finish": _finish,
    "ask": lambda tool, args: f"ask: {args.get('question')}",
}
