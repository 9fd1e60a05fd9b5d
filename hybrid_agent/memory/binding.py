"""A skill for another goal of its shape: bind(skill, "create todo.txt with the text bye") -> the calls, or None.

Binding is strict: the words of the goal must be those of the shape, and each value must look like the one it replaces.
What is less certain is the decoder's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_agent.memory.records import Skill, Slot
from hybrid_agent.memory.shape import MARK, MAX_VALUE, RUNNABLE, kind_of_value
from hybrid_agent.types import ToolCall
from hybrid_agent.types.leaves import leaves

PLAIN = ("", "txt", "md", "log", "text", "rst")  # kinds of file that are written alike

_PATTERNS = {"path": r"\.?[\w+@-][\w./+@-]*[\w+@-]|\w", "word": r"\w[\w+-]*\w|\w", "number": r"\d+"}
_JOINS = re.compile(r"[;,\n⟦⟧]|\b(?:and|then|also|afterwards)\b|\. ", re.IGNORECASE)
_QUOTED = re.compile(r"(['\"`])⟦(\d+)⟧\1")
_SAFE = re.compile(r"(?!-)[\w./+@%=:-]+")


@dataclass(frozen=True)
class Bound:
    """A skill's calls for one goal: the plan, each step's calls (None: the decoder's), and the ending."""

    goal: str
    steps: tuple[str, ...]
    plan: ToolCall
    calls: tuple[tuple[ToolCall | None, ...], ...]
    finish: ToolCall

    @property
    def whole(self) -> bool:
        """True if nothing is left to the decoder."""
        return all(call is not None for step in self.calls for call in step)

    def script(self) -> list[ToolCall]:
        """All calls in order, without those that are left to the decoder."""
        return [self.plan, *(call for step in self.calls for call in step if call is not None), self.finish]


def bind(skill: Skill, goal: str) -> Bound | None:
    """The calls of the skill for this goal, or None if it is not surely of that shape."""
    found = _pattern(skill).fullmatch(" ".join(goal.split()))
    if found is None:
        return None
    values = [found[f"s{number}"] for number in range(len(skill.slots))]
    quoted = {int(found[2]) for found in _QUOTED.finditer(skill.shape)}
    if not all(_fits(slot, values[number], number in quoted) for number, slot in enumerate(skill.slots)):
        return None
    bare = _unsafe_in_commands(skill)
    if any(not _SAFE.fullmatch(values[number]) for number in bare):
        return None
    groups: list[list[ToolCall | None]] = [[] for _ in skill.steps]
    for call in skill.calls:
        if call.step >= 0 and call.tool != "finish":
            groups[call.step].append(
                None if call.args is None else ToolCall(tool=call.tool, args=_filled(call.args, values))
            )
    steps = tuple(str(_filled(step, values)) for step in skill.steps)
    return Bound(
        goal=goal,
        steps=steps,
        plan=ToolCall(tool="plan", args={"op": "set", "steps": list(steps)}),
        calls=tuple(tuple(group) for group in groups),
        finish=next(ToolCall(tool="finish", args=call.args or {}) for call in skill.calls if call.tool == "finish"),
    )


def _pattern(skill: Skill) -> re.Pattern[str]:
    shape = " ".join(skill.shape.split())
    out, at, known = "", 0, set[int]()
    for found in MARK.finditer(shape):
        number = int(found[1])
        out += re.escape(shape[at : found.start()])
        quoted = _QUOTED.match(shape, max(found.start() - 1, 0))
        if number in known:
            out += f"(?P=s{number})"
        elif quoted:
            out += f"(?P<s{number}>[^{quoted[1]}]+)"
        else:
            out += f"(?P<s{number}>{_PATTERNS.get(skill.slots[number].kind, '.+?')})"
        known.add(number)
        at = found.end()
    ending = re.escape(shape[at:].rstrip(" .!"))
    return re.compile(out + ending + r"[.!]?", re.IGNORECASE)


def _fits(slot: Slot, value: str, quoted: bool) -> bool:
    if not value.strip() or len(value) > MAX_VALUE or not value.isprintable() or "⟦" in value:
        return False
    if slot.kind == "path":
        return _suffix_family(slot.example) == _suffix_family(value) and ("/" in value) == ("/" in slot.example)
    if slot.kind == "word":
        return kind_of_value(value) == "word" and not _JOINS.search(value)
    # An unquoted text ends where the next wish begins; where that is, is not for a pattern to say.
    return slot.kind == "number" or quoted or not _JOINS.search(value) or bool(_JOINS.search(slot.example))


def _suffix_family(path: str) -> str:
    name = path.rpartition("/")[2]
    stem, _, suffix = name.rpartition(".")
    suffix = suffix.lower() if stem else ""
    return "plain" if suffix in PLAIN else suffix


def _unsafe_in_commands(skill: Skill) -> set[int]:
    """Slots that go into commands, code or patterns: no character of theirs may mean anything there."""
    out: set[int] = set()
    for call in skill.calls:
        for key, leaf in leaves(call.args or {}):
            if key in RUNNABLE:
                out.update(int(number) for number in MARK.findall(str(leaf)))
    return out


def _filled(value: Any, values: Sequence[str]) -> Any:
    def swap(_: str, leaf: Any) -> Any:
        return MARK.sub(lambda found: values[int(found[1])], leaf) if isinstance(leaf, str) else leaf

    if isinstance(value, Mapping) and set(value) == {"slot"}:
        return int(values[int(value["slot"])])
    if isinstance(value, Mapping):
        return {key: _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return swap("", value)
