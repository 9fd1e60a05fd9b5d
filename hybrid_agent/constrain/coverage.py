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
_VALUE = re.compile(r'"(?:path|to|name|key|value|find|text|after|before)":"(\w+)"')
_FILLERS = frozenset(
    "a an the this that these those it its to of in on at by for from with without as is are be was were been not no "
    "and or but so if then than into onto under over after before both any all each there here what which who where "
    "when how do does must should would could can will may".split()
)
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
    """Does a call take an ordinary word for a file to work on, or for a folder, that the workspace does not have?"""
    try:
        value = json.loads(call)
        tool, args = value["tool"], value["args"]
        path, target = str(args["path"]).rstrip("/"), str(args.get("to", ""))
    except (ValueError, KeyError, TypeError):
        return False
    if tool not in ("editor", "fs"):
        return False
    known = {part for name in (*window.files, *named_in(window)) for part in name.split("/")}
    known |= {run for exchange in window.exchanges for run in runs_of(exchange.call)}
    words = [folder for name in (path, target) for folder in name.split("/")[:-1]]
    if tool == "editor" or args.get("op") in _SOURCES:
        words.append(path)
    return any(word.isalpha() and word not in known for word in words)


def filler(call: str, window: Window) -> bool:
    """Is a value of the call a function word that the step does not quote ("set the key to a different value")?"""
    quoted_words = {text for _, _, text in quoted(step_text(window))}
    return any(value.lower() in _FILLERS and value not in quoted_words for value in _VALUE.findall(call))
