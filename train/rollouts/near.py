"""Calls that are nearly the gold call: another path or name of the window, another operation, swapped fields."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hybrid_agent.agent.window import call_text
from hybrid_agent.constrain import find_spans
from hybrid_agent.types import ToolCall, Window
from train.rollouts import shell_mutants
from train.rollouts.code_mutants import code_mutants
from train.rollouts.plans import check_mutants, plan_mutants

_FS_OTHER: dict[str, tuple[str, ...]] = {
    "list": ("read", "stat"), "read": ("list", "stat"), "stat": ("read",), "copy": ("move",), "move": ("copy",),
    "link": ("copy",), "write": ("append",), "append": ("write",), "mkdir": ("read",), "remove": ("read",),
    "find": ("read",),
}  # fmt: skip
_FIELDS = {
    "write": ("text",),
    "append": ("text",),
    "copy": ("to",),
    "move": ("to",),
    "link": ("to",),
    "chmod": ("mode",),
}
_MODES = ("600", "644", "755", "700", "444", "666")
_THERE = 24
_PATHLIKE = re.compile(r"\w[./_-]\w|\d")


@functools.lru_cache(maxsize=16)
def names_of(window: Window) -> tuple[str, ...]:
    """Names that a wrong call might use: mostly paths that exist or are spoken of, and a few other words."""
    spans = find_spans(window)
    there = [path.rstrip("/") for path in window.files]
    spoken = [word for word in spans.names if _PATHLIKE.search(word)]
    joined = [path for path in spans.paths if "/" in path and path.rstrip("/") not in there]
    words = [word for word in spans.names if word not in spoken and len(word) > 3]
    return tuple(dict.fromkeys([*spoken, *there[:_THERE], *joined[:3], *words[:3]])) or ("data",)


def near_misses(call: ToolCall, window: Window, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Variants of an acting call (JSON text) with what was changed, in random order."""
    names = names_of(window)
    args = call.args
    found: list[tuple[dict[str, Any], str]] = []
    if call.tool == "shell":
        found += [({"cmd": cmd}, how) for cmd, how in shell_mutants.mutants(args["cmd"], names, rng)]
    elif call.tool == "fs":
        found += list(_fs(args, names, rng))
    elif call.tool == "editor":
        found += list(_editor(args, names, rng))
    if call.tool != "shell":
        rng.shuffle(found)
    yield from ((call_text(ToolCall(tool=call.tool, args=a)), how) for a, how in found if a != args)


def code_changes(call: ToolCall, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Variants of a call that carries Python code, with mistakes in that code."""
    args = call.args
    if call.tool == "exec_code" and args["lang"] == "python":
        for code, how in code_mutants(args["code"], rng):
            yield call_text(ToolCall(tool=call.tool, args={**args, "code": code})), how
    elif str(args.get("path", "")).endswith(".py"):
        if call.tool == "fs" and args["op"] in ("write", "append"):
            for code, how in code_mutants(args["text"], rng):
                yield call_text(ToolCall(tool=call.tool, args={**args, "text": code})), how
        elif call.tool == "editor":
            for at, edit in enumerate(args["edits"]):
                for code, how in code_mutants(edit.get("text", ""), rng):
                    edits = [*args["edits"][:at], {**edit, "text": code}, *args["edits"][at + 1 :]]
                    yield call_text(ToolCall(tool=call.tool, args={**args, "edits": edits})), how


def plan_changes(call: ToolCall, window: Window, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Variants of `plan set` and `plan done`."""
    if call.args["op"] == "set":
        for steps, how in plan_mutants(call.args["steps"], rng):
            yield call_text(ToolCall(tool="plan", args={"op": "set", "steps": steps})), how
    else:
        for check, how in check_mutants(call.args["check"], window.files, names_of(window), rng):
            yield call_text(ToolCall(tool="plan", args={"op": "done", "check": check})), how


def flaky_call(call: ToolCall, rng: random.Random) -> str | None:
    """A call that does the right thing only now and then; None for calls that run no program."""
    chance = rng.choice(("[ $((RANDOM % 2)) = 0 ] && ", "test $(shuf -n 1 -e a b) = a && "))
    if call.tool == "shell":
        return call_text(ToolCall(tool="shell", args={"cmd": chance + call.args["cmd"]}))
    if call.tool == "fs" and call.args["op"] == "write" and str(call.args["path"]).endswith(".py"):
        text = call.args["text"]
        at = text.find("    return ")
        if at >= 0:
            other = "    import random\n    if random.random() < 0.5:\n        return None\n"
            return call_text(ToolCall(tool="fs", args={**call.args, "text": text[:at] + other + text[at:]}))
    return None


def _fs(args: dict[str, Any], names: Sequence[str], rng: random.Random) -> Iterator[tuple[dict[str, Any], str]]:
    op = args["op"]
    for other in rng.sample(list(names), min(3, len(names))):
        if "path" in args:
            yield {**args, "path": other}, "another path of the window"
        if "to" in args:
            yield {**args, "to": other}, "another target of the window"
        if "name" in args:
            yield {**args, "name": other}, "another name of the window"
    if "to" in args and "path" in args:
        yield {**args, "path": args["to"], "to": args["path"]}, "source and target swapped"
        yield {**args, "to": args["path"]}, "the same path twice"
    for kind in _FS_OTHER.get(op, ()):
        kept = {key: args[key] for key in ("path", *_FIELDS.get(kind, ())) if key in args}
        if kind != op and all(field in kept for field in ("path", *_FIELDS.get(kind, ()))):
            yield {"op": kind, **kept}, "another operation"
    if op == "chmod":
        yield {**args, "mode": rng.choice(_MODES)}, "another mode"
    if "text" in args:
        yield from (({**args, "text": text}, how) for text, how in _texts(args["text"], names, rng))
    base = str(args.get("path", "")).rpartition("/")
    if base[1]:
        yield {**args, "path": base[2]}, "folder of the path lost"


def _editor(args: dict[str, Any], names: Sequence[str], rng: random.Random) -> Iterator[tuple[dict[str, Any], str]]:
    for other in rng.sample(list(names), min(2, len(names))):
        yield {**args, "path": other}, "another path of the window"
    edits = list(args["edits"])
    for at, edit in enumerate(edits):
        for changed, how in _edit(edit, names, rng):
            yield {**args, "edits": [*edits[:at], changed, *edits[at + 1 :]]}, how
    if len(edits) > 1:
        yield {**args, "edits": edits[:-1]}, "an edit dropped"
        yield {**args, "edits": edits[::-1]}, "edits reordered"
    yield {**args, "edits": [*edits, edits[-1]]}, "the same edit twice"


def _edit(edit: dict[str, Any], names: Sequence[str], rng: random.Random) -> Iterator[tuple[dict[str, Any], str]]:
    op = edit["op"]
    for field in ("key", "value", "find", "after", "text"):
        value = edit.get(field)
        if isinstance(value, str):
            for other in rng.sample(list(names), min(2, len(names))):
                yield {**edit, field: other}, f"another {field} of the window"
    for field in ("text", "value"):
        if field in edit:
            yield from (({**edit, field: text}, how) for text, how in _texts(edit[field], names, rng))
    if "find" in edit and "text" in edit:
        yield {**edit, "find": edit["text"] or edit["find"], "text": edit["find"]}, "old and new swapped"
        yield {"op": "replace" if op == "replace_all" else "replace_all", **_only(edit, "find", "text")}, "scope"
        yield {"op": "delete", "find": edit["find"]}, "deletes instead of replacing"
    if op in ("append", "prepend"):
        yield {"op": "prepend" if op == "append" else "append", "text": edit["text"]}, "the other end"
    if op == "insert":
        yield {"op": "append", "text": edit["text"]}, "at the end instead"
        yield {"op": "replace", "find": edit["after"], "text": edit["text"]}, "in place of the line"
    if op == "set":
        yield {"op": "unset", "key": edit["key"]}, "removes the value"
        yield {"op": "append", "text": f"{edit['key']}={edit['value']}"}, "as a line of text"
        if "." in edit["key"]:
            yield {**edit, "key": edit["key"].rpartition(".")[2]}, "section of the key lost"
    if op == "unset":
        yield {"op": "delete", "find": edit["key"]}, "as a line of text"
        yield {"op": "set", "key": edit["key"], "value": ""}, "empties the value"
    if op == "delete":
        yield {"op": "replace", "find": edit["find"], "text": ""}, "the words but not the line"


def _texts(text: str, names: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    words = text.split(" ")
    if len(words) > 1:
        gone = rng.randrange(len(words))
        yield " ".join([*words[:gone], *words[gone + 1 :]]), "a word lost"
        if words[0] != words[1]:
            yield " ".join([words[1], words[0], *words[2:]]), "words swapped"
    if text.upper() != text:
        yield text.upper(), "another case"
    if text.count("\n") > 1:
        lines = text.split("\n")
        gone = rng.randrange(len(lines) - 1)
        yield "\n".join([*lines[:gone], *lines[gone + 1 :]]), "a line lost"
    if words and names:
        yield " ".join([*words[:-1], rng.choice(list(names))]), "another word"


def _only(edit: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {field: edit[field] for field in fields}
