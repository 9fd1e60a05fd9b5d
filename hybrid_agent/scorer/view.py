"""What a window says, prepared once for all its candidates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hybrid_agent.constrain.quotes import quoted
from hybrid_agent.constrain.slips import Slips
from hybrid_agent.constrain.spans import runs_of, step_text
from hybrid_agent.types import Window

CUT = " ... "  # where an observation lost its middle (agent.window)
LOOKS = ("list", "read", "stat", "find")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NAME_LIKE = re.compile(r"[\w.+/-]*(?:\w\.\w|[\d_/])[\w.+/-]*")
_WORD = re.compile(r"[\w.+/-]+")


@dataclass(frozen=True)
class View:
    """Attributes:
    clause: the sentence that the next call works on.
    phase: of the window.
    named: quoted strings and name-like words of the clause (what the call is expected to use).
    ordinary: unquoted purely alphabetic words of the clause that name nothing in the workspace.
    words: [A-Za-z0-9_]+ runs of the clause.
    visible: such runs of all that the window shows.
    numbers: numbers in all that the window shows.
    listed: paths of the workspace as the step began, without a closing slash.
    paths: those and what was written or made since.
    parts: the names that those paths are made of.
    contents: text of files that was read or written whole in this step.
    calls: calls of this step, as text.
    failed: those of them that ended in an error or were denied.
    changed: a call of this step may have changed something.
    last_ok: the last call of this step worked; None if there was none.
    slips: finds what no grammar can forbid.
    """

    clause: str
    phase: str
    named: tuple[str, ...]
    ordinary: frozenset[str]
    words: tuple[str, ...]
    visible: frozenset[str]
    numbers: frozenset[str]
    listed: frozenset[str]
    paths: frozenset[str]
    parts: frozenset[str]
    contents: dict[str, str]
    calls: tuple[str, ...]
    failed: frozenset[str]
    changed: bool
    last_ok: bool | None
    slips: Slips


def view_of(window: Window) -> View:
    """Prepare a window."""
    clause = step_text(window)
    shown = [clause, window.goal, *window.files, *window.notes]
    listed = frozenset(f.rstrip("/") for f in window.files)
    paths = set(listed)
    paths |= {word for note in window.notes for word in note.split() if "/" in word or "." in word}
    contents: dict[str, str] = {}
    changed, last_ok = False, None
    failed = set()
    for exchange in window.exchanges:
        last_ok = exchange.obs.startswith("ok")
        shown += [exchange.call, exchange.obs]
        if not last_ok:
            failed.add(exchange.call)
            continue
        tool, args = parse_call(exchange.call)
        looks = tool == "fs" and args.get("op") in LOOKS
        changed |= not looks and tool not in ("plan", "ask", "finish", "")
        _note(tool, args, exchange.obs, paths, contents)
    parts = frozenset(part for path in paths for part in path.split("/"))
    quotes = quoted(clause)
    bare = _without(clause, [(start, end) for start, end, _ in quotes])
    loose = _WORD.findall(bare)
    named = [text for _, _, text in quotes]
    named += [w.strip(".-+") for w in loose if _NAME_LIKE.fullmatch(w.strip(".-+")) or w in parts]
    kept = {part for text in named for part in text.split("/")}
    ordinary = frozenset(w for w in loose if w.isalpha() and w not in parts and w not in kept)
    return View(
        clause=clause,
        phase=window.phase,
        named=tuple(dict.fromkeys(n for n in named if n)),
        ordinary=ordinary,
        words=tuple(w.lower() for w in runs_of(clause)),
        visible=frozenset(run for text in shown for run in runs_of(text)),
        numbers=frozenset(number for text in shown for number in _NUMBER.findall(text)),
        listed=listed,
        paths=frozenset(paths),
        parts=parts,
        contents=contents,
        calls=tuple(e.call for e in window.exchanges),
        failed=frozenset(failed),
        changed=changed,
        last_ok=last_ok,
        slips=Slips(window),
    )


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """(tool, args) of a call's JSON; ("", {}) for text that is no call."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(value, dict):
        return "", {}
    tool, args = value.get("tool"), value.get("args")
    return (tool, args) if isinstance(tool, str) and isinstance(args, dict) else ("", {})


def numbers_in(text: str) -> list[str]:
    """The numbers written in a text."""
    return _NUMBER.findall(text)


def _note(tool: str, args: dict[str, Any], obs: str, paths: set[str], contents: dict[str, str]) -> None:
    """What a call that worked tells about the workspace."""
    op, path = args.get("op"), args.get("path")
    if tool not in ("fs", "editor") or not isinstance(path, str):
        return
    to = args.get("to")
    if tool == "editor":
        before = contents.get(path)
        after = edited(before, args.get("edits")) if before is not None else None
        contents.pop(path, None)
        if after is not None:
            contents[path] = after
    elif op == "read":
        text = obs.partition("\n")[2]
        if CUT not in text:
            contents[path] = text + "\n"
    elif op == "write":
        contents[path] = str(args.get("text", ""))
    elif op == "find":
        paths.update(line.rstrip("/") for line in obs.split("\n")[1:] if line)
    if op in ("remove", "move"):
        paths.discard(path)
    elif op in ("write", "append", "mkdir", "link", "read"):
        paths.add(path)
    if op in ("move", "copy") and isinstance(to, str):
        paths.add(f"{to}/{path.rpartition('/')[2]}" if to in paths else to)


def edited(text: str, edits: Any) -> str | None:
    """The text after edits by find, place or end; None where that cannot be said."""
    if not isinstance(edits, list):
        return None
    for edit in edits:
        if not isinstance(edit, dict):
            return None
        op, new, find = edit.get("op"), str(edit.get("text", "")), str(edit.get("find", ""))
        if op in ("replace", "replace_all") and find and find in text:
            text = text.replace(find, new)
        elif op == "append":
            text = _closed(text) + _closed(new)
        elif op == "prepend":
            text = _closed(new) + text
        elif op == "insert":
            lines, after = text.split("\n"), str(edit.get("after", ""))
            at = next((i for i, line in enumerate(lines) if after and after in line), None)
            if at is None:
                return None
            text = "\n".join([*lines[: at + 1], new.rstrip("\n"), *lines[at + 1 :]])
        elif op == "delete" and find:
            text = "\n".join(line for line in text.split("\n") if find not in line)
        else:
            return None
    return text


def _closed(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with some stretches blanked."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
