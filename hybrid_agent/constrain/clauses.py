"""The parts of a goal that may be one step: exact substrings between places where people join clauses."""

from __future__ import annotations

import re
from bisect import bisect_right

from hybrid_agent.constrain.quotes import NAME_LIKE, quoted

MAX_CLAUSES = 64
MAX_CUTS = 40
MAX_PLANS = 512
MAX_WEAK = 9  # weak separators looked at; each doubles the ways to split
_AFTER = "(?:after that|afterwards|then|next|finally|lastly|subsequently)"
# Strong cuts nearly always end a step, weak ones may.
_STRONG = re.compile(
    rf"[.!?](?=\s)|\n+|;|,?\s+(?:and\s+)?{_AFTER}\b,?(?=\s)|^(?:\d{{1,2}}\.|[-*•])(?=\s)|(?:^|(?<=\s))\d{{1,2}}\)(?=\s)",
    re.IGNORECASE | re.MULTILINE,
)
_WEAK = re.compile(r",(?=\s)|:(?=\s)|\s+and(?=\s)", re.IGNORECASE)
_LEAD = re.compile(rf"(?:\s+|and\b|{_AFTER}\b|[,;:.!?](?=\s|$)|(?:\d{{1,2}}[.)]|[-*•])(?=\s))+", re.IGNORECASE)
# May open the step itself ("first lines of ..."), so the clause is offered with and without it.
_POLITE = re.compile(
    r"(?:(?:please|first|firstly|also|hi|hello|hey|next task|task|kindly|(?:can|could|would|will) you|"
    r"(?:I|we)(?: need| want|'d like| would like)(?: you)? to)\b[,:]?\s+)+",
    re.IGNORECASE,
)
_TAILS = (" and", " please", " thanks", " thank you")
_NAMED = re.compile(rf"""["'`]|{NAME_LIKE}""")
_BACK = re.compile(
    r"\b(?:it|its|them|their|they|there|this|that|these|those|output|results?|answer|count|number|copy)\b",
    re.IGNORECASE,
)
_ALNUM = re.compile(r"[^\W_]")
_STOPS = " \t\n,;:.!?"


def clauses(goal: str) -> tuple[str, ...]:
    """Return at most 64 substrings of `goal`, the likeliest steps first, the whole goal always among them."""
    spans = [(start, end) for start, end, _ in quoted(goal)]
    strong = _cuts(_STRONG, goal, spans)
    weak = _cuts(_WEAK, goal, spans)
    found: dict[str, None] = {}
    for start, end in _segments(strong, len(goal)):
        _add(goal, start, end, found)
    _add(goal, 0, len(goal), found)
    pieces = _segments(sorted({*strong, *weak})[:MAX_CUTS], len(goal))
    for width in range(1, len(pieces) + 1):
        for first in range(len(pieces) - width + 1):
            if len(found) >= MAX_CLAUSES:
                return tuple(found)[:MAX_CLAUSES]
            _add(goal, pieces[first][0], pieces[first + width - 1][1], found)
    return tuple(found)[:MAX_CLAUSES]


def plans(goal: str) -> tuple[tuple[str, ...], ...]:
    """Return the ways to split `goal` into steps, in order and with nothing but connectives left out; at most 512.

    Where the goal uses strong separators (", then", numbers, sentences), they are where its steps end. Otherwise
    every weak one (a comma, "and") may or may not be.
    """
    spans = [(start, end) for start, end, _ in quoted(goal)]
    strong = _segments(_cuts(_STRONG, goal, spans), len(goal))
    bodies = [part for part in strong if _ALNUM.search(_without_lead(goal[part[0] : part[1]]))]
    if len(bodies) > 1:
        two = len(bodies) == 2 and goal[bodies[0][1]] in ";,"  # "write a(x); b.py prints it" may be one step
        return _worded(goal, [bodies, [(bodies[0][0], bodies[1][1])]] if two else [bodies])
    weak = _segments(_cuts(_WEAK, goal, spans), len(goal))[:MAX_WEAK]
    if not weak:
        return ()
    weak[-1] = (weak[-1][0], len(goal))
    choices = []
    for kept in range(1 << (len(weak) - 1)):
        parts = [weak[0]]
        for index, part in enumerate(weak[1:]):
            if kept >> index & 1:
                parts.append(part)
            else:
                parts[-1] = (parts[-1][0], part[1])
        choices.append(parts)
    return _worded(goal, choices)


def joined(step: str) -> int:
    """How many of the places within a step where it might have ended have something named on both sides.

    What speaks of the part before it ("send the output to x.log") begins no step.
    """
    quotes = [(start, end) for start, end, _ in quoted(step)]
    cuts = _cuts(_WEAK, step, quotes)
    parts = [step[start:end] for start, end in _segments(cuts, len(step))]
    named = [bool(_NAMED.search(part)) for part in parts]
    back = [bool(_BACK.search(part)) for part in parts]
    return sum(any(named[:at]) and any(named[at:]) and not back[at] for at in range(1, len(parts)))


def may_end_within(step: str) -> bool:
    """Whether there is a place within a step where it might have ended: a comma, an "and"."""
    quotes = [(start, end) for start, end, _ in quoted(step)]
    return len(_segments(_cuts(_WEAK, step, quotes), len(step))) > 1


def _worded(goal: str, choices: list[list[tuple[int, int]]]) -> tuple[tuple[str, ...], ...]:
    """The texts of each choice, with polite openings taken off and, if that differs, left on."""
    found: dict[tuple[str, ...], None] = {}
    for which in (0, -1):
        for parts in choices:
            texts = []
            for start, end in parts:
                wordings: dict[str, None] = {}
                _add(goal, start, end, wordings)
                texts += [list(wordings)[which]] if wordings else []
            if texts:
                found.setdefault(tuple(texts))
    return tuple(found)[:MAX_PLANS]


def _without_lead(text: str) -> str:
    lead = _LEAD.match(text)
    return text[lead.end() :] if lead else text


def _cuts(pattern: re.Pattern[str], goal: str, quotes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    starts = [start for start, _ in quotes]
    cuts = []
    for found in pattern.finditer(goal):
        before = bisect_right(starts, found.start()) - 1
        if before < 0 or found.start() >= quotes[before][1]:
            cuts.append((found.start(), found.end()))
    return cuts


def _segments(cuts: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """The stretches between cuts (which may overlap each other)."""
    segments, at = [], 0
    for start, end in cuts:
        if start > at:
            segments.append((at, start))
        at = max(at, end)
    if at < length:
        segments.append((at, length))
    return segments


def _add(goal: str, start: int, end: int, found: dict[str, None]) -> None:
    """Add the stretch without connectives and closing punctuation; with an ambiguous opening also in full."""
    body = _without_lead(goal[start:end])
    polite = _POLITE.match(body)
    for candidate in ([body[polite.end() :]] if polite else []) + [body]:
        for text in (_without_tail(candidate), candidate.rstrip().rstrip(",;:.!?")):
            if text and _ALNUM.search(text):
                found.setdefault(text.strip())


def _without_tail(text: str) -> str:
    while True:
        short = text.rstrip(_STOPS)
        low = short[-12:].lower()
        for tail in _TAILS:
            if low.endswith(tail):
                short = short[: -len(tail)]
                break
        else:
            return short
        text = short
