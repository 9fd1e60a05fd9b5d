"""Functions with a fault that crashes them, each with the cause visible in code and traceback."""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, replace

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions import faults_guards, faults_kinds
from task_packs.code.functions.composed import composed
from task_packs.code.functions.model import Bug, Function
from task_packs.code.functions.parts import Values

FAULTS = (*faults_guards.FAULTS, *faults_kinds.FAULTS)
_ALWAYS_RUN = re.compile(r"return (\w+)\(|\.(values|items|split|splitlines)\(")


@dataclass(frozen=True)
class Crash:
    """A function that crashes on its first input: a wrong line (`bug`), or an import that is missing (None)."""

    function: Function
    bug: Bug | None


def crash(draw: Draw) -> Crash:
    """Draw a crash: one of the faults above, or a misspelt name in a composed function."""
    if draw.split == "test_composition" or draw.chance(0.35):
        return _misspelt(draw)
    fault = draw.choice(FAULTS)
    v: Values = {
        "p": draw.choice(fault.params),
        "q": fault.second,
        "n": draw.number(2, 9),
        "d": draw.choice([0, -1, None]),
        "k": draw.word(),
        "s": draw.choice([",", "-", " ", "/", ", ", "+", ":"]),
    }
    docs = {"val": fault.docs[-2:-1], "test_paraphrase": fault.docs[-1:]}.get(draw.split, fault.docs[:-2])
    body, bug = _lines(fault.body, fault.right, v), None
    if fault.wrong is not None:
        wrong = _lines(fault.body, fault.wrong, v)
        bug = Bug(wrong, next(i for i, line in enumerate(wrong) if line != body[i]))
    answer = fault.answer
    return Crash(
        Function(
            key=("crash", fault.key),
            params=(v["p"], fault.second) if fault.second else (v["p"],),
            body=body,
            doc=draw.choice(docs).format(**v),
            reference=lambda *args: answer(v, *args),
            inputs=tuple(fault.inputs(draw, v)),
            header=fault.header,
        ),
        bug,
    )


def _lines(body: str, line: str, v: Values) -> tuple[str, ...]:
    return tuple("    " + part for part in body.replace("{line}", line).format(**v).split("\n"))


def _misspelt(draw: Draw) -> Crash:
    """A composed function with one name misspelt where it is evaluated on every input."""
    while True:
        function = composed(draw)
        names = {*function.params, "found", "picked"}
        names.update(
            part for match in _ALWAYS_RUN.finditer("\n".join(function.body)) for part in match.groups() if part
        )
        spots = [
            (index, found)
            for index, line in enumerate(function.body)
            for name in sorted(names)
            if len(found := re.findall(rf"\b{name}\b", line)) == 1 and len(name) > 1
        ]
        spots = [spot for spot in spots if not function.body[spot[0]].strip().startswith(f"{spot[1][0]} =")]
        if not spots:
            continue
        index, (name, *_) = draw.choice(spots)
        wrong_name = misspell(draw, name)
        known = set(re.findall(r"\w+", "\n".join(function.body)))
        if wrong_name in known or hasattr(builtins, wrong_name):
            continue
        line = re.sub(rf"\b{name}\b", wrong_name, function.body[index])
        body = (*function.body[:index], line, *function.body[index + 1 :])
        return Crash(replace(function, bugs=()), Bug(body, index))


def misspell(draw: Draw, name: str) -> str:
    """The name with a letter dropped, doubled or swapped with its neighbour."""
    i = draw.number(0, len(name) - 2)
    forms = [name[:i] + name[i + 1 :], name[: i + 1] + name[i:], name[:i] + name[i + 1] + name[i] + name[i + 2 :]]
    return draw.choice([form for form in forms if form != name])
