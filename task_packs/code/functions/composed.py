"""Functions composed of a source, a filter, a map and an aggregate, with combinations held out.

A held-out combination of the four is only drawn for `test_composition`; its parts all occur in training, in other
combinations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions import aggregates as A
from task_packs.code.functions import filters as F
from task_packs.code.functions import maps as M
from task_packs.code.functions.model import VISIBLE, Bug, Function
from task_packs.code.functions.parts import Agg, Filter, Map, Values
from task_packs.code.functions.sources import KEYS, LETTERS, NUMBERS, TEXTS, Source

SALT = "code:implement"
INPUTS = 8
WIDEST = 104  # characters of a code line, so that the file stays inside the window


@dataclass(frozen=True)
class Lane:
    """Parts that fit together."""

    sources: Mapping[str, Source]
    filters: Mapping[str, Filter]
    maps: Mapping[str, Map] | None  # None: predicates, made of `filters`
    aggs: Mapping[str, Agg]
    numeric: bool


LANES = (
    Lane(NUMBERS, F.NUM_FILTERS, M.NUM_MAPS, {**A.NUM_AGGS, **A.LIST_AGGS}, True),
    Lane(TEXTS, F.WORD_FILTERS, M.WORD_MAPS, {**A.WORD_AGGS, **A.LIST_AGGS}, False),
    Lane(TEXTS, F.WORD_FILTERS, M.SIZE_MAPS, {**A.NUM_AGGS, **A.LIST_AGGS}, False),
    Lane(KEYS, F.NUM_FILTERS, M.WORD_MAPS, {**A.WORD_AGGS, **A.LIST_AGGS}, True),
    Lane(LETTERS, F.CHAR_FILTERS, M.CHAR_MAPS, A.LIST_AGGS, False),
    Lane(NUMBERS, F.NUM_FILTERS, None, A.QUANTIFIERS, True),
    Lane(TEXTS, F.WORD_FILTERS, None, A.QUANTIFIERS, False),
)
LANE_WEIGHTS = (9, 5, 3, 3, 1, 2, 2)

DETERMINERS = {"train": ("the", "the", "all the", "those"), "val": ("all those",), "held": ("all of the",)}
FRAMES = {
    "train": ("Return {}.", "Return {}.", "Give back {}.", "Compute {}."),
    "val": ("Find and return {}.",),
    "held": ("Compute and return {}.", "Find {}."),
}


@dataclass(frozen=True)
class Composition:
    """The chosen parts with their values; knows its code, its words and its meaning."""

    source: Source
    filter: Filter
    map: Map | Filter  # a filter here is the predicate of a quantifier
    agg: Agg
    values: Values
    param: str

    def fill(self, template: str, **more: str) -> str:
        """Fill a code or word template with this composition's values."""
        return template.format(p=self.param, **self.values, **more)

    def body(self) -> tuple[str, ...]:
        """The canonical code, one or two indented lines."""
        source = self.source
        loop = self.fill(source.loop)
        if self.filter.code:
            loop += " if " + self.fill(self.filter.code, x=self.fill(source.tested))
        element = self.fill(source.mapped)
        template = self.map.code
        if isinstance(self.map, Filter):
            template, element = self.map.code, self.fill(source.tested)
        each = self.fill(template, x=element)
        if not self.filter.code and self.map.key == "same" and source.iterable is not None:
            text = self.fill(self.agg.plain.replace("{p}", source.iterable), x=element, e=each, loop=loop)
        else:
            text = self.fill(self.agg.code, it=f"{each} for {loop}", e=each, loop=loop, x=element)
        lines = text.split("\n")
        lines[-1] = "return " + lines[-1].strip().removeprefix("return ")
        return tuple(f"    {line.strip()}" for line in lines)

    def reference(self, arg: Any) -> Any:
        """What the function must return for `arg`."""
        pairs = [pair for pair in self.source.pairs(arg, self.values) if self.filter.test(pair[0], self.values)]
        if isinstance(self.map, Filter):
            return self.agg.do([self.map.test(tested, self.values) for tested, _ in pairs], self.values)
        return self.agg.do([self.map.do(mapped, self.values) for _, mapped in pairs], self.values)


def wording_set(draw: Draw) -> str:
    """Which wordings the draw's split may use: `train`, `val` or `held`."""
    return {"val": "val", "test_paraphrase": "held"}.get(draw.split, "train")


def composed(draw: Draw) -> Function:
    """Draw a composed function that gives at least two different answers on its inputs."""
    while True:
        lane = draw.rng.choices(LANES, LANE_WEIGHTS)[0]
        composition = _compose(draw, lane)
        if composition is None:
            continue
        body = composition.body()
        if max(map(len, body)) > WIDEST:
            continue
        inputs = _inputs(draw, lane, composition)
        if inputs is None:
            continue
        source, reference = composition.source, composition.reference
        return Function(
            key=(source.key, composition.filter.key, composition.map.key, composition.agg.key),
            params=(composition.param,),
            body=body,
            doc=_sentence(draw, composition),
            reference=reference,
            inputs=inputs,
            header=composition.agg.header,
            bugs=_bugs(composition, inputs),
        )


def _compose(draw: Draw, lane: Lane) -> Composition | None:
    maps: Mapping[str, Map | Filter] = lane.filters if lane.maps is None else lane.maps
    key = draw.cell(SALT, tuple(lane.sources), tuple(lane.filters), tuple(maps), tuple(lane.aggs))
    source, filter_, map_, agg = lane.sources[key[0]], lane.filters[key[1]], maps[key[2]], lane.aggs[key[3]]
    if agg.pure and map_.key not in ("same",):
        return None
    if isinstance(map_, Filter) and (not map_.code or _related(filter_, map_)):
        return None
    if agg.key == "list" and not filter_.code and map_.key == "same" and source.iterable is not None:
        return None
    if source.whose and not filter_.code:
        return None
    number = draw.number(2, 9) if lane.numeric else draw.number(3, 7)
    values: Values = {
        "n": number,
        "b": number + draw.number(3, 9),
        "m": draw.number(2, 9) if lane.maps is M.NUM_MAPS else draw.number(1, 3),
        "c": draw.choice("abcdeilmnoprst"),
        "k": draw.choice("aeiorst"),
        "s": draw.choice([",", "-", " ", "/", ", ", "+", ":"]),
        "d": draw.choice([0, -1, None]),
        "k1": draw.word(),
        "k2": draw.word(),
    }
    if values["k1"] == values["k2"] or (values["k1"].endswith("s") and source.whose):
        return None
    return Composition(source, filter_, map_, agg, values, draw.choice(source.params))


def _related(a: Filter, b: Filter) -> bool:
    """Predicates that imply or contradict each other, or that need the same drawn value."""
    shared = {"{n}", "{c}"}
    return (
        a.key == b.key
        or b.key in a.near
        or a.key in b.near
        or any(value in a.code and value in b.code for value in shared)
    )


def _elements(draw: Draw, lane: Lane, values: Values) -> list[Any]:
    size = draw.number(3, 6)
    if lane.numeric:
        spread = [draw.number(-9, 20) for _ in range(size)]
        if draw.chance(0.7):
            near = [values["n"], values["n"] + 1, values["b"], 2 * values["n"], 0]
            spread[draw.number(0, size - 1)] = draw.choice(near)
        return spread
    if lane.sources is LETTERS:
        return [
            draw.choice(
                [draw.choice("aeiou"), draw.choice("bcdfst"), draw.choice("ABEX"), draw.choice("0479"), values["c"]]
            )
            for _ in range(size + 2)
        ]
    words = []
    for _ in range(size):
        word = draw.word()
        how = draw.rng.random()
        if how < 0.2:
            word = word.upper()
        elif how < 0.4:
            word = values["c"] + word
        elif how < 0.6:
            word += values["c"]
        elif how < 0.8:
            word = word[: values["n"]]
        words.append(word)
    return words


def _inputs(draw: Draw, lane: Lane, composition: Composition) -> tuple[tuple[Any, ...], ...] | None:
    """Distinct arguments with varied answers; one of the hidden ones is empty. None: the answers hardly vary."""
    candidates: list[Any] = []
    for _ in range(3 * INPUTS):
        arg = composition.source.make(_elements(draw, lane, composition.values), draw, composition.values)
        if arg not in candidates:
            candidates.append(arg)
    by_answer: dict[str, list[Any]] = {}
    for arg in candidates:
        by_answer.setdefault(repr(composition.reference(arg)), []).append(arg)
    if len(by_answer) < (2 if composition.agg.key in A.QUANTIFIERS else 3):
        return None
    rounds = [group for group in by_answer.values()]
    chosen: list[Any] = []
    while len(chosen) < INPUTS - 1 and any(rounds):
        for group in rounds:
            if group and len(chosen) < INPUTS - 1:
                chosen.append(group.pop())
    chosen.append(composition.source.make([], draw, composition.values))
    return tuple((arg,) for arg in chosen)


def _phrase(draw: Draw, composition: Composition) -> str:
    """The noun phrase: which elements are meant ("the even numbers in xs")."""
    source, filter_ = composition.source, composition.filter
    which = "the" if isinstance(composition.map, Filter) else draw.choice(DETERMINERS[wording_set(draw)])
    noun, place = composition.fill(source.noun), composition.fill(source.place)
    if not filter_.code:
        return f"{which} {noun} {place}"
    says = composition.fill(draw.choice(filter_.says))
    if source.whose:
        singular = says.replace("are ", "is ", 1)
        return f"{which} {noun} {place} whose {composition.fill(source.whose)} {singular}"
    forms = ["that"] + ["before"] * bool(filter_.before) + ["after"] * bool(filter_.after)
    form = draw.choice(forms)
    if form == "before":
        return f"{which} {filter_.before} {noun} {place}"
    if form == "after":
        return f"{which} {noun} {composition.fill(filter_.after)} {place}"
    return f"{which} {noun} {place} that {says}"


def _sentence(draw: Draw, composition: Composition) -> str:
    np = _phrase(draw, composition)
    if isinstance(composition.map, Filter):
        says = composition.fill(draw.choice(composition.map.says))
        inner = draw.choice(composition.agg.says).format(np=np, says=says)
    else:
        mapped = composition.fill(draw.choice(composition.map.says), np=np)
        inner = composition.fill(draw.choice(composition.agg.says), np=mapped)
    return draw.choice(FRAMES[wording_set(draw)]).format(inner)


def _bugs(right: Composition, inputs: Sequence[tuple[Any, ...]]) -> tuple[Bug, ...]:
    """Every neighbour of the composition that fails a visible input and differs in exactly one line."""
    filters = {**F.NUM_FILTERS, **F.WORD_FILTERS, **F.CHAR_FILTERS, **F.WRONG_FILTERS}
    maps: Mapping[str, Map] = {**M.NUM_MAPS, **M.WORD_MAPS, **M.SIZE_MAPS, **M.WRONG_MAPS}
    aggs = {**A.NUM_AGGS, **A.LIST_AGGS, **A.WORD_AGGS, **A.QUANTIFIERS, **A.WRONG_AGGS}
    wrong = [replace(right, filter=filters[key]) for key in right.filter.near]
    wrong += [replace(right, agg=aggs[key]) for key in right.agg.near]
    wrong += [replace(right, map=filters[k] if isinstance(right.map, Filter) else maps[k]) for k in right.map.near]
    return tuple(
        Bug(body, lines[0], meaning)
        for body, meaning in ((w.body(), w.reference) for w in wrong)
        if len(body) == len(right.body())
        and len(lines := [i for i, line in enumerate(body) if line != right.body()[i]]) == 1
        and any(meaning(*args) != right.reference(*args) for args in inputs[:VISIBLE])
    )
