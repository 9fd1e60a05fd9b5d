"""What a step names and its calls leave out (the file in quotes, the port), and words they take for files.

A decoder that forgets part of its source is told so by a penalty on what is left uncovered (coverage penalty, Wu et al.
2016, "Google's neural machine translation system", section 7, here for named things in place of all words).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from hybrid_agent.constrain.quotes import quoted
from hybrid_agent.constrain.spans import runs_of, step_text
from hybrid_agent.types import Window

_NAME_LIKE = re.compile(r"\w[./]\w|\d|_")
_SOURCES = ("copy", "move", "remove", "read", "chmod", "stat")
_OPENING, _CLOSING = "\"'`([{<", "\"'`)]}>,;:!?."


def named_in(window: Window) -> tuple[str, ...]:
    """What the step surely names: quoted strings, words that look like names, and what lies in the workspace."""
    step = step_text(window)
    texts = [text for _, _, text in quoted(step)]
    bare = step
    for text in sorted(texts, key=len, reverse=True):
        bare = bare.replace(text, " ")
    known = {path.rstrip("/") for path in window.files}
    words = [word.lstrip(_OPENING).rstrip(_CLOSING) for word in bare.split()]
    names = [*texts, *(word for word in words if _NAME_LIKE.search(word) or word in known)]
    return tuple(dict.fromkeys(name for name in names if len(name) > 1))


def left_out(names: Sequence[str], calls: Sequence[str]) -> int:
    """How many of the names none of the calls (JSON texts) mentions, as a whole or in parts ("KEY=value")."""
    said = "\n".join(calls)
    runs = set(runs_of(said))
    return sum(name.rstrip("/") not in said and not set(runs_of(name)) <= runs for name in names)


def no_file(call: str, window: Window) -> bool:
    """Does an edit, a copy, a move or the like work on an ordinary word that no file in the workspace is called?"""
    try:
        value = json.loads(call)
        tool, args = value["tool"], value["args"]
        path = str(args["path"]).rstrip("/")
    except (ValueError, KeyError, TypeError):
        return False
    if tool != "editor" and not (tool == "fs" and args.get("op") in _SOURCES):
        return False
    known = {part for name in (*window.files, *(e.call for e in window.exchanges)) for part in runs_of(name)}
    return path.isalpha() and path not in known
