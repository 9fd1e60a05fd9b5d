"""From one success to a skill: the values that the goal names become slots.

learn("create notes.txt with the text hello", calls, seen)  ->  "create ⟦0⟧ with the text ⟦1⟧" and the calls with marks
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hybrid_agent.errors import InputError
from hybrid_agent.memory.records import Skill, SkillCall, Slot
from hybrid_agent.memory.shape import (
    FIXED,
    FREE_TEXT,
    MARK,
    MAX_VALUE,
    RUNNABLE,
    VALUE,
    kind_of_value,
    mark,
)
from hybrid_agent.types import ToolCall
from hybrid_agent.types.leaves import leaves, mapped

MAX_CALLS, MAX_SLOTS = 60, 12

_TOKEN = re.compile(r"[A-Za-z0-9_]+")


def learn(goal: str, calls: Sequence[ToolCall], seen: Sequence[str] = (), *, exact: bool = False) -> Skill:
    """The skill that these calls are, for goals of this goal's shape.

    Args:
        goal: as typed.
        calls: plan (set), each step's calls and its plan (done), finish.
        seen: what was visible before each call; short: nothing was.
        exact: no slots: for this goal only.

    Raises:
        InputError: the calls are no such sequence, or hold nothing that could be done again.
    """
    steps, places = _ordered(goal, calls)
    values = {} if exact else _values(goal, calls)
    slots, shape = _cut(goal, values)
    _agreeing(goal, calls, shape)
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


def _agreeing(goal: str, calls: Sequence[ToolCall], shape: str) -> None:
    """Checks of the agent's own making can pass on the wrong work: what does not use all that was named is no skill."""
    written = "\n".join(str(leaf) for call in calls[1:-1] for _, leaf in leaves(call.args))
    named = [token.rstrip(".") for token in VALUE.findall(goal)]
    unused = [token for token in named if token not in written]
    if unused:
        raise InputError(f"the calls do not use {unused[0]!r}", field="calls", fix="look at what the run did")
    if shape.startswith("⟦") and kind_of_value(goal.split()[0]) == "word":
        raise InputError(
            f"the calls take {goal.split()[0]!r} for a name", field="calls", fix="look at what the run did"
        )


def _values(goal: str, calls: Sequence[ToolCall]) -> dict[str, str]:
    """Values of the calls that the goal names, with the kind of slot they would be."""
    found: dict[str, str] = {}
    named = [token.rstrip(".") for token in VALUE.findall(goal)]
    for call in calls:
        if call.tool == "finish" or (call.tool == "plan" and call.args.get("op") == "set"):
            continue
        for key, leaf in leaves(call.args):
            if isinstance(leaf, bool) or key in FIXED:
                continue
            text = str(leaf)
            if text.strip() and text != goal and len(text) <= MAX_VALUE and key not in RUNNABLE and _spot(goal, text):
                found[text] = "text" if key in FREE_TEXT and not text.isdigit() else kind_of_value(text)
            for token in named:
                if _bounded(token).search(text):
                    found.setdefault(token, kind_of_value(token))
    return found


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
    order = list(dict.fromkeys(int(number) for number in MARK.findall(shape)))
    texts = list(slots)
    shape = MARK.sub(lambda found: mark(order.index(int(found[1]))), shape)
    return {texts[number]: slots[texts[number]] for number in order}, shape


def _spot(goal: str, text: str) -> tuple[int, int] | None:
    """Where the goal names this value as a whole."""
    before = r"(?<![\w⟦])" + (r"(?<![./@-])" if VALUE.fullmatch(text) else "")
    after = r"(?![\w⟧])" + (r"(?![/@-])(?!\.\w)" if VALUE.fullmatch(text) else "")
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

    return dict(mapped(args, swap))


def _certain(args: Mapping[str, Any], slots: Mapping[str, Slot], goal: str, seen: str) -> bool:
    """Nothing in these args comes from what was seen, or from a part of a slot's value."""
    parts = {part.casefold() for text in slots for part in _TOKEN.findall(text) if len(part) > 2}
    told, wanted = set(_TOKEN.findall(seen.casefold())), set(_TOKEN.findall(goal.casefold()))
    for key, leaf in leaves(args):
        if key in FIXED or key == "slot" or isinstance(leaf, bool):
            continue
        for token in _TOKEN.findall(MARK.sub(" ", str(leaf)).casefold()):
            if (len(token) > 2 or token.isdigit()) and (token in parts or (token in told and token not in wanted)):
                return False
    return True
