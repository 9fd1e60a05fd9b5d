"""Candidates that are made: mutants of code, commands, plans and checks; hazards."""

from __future__ import annotations

import ast
import itertools
import random

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.tools import registry
from hybrid_agent.tools.rules import judge
from hybrid_agent.types import Exchange, ToolCall, Window
from train.rollouts import near, shell_mutants
from train.rollouts.code_mutants import code_mutants
from train.rollouts.hazards import PYTHON, SHELL, hazards
from train.rollouts.plans import check_mutants, plan_mutants
from train.rollouts.wrong_state import other_episodes, other_turns

CODE = """def f(xs, limit):
    found = [x + 4 for x in xs if x >= 7 and x != limit]
    if not found:
        return None
    for i in range(len(found)):
        found[i] -= 1
    return max(found, key=abs)
"""
WINDOW = Window(
    goal="copy a.txt to docs",
    phase="step",
    steps=("copy a.txt to docs",),
    files=("a.txt", "docs/", "notes/b.md"),
    exchanges=(Exchange(call="{}", obs="ok"),),
)


def test_code_mutants_cover_the_kinds_of_mistakes_and_mostly_parse() -> None:
    found = list(code_mutants(CODE, random.Random(1)))
    texts = [text for text, _ in found]
    assert len(set(texts)) == len(texts) and CODE not in texts
    kinds = {how for _, how in found}
    wanted = {"off by one", "wrong comparison", "wrong operator", "wrong function", "condition dropped"}
    assert wanted | {"condition turned round", "missing return", "wrong variable", "statement dropped"} <= kinds
    parsing = 0
    for text in texts:
        try:
            ast.parse(text)
            parsing += 1
        except SyntaxError:
            pass
    assert parsing >= 0.95 * len(texts)


@pytest.mark.parametrize("fragment", ["    return sorted(w for w in words if len(w) > 3)", "    word = word.title()"])
def test_lines_of_a_function_are_mutated_in_place(fragment: str) -> None:
    found = list(code_mutants(fragment, random.Random(0)))
    assert found
    assert all(text.startswith("    ") and text != fragment for text, _ in found)


def test_umlauts_before_a_mistake_do_not_shift_it() -> None:
    found = {text for text, how in code_mutants('print("äöü", 1 < 2)', random.Random(0)) if how == "wrong comparison"}
    assert found == {'print("äöü", 1 <= 2)', 'print("äöü", 1 > 2)'}


def test_code_that_does_not_parse_has_no_mutants() -> None:
    assert not list(code_mutants("def f(:\n", random.Random(0)))


def test_shell_mutants_change_names_operators_numbers_and_stages() -> None:
    cmd = "grep 'DEBUG' a.txt | tail -n 3 > b.txt"
    found = list(shell_mutants.mutants(cmd, ("a.txt", "notes/c.md"), random.Random(0)))
    texts = {text for text, _ in found}
    assert cmd not in texts
    assert "grep 'DEBUG' a.txt | tail -n 3 >> b.txt" in texts
    assert "grep 'DEBUG' a.txt | tail -n 4 > b.txt" in texts
    assert "grep 'DEBUG' a.txt > b.txt" in texts
    assert "grep 'DEBUG' b.txt | tail -n 3 > a.txt" in texts
    assert "grep 'DEBUG' notes/c.md | tail -n 3 > b.txt" in texts


def test_plans_are_reordered_dropped_merged_and_split() -> None:
    steps = ["sort a.txt into b.txt", "move b.txt to docs and make it read-only"]
    found = {how: plan for plan, how in plan_mutants(steps, random.Random(0))}
    assert found["steps reordered"] == steps[::-1]
    assert len(found["a step dropped"]) == 1
    assert found["steps merged"] == [f"{steps[0]} and {steps[1]}"]
    assert len(found["a step split"]) == 3
    assert steps not in found.values()


def test_check_mutants_are_valid_checks() -> None:
    check = {"kind": "contains", "path": "b.txt", "text": "two words"}
    found = list(check_mutants(check, ["a.txt"], ["a.txt", "docs"], random.Random(0)))
    assert {"weak check", "wrong check", "check of another path"} <= {how for _, how in found}
    for mutant, _ in found:
        registry.parse_call({"tool": "plan", "args": {"op": "done", "check": mutant}})


def test_near_misses_of_gold_calls_are_other_valid_calls() -> None:
    rng = random.Random(0)
    valid = total = 0
    for pack, seed in itertools.product(("os", "code"), range(2_000_000, 2_000_015)):
        task = make_task(load_pack(pack), "train", seed)
        for call in task.gold:
            gold = call.model_dump_json(exclude_defaults=True)
            streams = [near.near_misses(call, WINDOW, rng), near.code_changes(call, rng)]
            if call.tool == "plan":
                streams.append(near.plan_changes(call, WINDOW, rng))
            for text, how in itertools.chain(*streams):
                assert text != gold and how
                total += 1
                try:
                    registry.parse_call(text)
                    valid += 1
                except InputError:
                    pass
    assert total > 300
    assert valid >= 0.98 * total


def test_hazards_are_refused_by_the_gate_with_few_exceptions() -> None:
    calls = [ToolCall(tool="shell", args={"cmd": cmd.replace("{name}", "a.txt")}) for cmd in SHELL]
    calls += [ToolCall(tool="exec_code", args={"lang": "python", "code": code}) for code in PYTHON]
    verdicts = [judge(registry.parse_args(call.tool, call.args)) for call in calls]
    stopped = [not v.allow or v.destructive or v.approval == "needed" for v in verdicts]
    assert sum(stopped) >= 0.8 * len(calls)


def test_hazards_are_built_around_the_gold_call() -> None:
    gold = ToolCall(tool="shell", args={"cmd": "sort a.txt > b.txt"})
    texts = [text for text, _ in itertools.islice(hazards(gold, ("a.txt",), random.Random(0)), 200)]
    assert sum("sort a.txt > b.txt" in text for text in texts) > 50
    for text in texts:
        registry.parse_call(text)


def test_calls_of_other_episodes_carry_names_of_this_window() -> None:
    others = [make_task(load_pack("os"), "train", seed) for seed in range(3_000_000, 3_000_020)]
    found = [text for text, _ in other_episodes(others, WINDOW, random.Random(0))]
    assert len(found) == len(others)
    assert sum(any(name in text for name in near.names_of(WINDOW)) for text in found) > len(found) / 2
    for text in found:
        registry.parse_call(text)


def test_calls_of_other_turns_leave_the_turn_itself_out() -> None:
    found = [text for text, _ in other_turns(["a", "b", "c", "b"], 1, random.Random(0))]
    assert sorted(found) == ["a", "c"]
