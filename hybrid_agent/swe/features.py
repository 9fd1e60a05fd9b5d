"""What the ranker sees of a candidate: its kind, its place, its words, and how usual its text is."""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.language import LocalStatistics, SharedStatistics, tokens
from hybrid_agent.swe.localise import Diagnosis, Spot, words_of
from hybrid_agent.swe.operators import FAMILIES
from hybrid_agent.swe.source import Function, Source

ORIGINS = ("memory", "decoder")
GROUPS = ("assertion", "type", "attribute", "name", "index", "key", "value", "recursion", "timeout", "other")
_GROUP = {
    "AssertionError": "assertion", "Failed": "assertion", "TypeError": "type", "AttributeError": "attribute",
    "NameError": "name", "UnboundLocalError": "name", "ImportError": "name", "IndexError": "index", "KeyError": "key",
    "ValueError": "value", "RecursionError": "recursion", "TestTimeout": "timeout", "Killed": "timeout",
    "ZeroDivisionError": "value", "StopIteration": "index", "UnicodeDecodeError": "value",
}  # fmt: skip
DENSE = (
    "score", "score_share", "ochiai", "rank", "same_score", "top", "innermost", "frame", "second_frame", "outside",
    "old_local", "new_local", "local_change", "worst_change", "shared_change", "shared_mean", "length_change",
    "new_seen", "old_seen", "inserted", "removed", "new_in_function", "new_in_file", "near", "new_parameter",
    "spelling", "now_used", "now_unused", "told_new", "told_old", "words_new", "words_old", "twins_new",
    "twins_old", "many_names", "one_off", "truth", "none_told", "number_told", "depth", "in_loop", "in_test",
    "in_return", "module_level", "size", "pieces", "same_kind", "first_in_function", "line_length",
)  # fmt: skip
NAME = re.compile(r"(?<![\w'\"])[A-Za-z_]\w*")
_TWINS = re.compile(r"\b([\w.]+)\s*(?:[-+*/%<>=!]=?|==|and|or|,|is)\s*\1\b(?![.(\[])")
_PAIR = re.compile(r"(-?\d+)\s*(?:!=|==)\s*(-?\d+)")
Floats = NDArray[np.float32]


class Features:
    """Turns candidates of one repair into rows of numbers.

    Args:
        sources: the files that edits are of.
        diagnosis: what the tests said.
        spots: suspicious lines.
        local, shared: token statistics.
    """

    def __init__(
        self,
        sources: dict[str, Source],
        diagnosis: Diagnosis,
        spots: Sequence[Spot],
        local: LocalStatistics,
        shared: SharedStatistics,
    ) -> None:
        self.sources, self.diagnosis, self.local, self.shared = sources, diagnosis, local, shared
        self.spots = {(spot.path, spot.line): (rank, spot) for rank, spot in enumerate(spots)}
        self.highest = max((spot.score for spot in spots), default=1.0) or 1.0
        self.as_good = Counter(round(spot.score, 3) for spot in spots)
        self.groups = np.zeros(len(GROUPS), np.float32)
        for failure in diagnosis.failures:
            self.groups[GROUPS.index(_GROUP.get(failure.kind, "other"))] += 1 / len(diagnosis.failures)
        text = " ".join(failure.message for failure in diagnosis.failures)
        self.told = set(NAME.findall(text)) | set(re.findall(r"'(\w+)'", text))
        self.numbers = set(re.findall(r"\d+", text))
        self.one_off = any(abs(int(a[:9]) - int(b[:9])) == 1 for a, b in _PAIR.findall(text))
        self.truth = "True" in self.told or "False" in self.told
        self.none = "None" in self.told or "NoneType" in self.told
        self._lines: dict[tuple[str, int, int], tuple[list[str], list[float], float]] = {}
        self._places: dict[tuple[str, int], dict[str, Any]] = {}
        self._names: dict[str, Counter[str]] = {}
        self._functions: dict[Function | None, dict[str, Any]] = {}

    def rows(self, candidates: Sequence[Edit]) -> tuple[Floats, list[str]]:
        """Dense features (candidates × columns of `columns()`) and the operator of each."""
        made = [self._row(each) for each in candidates]
        return np.array(made, np.float32).reshape(len(made), len(columns())), [each.operator for each in candidates]

    def _row(self, edit: Edit) -> list[float]:
        source = self.sources[edit.path]
        rank, spot = self.spots.get((edit.path, edit.line), (len(self.spots) + 20, None))
        place = self._place(source, edit.line)
        old, new, old_cost, old_shared = self._texts(source, edit)
        new_cost = self.local.surprise(new, old)
        new_shared = self.shared.surprise(new)
        old_mean, new_mean = sum(old_cost) / (len(old_cost) or 1), sum(new_cost) / (len(new_cost) or 1)
        depth = self.diagnosis.frames.get((edit.path, edit.line))
        score = spot.score if spot else 0.0
        dense = [
            score, score / self.highest, spot.ochiai if spot else 0.0, math.log1p(rank),
            math.log1p(self.as_good[round(score, 3)]), float(rank < 3), float(depth == 0), float(depth is not None),
            float(depth == 1), float(spot is None),
            old_mean, new_mean, (sum(old_cost) - sum(new_cost)) / 10 if old and new else 0.0,
            max(old_cost, default=0.0) - max(new_cost, default=0.0), (old_shared - new_shared) / 10,
            new_shared / (len(new) or 1) - old_shared / (len(old) or 1), (len(new) - len(old)) / 5,
            math.log1p(self.local.lines[tuple(new)]), math.log1p(max(self.local.lines[tuple(old)] - 1, 0)),
            float(not old), float(not new),
        ]  # fmt: skip
        dense += self._words(edit, place, old, new)
        dense += [
            place["depth"], place["in_loop"], place["in_test"], place["in_return"], place["module"],
            math.log1p(sum(len(s.new) + s.end - s.start for s in edit.splices)) / 5, float(len(edit.splices) > 1),
            float(len(old) == len(new)), place["first"], math.log1p(len(old)),
        ]  # fmt: skip
        family = [float(edit.family == name) for name in FAMILIES]
        origin = [float(edit.origin == name) for name in ORIGINS]
        return [*dense, *family, *origin, *self.groups.tolist()]

    def _texts(self, source: Source, edit: Edit) -> tuple[list[str], list[str], list[float], float]:
        """Tokens of the touched lines before and after; for whole inserted lines nothing before."""
        a, b = min(s.start for s in edit.splices), max(s.end for s in edit.splices)
        text = source.text
        first, last = source.line_of(a), source.line_of(max(a, b - 1))
        start = source.starts[first - 1]
        end = source.starts[last] if last < len(source.starts) else len(text)
        if a == b and edit.splices[0].new[-1:] in "\r\n":
            return [], tokens(edit.splices[0].new), [], 0.0
        key = (source.path, start, end)
        if key not in self._lines:
            before = tokens(text[start:end])
            self._lines[key] = before, self.local.surprise(before, before), self.shared.surprise(before)
        before, cost, shared = self._lines[key]
        pieces, at = [], start
        for s in sorted(edit.splices, key=lambda s: s.start):
            pieces += [text[at : s.start], s.new]
            at = s.end
        return before, tokens("".join([*pieces, text[at:end]])), cost, shared

    def _words(self, edit: Edit, place: dict[str, Any], old: list[str], new: list[str]) -> list[float]:
        before, after = Counter(filter(_is_name, old)), Counter(filter(_is_name, new))
        came, went = list(after - before), list(before - after)
        uses, file_uses = place["uses"], self._file_names(edit.path)
        known = [uses[name] for name in came]
        told = self.diagnosis.words
        new_text, old_text = " ".join(new), " ".join(old)
        away = [abs(edit.line - at) for name in came for at in place["where"].get(name, ()) if at != edit.line]
        numbers = {token for token in new if token.isdigit()} - set(old)
        return [
            math.log1p(min(known)) if came else 0.0,
            math.log1p(min(file_uses[name] for name in came)) if came else 0.0,
            1 / (1 + min(away, default=10**6)),
            float(any(name in place["parameters"] for name in came)),
            SequenceMatcher(None, came[0], went[0]).quick_ratio() if len(came) == 1 and len(went) == 1 else 0.0,
            float(any(name in place["bound"] and place["loads"][name] == 0 for name in came)),
            float(any(name in place["bound"] and place["loads"][name] <= before[name] - after[name] for name in went)),
            float(any(name in self.told for name in came)), float(any(name in self.told for name in went)),
            float(sum(told[word] > 0 for name in came for word in words_of(name))),
            float(sum(told[word] > 0 for name in went for word in words_of(name))),
            float(len(_TWINS.findall(new_text))), float(len(_TWINS.findall(old_text))), float(len(came)),
            float(self.one_off), float(self.truth), float(self.none), float(bool(numbers & self.numbers)),
        ]  # fmt: skip

    def _file_names(self, path: str) -> Counter[str]:
        if path not in self._names:
            self._names[path] = Counter(NAME.findall(self.sources[path].text))
        return self._names[path]

    def _place(self, source: Source, line: int) -> dict[str, Any]:
        """Facts of the statement on a line, kept."""
        key = (source.path, line)
        if key not in self._places:
            self._places[key] = _facts(source, line, self._functions)
        return self._places[key]


def columns() -> list[str]:
    """Names of the dense columns."""
    return [
        *DENSE,
        *(f"is_{name}" for name in FAMILIES),
        *(f"from_{name}" for name in ORIGINS),
        *(f"fails_{name}" for name in GROUPS),
    ]


def _is_name(token: str) -> bool:
    return (token[0].isalpha() or token[0] == "_") and not keyword.iskeyword(token)


def _names_of(function: Function | None) -> dict[str, Any]:
    """How a function uses names: counts, and the lines on which each stands."""
    uses: Counter[str] = Counter()
    loads: Counter[str] = Counter()
    where: dict[str, list[int]] = {}
    parameters: set[str] = set()
    if function is not None:
        parameters = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
    bound = set(parameters)
    for node in ast.walk(function) if function is not None else ():
        if isinstance(node, ast.Name):
            name = node.id
            loads[name] += isinstance(node.ctx, ast.Load)
            if isinstance(node.ctx, ast.Store):
                bound.add(name)
        elif isinstance(node, ast.Attribute):
            name = node.attr
        else:
            continue
        uses[name] += 1
        where.setdefault(name, []).append(node.lineno)
    return {"uses": uses, "loads": loads, "bound": bound - {"self", "_"}, "where": where, "parameters": parameters}


def _facts(source: Source, line: int, kept: dict[Function | None, dict[str, Any]]) -> dict[str, Any]:
    statement = source.first_on_line.get(line)
    above = list(source.ancestors(statement)) if statement is not None else []
    function = next((node for node in above if isinstance(node, Function)), None)
    if function not in kept:
        kept[function] = _names_of(function)
    return {
        **kept[function],
        "depth": len([n for n in above if isinstance(n, ast.stmt)]) / 3,
        "in_loop": float(any(isinstance(n, ast.For | ast.While) for n in above)),
        "in_test": float(isinstance(statement, ast.If | ast.While)),
        "in_return": float(isinstance(statement, ast.Return)),
        "module": float(function is None),
        "first": float(function is not None and line <= function.body[0].lineno + 2),
    }  # fmt: skip
