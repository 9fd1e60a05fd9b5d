"""From one success to a skill: the values of a goal become slots, so that the calls fit a goal of the same shape.

learn("create notes.txt with the text hello", calls, seen)  ->  "create ⟦0⟧ with the text ⟦1⟧" and the calls with marks
bind(skill, "create todo.txt with the text bye")            ->  the calls for that goal, or None

Binding is strict: the words of the goal must be those of the shape, and each value must look like the one it replaces.
What is less certain is the decoder's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_agent.errors import InputError
from hybrid_agent.memory.records import Skill, SkillCall, Slot
from hybrid_agent.types import ToolCall

FIXED = ("op", "kind", "lang", "status", "summary", "type")  # args that choose, and name nothing
FREE_TEXT = ("text", "line", "content", "find", "value", "stdout")
RUNNABLE = ("cmd", "code", "pattern")
MAX_CALLS, MAX_SLOTS, MAX_VALUE = 60, 12, 400
PLAIN = ("", "txt", "md", "log", "text", "rst")  # kinds of file that are written alike

_MARK = re.compile(r"⟦(\d+)⟧")
_VALUE = re.compile(r"[\w./+@-]*[./_\d][\w./+@-]*\w|\w*\d\w*")
_TOKEN = re.compile(r"[A-Za-z0-9_]+")
_PATTERNS = {"path": r"\.?[\w+@-][\w./+@-]*[\w+@-]|\w", "word": r"\w[\w+-]*\w|\w", "number": r"\d+"}
_JOINS = re.compile(r"[;,\n⟦⟧]|\b(?:and|then|also|afterwards)\b|\. ", re.IGNORECASE)
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


def learn(goal: str, calls: Sequence[ToolCall], seen: Sequence[str] = ()) -> Skill:
    """The skill that these calls are, for goals of this goal's shape.

    Args:
        goal: as typed.
        calls: plan (set), each step's calls and its plan (done), finish.
        seen: what was visible before each call; short: nothing was.

    Raises:
        InputError: the calls are no such sequence, or hold nothing that could be done again.
    """
    steps, places = _ordered(goal, calls)
    values = _values(goal, calls)
    slots, shape = _cut(goal, values)
    kept: list[SkillCall] = []
    told = ""
    for number, (call, step) in enumerate(zip(calls, places, strict=True)):
        told += "\n" + (seen[number] if number < len(seen) else "")
        args = _marked(call.args, slots)
        planned = call.tool == "plan" and call.args.get("op") == "set"
        kept.append(
            SkillCall(tool=call.tool, args=args if planned or _certain(args, slots, goal, told) else None, step=step)
        )
    acts = [call for call in kept if call.tool not in ("plan", "finish")]
    if not acts or all(call.args is None for call in acts):
        raise InputError(
            "every call depends on what is seen, or nothing is done", field="calls", fix="keep a note instead"
        )
    marked = tuple(_substituted(step, slots) for step in steps)
    return Skill(intent=goal, shape=shape, slots=tuple(slots.values()), steps=marked, calls=tuple(kept))


def bind(skill: Skill, goal: str) -> Bound | None:
    """The calls of the skill for this goal, or None if it is not surely of that shape."""
    found = _pattern(skill).fullmatch(" ".join(goal.split()))
    if found is None:
        return None
    values = [found[f"s{number}"] for number in range(len(skill.slots))]
    if not all(_fits(slot, value) for slot, value in zip(skill.slots, values, strict=True)):
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


def identity(skill: Skill) -> str:
    """What makes two skills the same: shape and calls, whatever values they were learned with."""
    body = [skill.shape.casefold(), list(skill.steps), [call.model_dump() for call in skill.calls]]
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def mark(number: int) -> str:
    """What stands for slot `number`."""
    return f"⟦{number}⟧"


# --- learning


def _ordered(goal: str, calls: Sequence[ToolCall]) -> tuple[list[str], list[int]]:
    """The plan's steps, and to which of them each call belongs."""

    def wrong(what: str) -> InputError:
        return InputError(what, field="calls", fix="plan (set), each step's calls and its plan (done), then finish")

    if not 3 <= len(calls) <= MAX_CALLS:
        raise wrong(f"{len(calls)} calls")
    if "⟦" in goal or "⟧" in goal:
        raise InputError("the goal holds the mark of a slot", field="goal", fix="leave ⟦ and ⟧ out")
    first, last = calls[0], calls[-1]
    steps = first.args.get("steps")
    if first.tool != "plan" or first.args.get("op") != "set" or not isinstance(steps, list) or not steps:
        raise wrong("the first call is no plan")
    if last.tool != "finish" or last.args.get("status") != "done":
        raise wrong("the last call is no finish that says done")
    places, step = [-1], 0
    for call in calls[1:-1]:
        if call.tool in ("ask", "finish") or (call.tool == "plan" and call.args.get("op") != "done"):
            raise wrong(f"{call.tool} in the middle")
        places.append(step)
        step += call.tool == "plan"
    if step != len(steps):
        raise wrong(f"{step} of {len(steps)} steps are done")
    return [str(text) for text in steps], [*places, -1]


def _values(goal: str, calls: Sequence[ToolCall]) -> dict[str, str]:
    """Values of the calls that the goal names, with the kind of slot they would be."""
    found: dict[str, str] = {}
    named = [token.rstrip(".") for token in _VALUE.findall(goal)]
    for call in calls:
        if call.tool == "finish" or (call.tool == "plan" and call.args.get("op") == "set"):
            continue
        for key, leaf in _leaves(call.args):
            if isinstance(leaf, bool) or key in FIXED:
                continue
            text = str(leaf)
            if text.strip() and text != goal and len(text) <= MAX_VALUE and key not in RUNNABLE and _spot(goal, text):
                found[text] = "text" if key in FREE_TEXT and not text.isdigit() else _kind(text)
            for token in named:
                if _bounded(token).search(text):
                    found.setdefault(token, _kind(token))
    return found


def _kind(text: str) -> str:
    if text.isdigit():
        return "number"
    if re.search(r"\s", text):
        return "text"
    return "path" if _VALUE.fullmatch(text) else "word"


def _cut(goal: str, values: Mapping[str, str]) -> tuple[dict[str, Slot], str]:
    """Slots by the text that stood there, and the goal with their marks. Longer values go first."""
    slots: dict[str, Slot] = {}
    shape = goal
    for text in sorted(values, key=lambda each: (-len(each), each)):
        at = _spot(shape, text)
        if at is None or len(slots) >= MAX_SLOTS:
            continue
        marked = mark(len(slots))
        while at is not None:
            shape = shape[: at[0]] + marked + shape[at[1] :]
            at = _spot(shape, text)
        slots[text] = Slot(kind=values[text], example=text)  # type: ignore[arg-type]
    # Numbered as they come in the goal, so that the same skill learned with other values is the same.
    order = list(dict.fromkeys(int(number) for number in _MARK.findall(shape)))
    texts = list(slots)
    shape = _MARK.sub(lambda found: mark(order.index(int(found[1]))), shape)
    return {texts[number]: slots[texts[number]] for number in order}, shape


def _spot(goal: str, text: str) -> tuple[int, int] | None:
    """Where the goal names this value as a whole."""
    before = r"(?<![\w⟦])" + (r"(?<![./@-])" if _VALUE.fullmatch(text) else "")
    after = r"(?![\w⟧])" + (r"(?![/@-])(?!\.\w)" if _VALUE.fullmatch(text) else "")
    found = re.search(before + re.escape(text) + after, goal)
    return found.span() if found else None


def _bounded(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_⟦]){re.escape(text)}(?![A-Za-z0-9_⟧])")


def _substituted(text: str, slots: Mapping[str, Slot]) -> str:
    numbered = sorted(enumerate(slots), key=lambda each: -len(each[1]))
    for number, value in numbered:  # the longest first: a value may hold another
        text = _bounded(value).sub(lambda _, number=number: mark(number), text)  # type: ignore[misc]
    return text


def _marked(args: Mapping[str, Any], slots: Mapping[str, Slot]) -> dict[str, Any]:
    def swap(key: str, leaf: Any) -> Any:
        if key in FIXED or isinstance(leaf, bool) or leaf is None:
            return leaf
        if isinstance(leaf, str):
            return _substituted(leaf, slots)
        numbers = [number for number, text in enumerate(slots) if text == str(leaf)]
        return {"slot": numbers[0]} if numbers else leaf

    return dict(_mapped(args, swap))


def _certain(args: Mapping[str, Any], slots: Mapping[str, Slot], goal: str, seen: str) -> bool:
    """Nothing in these args comes from what was seen, or from a part of a slot's value."""
    parts = {part.casefold() for text in slots for part in _TOKEN.findall(text) if len(part) > 2}
    told, wanted = set(_TOKEN.findall(seen.casefold())), set(_TOKEN.findall(goal.casefold()))
    for key, leaf in _leaves(args):
        if key in FIXED or key == "slot" or isinstance(leaf, bool):
            continue
        for token in _TOKEN.findall(_MARK.sub(" ", str(leaf)).casefold()):
            if (len(token) > 2 or token.isdigit()) and (token in parts or (token in told and token not in wanted)):
                return False
    return True


# --- binding


def _pattern(skill: Skill) -> re.Pattern[str]:
    shape = " ".join(skill.shape.split())
    out, at, known = "", 0, set[int]()
    for found in _MARK.finditer(shape):
        number = int(found[1])
        out += re.escape(shape[at : found.start()])
        quote = shape[found.start() - 1 : found.start()]
        if number in known:
            out += f"(?P=s{number})"
        elif quote in ("'", '"', "`") and shape[found.end() : found.end() + 1] == quote:
            out += f"(?P<s{number}>[^{quote}]+)"
        else:
            out += f"(?P<s{number}>{_PATTERNS.get(skill.slots[number].kind, '.+?')})"
        known.add(number)
        at = found.end()
    ending = re.escape(shape[at:].rstrip(" .!"))
    return re.compile(out + ending + r"[.!]?", re.IGNORECASE)


def _fits(slot: Slot, value: str) -> bool:
    if not value.strip() or len(value) > MAX_VALUE or not value.isprintable() or "⟦" in value:
        return False
    if slot.kind == "path":
        return _suffix_family(slot.example) == _suffix_family(value) and ("/" in value) == ("/" in slot.example)
    if slot.kind == "word":
        return _kind(value) == "word" and not _JOINS.search(value)
    # An unquoted text ends where the next wish begins; where that is, is not for a pattern to say.
    return slot.kind == "number" or not _JOINS.search(value) or bool(_JOINS.search(slot.example))


def _suffix_family(path: str) -> str:
    name = path.rpartition("/")[2]
    stem, _, suffix = name.rpartition(".")
    suffix = suffix.lower() if stem else ""
    return "plain" if suffix in PLAIN else suffix


def _unsafe_in_commands(skill: Skill) -> set[int]:
    """Slots that go into commands, code or patterns: no character of theirs may mean anything there."""
    out: set[int] = set()
    for call in skill.calls:
        for key, leaf in _leaves(call.args or {}):
            if key in RUNNABLE:
                out.update(int(number) for number in _MARK.findall(str(leaf)))
    return out


def _filled(value: Any, values: Sequence[str]) -> Any:
    def swap(_: str, leaf: Any) -> Any:
        return _MARK.sub(lambda found: values[int(found[1])], leaf) if isinstance(leaf, str) else leaf

    if isinstance(value, Mapping) and set(value) == {"slot"}:
        return int(values[int(value["slot"])])
    if isinstance(value, Mapping):
        return {key: _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return swap("", value)


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(each, str(name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each, key)
    elif value is not None:
        yield key, value


def _mapped(value: Any, swap: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _mapped(each, swap, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(each, swap, key) for each in value]
    return swap(key, value)
