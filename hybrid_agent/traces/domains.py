"""Which part of the work a call belongs to: its domain (a head of the energy model) and its expert (an adapter)."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from hybrid_agent.traces.contexts import Domain
from hybrid_agent.types import ToolCall

Expert = Literal["generalist", "python", "shell", "editor", "config"]

DOMAINS: tuple[Domain, ...] = get_args(Domain)
EXPERTS: tuple[Expert, ...] = get_args(Expert)

CONFIG_SUFFIXES = (".json", ".yaml", ".yml", ".ini", ".toml", ".env", ".cfg", ".service")
CONFIG_NAMES = ("dockerfile", "containerfile", "makefile", "gnumakefile", "compose", "docker-compose")


def domain_of(call: ToolCall | str) -> Domain:
    """The domain of a call: `shell`; `code` (a program, or a `.py` file written or edited); else `editor`.

    Args:
        call: a call, or its JSON text. Text that is no call counts as `editor`.
    """
    tool, args = _parts(call)
    if tool == "shell":
        return "shell"
    if tool == "exec_code":
        return "code"
    writes = tool == "editor" or (tool == "fs" and args.get("op") in ("write", "append"))
    return "code" if writes and _path(args).suffix == ".py" else "editor"


def expert_of(call: ToolCall | str) -> Expert:
    """The expert whose work a call is; `generalist` for plans, questions, endings and text that is no call.

    Args:
        call: a call, or its JSON text.
    """
    tool, args = _parts(call)
    if tool == "shell":
        return "shell"
    if tool not in ("exec_code", "fs", "editor"):
        return "generalist"
    if domain_of(call) == "code":
        return "python"
    edits = args.get("edits")
    values = isinstance(edits, list) and any(isinstance(e, dict) and e.get("op") in ("set", "unset") for e in edits)
    return "config" if values or _is_config(_path(args)) else "editor"


def _parts(call: ToolCall | str) -> tuple[str, dict[str, Any]]:
    if isinstance(call, ToolCall):
        return call.tool, call.args
    try:
        value = json.loads(call)
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(value, dict):
        return "", {}
    tool, args = value.get("tool"), value.get("args")
    return tool if isinstance(tool, str) else "", args if isinstance(args, dict) else {}


def _path(args: dict[str, Any]) -> PurePosixPath:
    path = args.get("path")
    return PurePosixPath(path if isinstance(path, str) else "")


def _is_config(path: PurePosixPath) -> bool:
    name = path.name.lower()
    return name.endswith(CONFIG_SUFFIXES) or name.split(".")[0] in CONFIG_NAMES
