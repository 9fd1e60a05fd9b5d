"""What to run candidates on: the generated tests that are usable, the calls in them, and calls near those."""

from __future__ import annotations

import ast
import random
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hybrid_agent.scorer.pool.records import PoolTask

MAX_TESTS, MAX_CALLS, MAX_NEAR, LONGEST = 200, 120, 40, 2000


@dataclass(frozen=True, slots=True)
class Probes:
    """`tests` are assertions; `calls` are expressions, those from tests first, then those made up near them."""

    tests: tuple[str, ...]
    calls: tuple[str, ...]


def make_probes(task: PoolTask) -> Probes:
    """Probes of a task, from what a model wrote; the task's hidden tests are not known here."""
    tests: list[str] = []
    trees: list[ast.Assert] = []
    for text in [*_doctests(task), *task.generated_tests]:
        tree = _assertion(text, task.entry_point)
        if tree is not None and len(tests) < MAX_TESTS:
            plain = ast.unparse(ast.Assert(tree.test, None))
            if plain not in tests:
                tests.append(plain)
                trees.append(tree)
    calls: dict[str, int] = {}
    for tree in trees:
        for call in _calls(tree, task.entry_point):
            if len(calls) < MAX_CALLS:
                calls.setdefault(ast.unparse(call), len(calls))
    if len(calls) < MAX_NEAR:
        for call in _written_calls(task):
            if len(calls) < MAX_NEAR:
                calls.setdefault(ast.unparse(call), len(calls))
    stated = len(calls)
    for text in _near(list(calls)):
        if len(calls) >= stated + MAX_NEAR:
            break
        calls.setdefault(text, len(calls))
    return Probes(tuple(tests), tuple(calls))


def _quiet_parse(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _assertion(text: str, entry: str) -> ast.Assert | None:
    """The leading assertion of a text, if it calls the function and names nothing that cannot be known."""
    tree = _quiet_parse(text) if len(text) <= LONGEST else None
    if tree is None:
        tree = _quiet_parse(text.strip().split("\n")[0][:LONGEST])
    if tree is None or not tree.body or not isinstance(tree.body[0], ast.Assert):
        return None
    found = tree.body[0]
    blanks = any(isinstance(n, ast.Name) and not n.id.strip("_") for n in ast.walk(found))
    return found if not blanks and next(iter(_calls(found, entry)), None) is not None else None


def _calls(tree: ast.AST, entry: str) -> Iterator[ast.Call]:
    """Calls of the function with arguments that are made of literals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == entry:
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {entry}
            simple = not names - {"range", "list", "float", "int", "str", "set", "tuple", "dict", "len", "sum"}
            if simple and (node.args or node.keywords) and len(ast.unparse(node)) <= LONGEST:
                yield node


def _written_calls(task: PoolTask) -> Iterator[ast.Call]:
    """Calls in assertions that candidates carry behind their solution: inputs only, nothing is believed."""
    seen = set()
    for candidate in task.candidates:
        for line in candidate.splitlines():
            if line.startswith("assert ") and line not in seen:
                seen.add(line)
                tree = _assertion(line, task.entry_point)
                if tree is not None:
                    yield from _calls(tree, task.entry_point)


def _doctests(task: PoolTask) -> Iterator[str]:
    """Examples `>>> call` of the prompt's docstring as assertions."""
    lines = [line.strip() for line in task.prompt.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(">>> ") and following and not following.startswith((">>>", "...", "Traceback")):
            yield f"assert ({line[4:]}) == ({following})"


def _near(calls: Sequence[str]) -> Iterator[str]:
    """Calls with one argument changed a little, in a fixed order that takes turns over the calls."""
    if not calls:
        return
    rng = random.Random(0)
    per_call = [list(_variants(text)) for text in calls]
    for options in per_call:
        rng.shuffle(options)
    for turn in range(max(map(len, per_call), default=0)):
        for options in per_call:
            if turn < len(options):
                yield options[turn]


def _variants(text: str) -> Iterable[str]:
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Call)
    for i, argument in enumerate(node.args):
        try:
            value = ast.literal_eval(argument)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        for changed in _changed(value):
            parts = [ast.unparse(a) for a in node.args]
            parts[i] = repr(changed)
            parts += [ast.unparse(k) for k in node.keywords]
            yield f"{ast.unparse(node.func)}({', '.join(parts)})"


def _changed(value: object) -> list[object]:
    """Values of the same type near a value."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1] if value > 1 else [value + 1, value + 2]  # no sign the tests do not show
    if isinstance(value, float):
        return [value + 0.5, value * 2]
    if isinstance(value, str):
        return [value[::-1], value[1:], value + value, value.swapcase()] if value else []
    if isinstance(value, list) and value:
        return [value[::-1], value[1:], value[:-1], value + value[:1], [*value[1:], value[0]]]
    if isinstance(value, tuple) and value:
        return [value[::-1]]
    return []
