"""Slips of a call or plan that no grammar can forbid, and what they weigh.

Something named twice, a file worked on that is not there, something the step names and its calls leave out (the file in
quotes, the port), a word taken for a file, a function word taken for a value, a step of a plan that is two. A decoder
that forgets part of its source is told so by a penalty on what is left uncovered (coverage penalty, Wu et al. 2016,
"Google's neural machine translation system", section 7, here for named things in place of all words).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from functools import cached_property

from hybrid_agent.constrain.clauses import joined
from hybrid_agent.constrain.quotes import NAME_LIKE, quoted
from hybrid_agent.constrain.repeats import repeated
from hybrid_agent.constrain.spans import runs_of, step_text
from hybrid_agent.types import Window
from hybrid_agent.types.window import LISTED, LISTED_DEPTH

# Nats a slip. `twice` is as good as never; `joined` was tuned on training wordings with other names and on validation
# ones, `left_out` on validation wordings.
WEIGHTS = {"twice": 12.0, "absent": 12.0, "left_out": 4.0, "no_file": 4.0, "filler": 4.0, "joined": 1.75}
_ACTS = ('{"tool":"shell"', '{"tool":"fs"', '{"tool":"editor"')
_NAME = re.compile(NAME_LIKE)
_VALUE = re.compile(r'"(?:path|to|name|key|value|find|text|after|before)":"(\w+)"')
_FILLERS = frozenset(
    "a an the this that these those it its to of in on at by for from with without as is are be was were been not no "
    "and or but so if then than into onto under over after before both any all each there here what which who where "
    "when how do does must should would could can will may".split()
)
_SOURCES = ("copy", "move", "remove", "read", "chmod", "stat")
_OPENING, _CLOSING = "\"'`([{<", "\"'`)]}>,;:!?."


class Slips:
    """The slips of texts that answer one window; what the window itself says is worked out once."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def cost(self, text: str) -> float:
        """What the slips of a call (JSON text) weigh, in nats."""
        return sum(WEIGHTS[kind] * count for kind, count in self.found(text).items())

    def found(self, text: str) -> dict[str, int]:
        """How many slips of each kind a call has; kinds it has none of are left out."""
        counts = {"twice": int(repeated(text) is not None), "no_file": int(self.no_file(text))}
        counts["absent"] = int(not counts["no_file"] and self.absent(text))
        if self.window.phase == "step" and text.startswith(_ACTS):
            counts["left_out"] = self.left_out(text)
        if self.window.phase == "plan":
            counts["joined"] = sum(joined(step) for step in _steps(text))
        else:
            counts["filler"] = int(self.filler(text))
        return {kind: count for kind, count in counts.items() if count}

    def left_out(self, call: str) -> int:
        """How many of the names neither the call nor one before it mentions."""
        return len(self.unmentioned((self._past, call)))

    def unmentioned(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The names that none of these texts mentions, as a whole or in parts ("KEY=value")."""
        runs = {run for text in texts for run in runs_of(text)}
        return tuple(
            name
            for name in self.named
            if not any(name.rstrip("/") in text for text in texts) and not set(runs_of(name)) <= runs
        )

    def no_file(self, call: str) -> bool:
        """Is an ordinary word taken for a file to work on, or for a folder, that the workspace does not have?"""
        found = _places(call)
        if found is None:
            return False
        path, target, works = found
        words = [folder for name in (path, target) for folder in name.split("/")[:-1]]
        if works:
            words.append(path)
        return any(word.isalpha() and word not in self._known for word in words)

    def absent(self, call: str) -> bool:
        """Is something worked on that the workspace, as far as it is listed, does not have, nor any folder in it, and
        that no call has named?"""
        found = _places(call)
        if found is None or not found[2] or len(self.window.files) >= LISTED:
            return False
        path = posixpath.normpath(found[0])
        if path.count("/") >= LISTED_DEPTH or path.startswith((".", "/")) or path in self._past:
            return False
        return not any(there == path or there.endswith("/" + posixpath.basename(path)) for there in self._there)

    def filler(self, call: str) -> bool:
        """Is a value of the call a function word that the step does not quote ("set the key to a different value")?"""
        return any(value.lower() in _FILLERS and value not in self._quoted for value in _VALUE.findall(call))

    @cached_property
    def named(self) -> tuple[str, ...]:
        """What the step surely names: quoted strings, words that look like names, and what lies in the workspace."""
        bare = self._step
        for text in sorted(self._quoted, key=len, reverse=True):
            bare = bare.replace(text, " ")
        words = [word.lstrip(_OPENING).rstrip(_CLOSING) for word in bare.split()]
        names = [*self._quoted, *(word for word in words if _NAME.search(word) or word in self._there)]
        return tuple(dict.fromkeys(name for name in names if len(name) > 1))

    @cached_property
    def _there(self) -> set[str]:
        """Files and folders of the workspace."""
        return {path.rstrip("/") for path in self.window.files}

    @cached_property
    def _step(self) -> str:
        return step_text(self.window)

    @cached_property
    def _quoted(self) -> list[str]:
        """The quoted parts of the step, in order."""
        return [text for _, _, text in quoted(self._step)]

    @cached_property
    def _past(self) -> str:
        """The calls of this step so far."""
        return "\n".join(exchange.call for exchange in self.window.exchanges)

    @cached_property
    def _past_runs(self) -> set[str]:
        return set(runs_of(self._past))

    @cached_property
    def _known(self) -> set[str]:
        """Parts of the names of files, of what the step names, and of the calls so far."""
        return {part for name in (*self.window.files, *self.named) for part in name.split("/")} | self._past_runs


def _places(call: str) -> tuple[str, str, bool] | None:
    """(path, target, whether the path must be there) of a call of the tools for files."""
    try:
        value = json.loads(call)
        tool, args = value["tool"], value["args"]
        path, target = str(args["path"]).rstrip("/"), str(args.get("to", ""))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if tool not in ("editor", "fs"):
        return None
    return path, target, tool == "editor" or args.get("op") in _SOURCES


def _steps(text: str) -> list[str]:
    """The steps of a plan; none for any other call, or one that was cut off."""
    try:
        steps = json.loads(text)["args"]["steps"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [step for step in steps if isinstance(step, str)] if isinstance(steps, list) else []
