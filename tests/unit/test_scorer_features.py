"""Features of candidates: each fires on what it is about and is silent on a right call."""

import json

import pytest

from hybrid_agent.scorer.code_checks import check_code
from hybrid_agent.scorer.features import BAD, BAD_COUNT, FEATURES, features
from hybrid_agent.scorer.view import view_of
from hybrid_agent.types import Exchange, Segment, Verdict, Window

FILES = ("docs/", "docs/plan.txt", "app.py", "notes.md")


def step(clause, *exchanges, files=FILES, phase="step"):
    done = tuple(Exchange(call=json.dumps(c, separators=(",", ":")), obs=o) for c, o in exchanges)
    return Window(goal=clause, phase=phase, steps=(clause,), files=files, exchanges=done)


def call(tool, **args):
    return {"tool": tool, "args": args}


def facts(window, made, verdict=None, **segment):
    text = made if isinstance(made, str) else json.dumps(made, separators=(",", ":"))
    row = features(view_of(window), Segment(text=text, **segment), verdict)
    return {name: float(value) for name, value in zip(FEATURES, row, strict=True)}


def bad_facts(window, made, verdict=None):
    return {name for name, value in facts(window, made, verdict).items() if name in BAD and value}


READ = call("fs", op="read", path="app.py")
SOURCE = "def twice(x):\n    return x * 2\n"
SAW = (READ, "ok\n" + SOURCE.rstrip("\n"))


@pytest.mark.parametrize(
    ("window", "made"),
    [
        (step("move notes.md into docs"), call("fs", op="move", path="notes.md", to="docs/notes.md")),
        (step("make a folder called 'logs_2'"), call("fs", op="mkdir", path="logs_2")),
        (step("count the lines of notes.md"), call("shell", cmd="wc -l notes.md")),
        (
            step("make a folder x_1", (call("fs", op="mkdir", path="x_1"), "ok")),
            call("plan", op="done", check={"kind": "exists", "path": "x_1"}),
        ),
        (Window(goal="make a_1, then make b_2"), call("plan", op="set", steps=["make a_1", "make b_2"])),
        (step("write 'hello' to new_1.txt"), call("fs", op="write", path="new_1.txt", text="hello")),
    ],
)
def test_a_right_call_raises_no_bad_feature(window, made):
    assert bad_facts(window, made) == set()


@pytest.mark.parametrize(
    ("name", "window", "made"),
    [
        ("not_a_call", step("do it"), "sure, I will"),
        ("code_broken", step("write a.py"), call("fs", op="write", path="a.py", text="def f(:\n")),
        ("code_undefined", step("write a.py"), call("fs", op="write", path="a.py", text="print(total)\n")),
        ("code_unused_params", step("write a.py"), call("fs", op="write", path="a.py", text="def f(x):\n  return 1\n")),
        ("code_stub", step("write a.py"), call("fs", op="write", path="a.py", text="def f():\n    pass\n")),
        (
            "code_numbers_unseen",
            step("make `f` in a.py return x plus 7"),
            call("fs", op="write", path="a.py", text="def f(x):\n    return x + 8\n"),
        ),
        ("shell_broken", step("list it"), call("shell", cmd="ls ((")),
        ("shell_paths_unseen", step("count lines of notes.md"), call("shell", cmd="wc -l other/log.txt")),
        ("source_missing", step("remove notes.md"), call("fs", op="remove", path="nodes.md")),
        ("path_unseen", step("remove notes.md"), call("fs", op="remove", path="zebra.md")),
        (
            "find_missing",
            step("edit app.py", SAW),
            call("editor", path="app.py", edits=[{"op": "delete", "find": "q"}]),
        ),
        ("ordinary_word_as_name", step("copy notes.md to docs"), call("fs", op="copy", path="copy", to="docs")),
        ("same_text_twice", step("copy notes.md"), call("fs", op="copy", path="notes.md", to="notes.md")),
        ("repeat", step("read app.py", SAW), READ),
        ("repeat_failed", step("read app.py", (READ, "error\nno such file")), READ),
        ("named_unused", step("put 'red fox' into notes.md"), call("fs", op="append", path="notes.md", text="x")),
        ("done_without_work", step("read app.py"), call("plan", op="done", check={"kind": "exists", "path": "app.py"})),
        (
            "check_elsewhere",
            step("make a folder x_1", (call("fs", op="mkdir", path="x_1"), "ok")),
            call("plan", op="done", check={"kind": "exists", "path": "y_1"}),
        ),
        (
            "check_trivial",
            step("make notes.md short", (call("fs", op="write", path="notes.md", text="x"), "ok")),
            call("plan", op="done", check={"kind": "exists", "path": "notes.md"}),
        ),
        ("finish_early", step("read app.py"), call("finish", status="done", summary="")),
        (
            "plan_uncovered",
            Window(goal="make a_1 and then b_2"),
            call("plan", op="set", steps=["make a_1"]),
        ),
        (
            "plan_disordered",
            Window(goal="make a_1, then make b_2"),
            call("plan", op="set", steps=["make b_2", "make a_1"]),
        ),
    ],
)
def test_a_bad_feature_fires_on_its_mistake(name, window, made):
    assert name in bad_facts(window, made)


def test_risky_is_not_bad():
    window = step("remove docs, or write 'x' to a/b.txt")
    assert facts(window, call("fs", op="mkdir", path="docs"))["target_taken"] == 1
    assert facts(window, call("fs", op="write", path="a/b.txt", text="x"))["parent_missing"] == 1
    edit = call("editor", path="app.py", edits=[{"op": "append", "text": "x"}])
    assert facts(step("edit app.py"), edit)["text_edit_of_code"] == 1
    assert not {"text_edit_of_code", "target_taken", "parent_missing", "destructive", "approval_needed"} & set(BAD)


def test_what_the_step_made_counts_as_there():
    made = (call("fs", op="mkdir", path="new_1"), "ok\nmade new_1/")
    move = call("fs", op="move", path="new_1", to="docs/new_1")
    assert "source_missing" in bad_facts(step("move new_1 into docs"), move)
    assert "source_missing" not in bad_facts(step("move new_1 into docs", made), move)


def test_an_edit_is_judged_by_the_source_it_leaves():
    def after(new):
        edit = {"op": "replace", "find": "    return x * 2", "text": new}
        return facts(step("edit app.py", SAW), call("editor", path="app.py", edits=[edit]))

    assert after("    return x * 4")["code_broken"] == 0 and after("    return x * 4")["has_code"] == 1
    assert after("    return (x * 2")["code_broken"] == 1


def test_the_gate_and_the_decoder_are_heard_if_they_spoke():
    window = step("remove notes.md")
    made = call("fs", op="remove", path="notes.md")
    silent = facts(window, made)
    assert silent["has_verdict"] == silent["logprob"] == 0
    verdict = Verdict(allow=False, rule="x", destructive=True, approval="needed")
    heard = facts(window, made, verdict, logprob=-4.0, tokens=10, forced=8, low=-3.0, entropy=0.5)
    assert heard["denied"] == heard["destructive"] == heard["approval_needed"] == heard["has_verdict"] == 1
    assert (heard["logprob"], heard["mean_logprob"], heard["low"], heard["entropy"]) == (-1.0, -2.0, -1.0, 0.5)


def test_names_are_unique_and_the_bad_ones_come_first():
    assert len(set(FEATURES)) == len(FEATURES) and FEATURES[:BAD_COUNT] == BAD


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"tool":"fs","args":{"op":"move","path":3,"to":null}}', "9" * 5000])
def test_any_text_has_features(text):
    row = features(view_of(Window(goal="")), Segment(text=text))
    assert row.shape == (len(FEATURES),) and abs(row).max() < 5


def test_scopes_are_told_apart():
    source = "import math\n\ndef outer(a):\n    def inner():\n        return a + b\n    return inner\n"
    found = check_code(source)
    assert found.undefined == ("b",) and found.unused_params == 0 and found.unused_names == 1
    assert check_code("def f(xs):\n    return [x for x in xs if x]\n").undefined == ()
    assert check_code("def f(x):\n    return 1\n    return x\n").oddities == 1
    assert not check_code("x = (").parses
