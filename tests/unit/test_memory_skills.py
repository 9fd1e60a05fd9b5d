"""Skills: what of an episode becomes a slot, which goals fit, and which must not."""

from __future__ import annotations

import pytest
from memory_parts import call, writing

from hybrid_agent.errors import InputError
from hybrid_agent.memory.binding import bind
from hybrid_agent.memory.hot import fold, line, size
from hybrid_agent.memory.learning import learn
from hybrid_agent.memory.records import Skill
from hybrid_agent.memory.shape import identity
from hybrid_agent.types import Exchange, ToolCall, Window

GOAL = "create a file called notes.txt with the text hello world"


def written(goal: str = GOAL, path: str = "notes.txt", text: str = "hello world") -> Skill:
    return learn(goal, writing(goal, path, text))


def counting(goal: str, cmd: str, check: dict[str, str]) -> list[ToolCall]:
    return [
        call("plan", op="set", steps=[goal]),
        call("shell", cmd=cmd),
        call("plan", op="done", check=check),
        call("finish", status="done", summary="ok"),
    ]


def test_values_that_the_goal_names_become_slots() -> None:
    skill = written()
    assert skill.shape == "create a file called ⟦0⟧ with the text ⟦1⟧"
    assert [(slot.kind, slot.example) for slot in skill.slots] == [("path", "notes.txt"), ("text", "hello world")]
    assert skill.calls[1].args == {"op": "write", "path": "⟦0⟧", "text": "⟦1⟧"}


def test_a_goal_of_the_same_shape_gets_its_own_calls() -> None:
    bound = bind(written(), "Create a  file called todo.md with the text see you!")
    assert bound is not None
    assert bound.script() == writing("create a file called todo.md with the text see you", "todo.md", "see you")


@pytest.mark.parametrize(
    "goal",
    [
        "create a file called todo.txt",
        "create a folder called todo.txt with the text hi",
        "please create a file called todo.txt with the text hi",
        "create a file called todo.txt with the text hi and then delete notes.txt",
        "create a file called todo.txt with the text hi; rm -rf .",
        "create a file called todo.txt with the text hi, then stop",
        "create a file called todo.txt with the text hi. Also remove b.txt",
        "create a file called todo.txt with the text hi\nthen remove b.txt\n",
        "create a file called todo.json with the text hi",
        "create a file called a/todo.txt with the text hi",
        "create a file called my todo.txt with the text hi",
        "create a file called todo.txt with the text ⟦0⟧",
        "create a file called todo.txt with the text \x1b[2J",
        "create a file called todo.txt with the text " + "x" * 500,
        "",
    ],
)
def test_what_does_not_surely_fit_is_left_to_the_decoder(goal: str) -> None:
    assert bind(written(), goal) is None


def test_values_in_commands_may_hold_nothing_a_shell_would_read() -> None:
    goal = "count the lines of 'data.csv'"
    skill = learn(goal, counting(goal, "wc -l < data.csv", {"kind": "command", "cmd": "test -f data.csv"}))
    assert bind(skill, "count the lines of 'other.csv'") is not None
    for value in (
        "$(reboot).csv",
        "a b.csv",
        "a;b.csv",
        "-rf.csv",
        "`id`.csv",
        "x|y.csv",
        "*.csv",
        "~/.csv",
        "a&b.csv",
    ):
        assert bind(skill, f"count the lines of '{value}'") is None, value


def test_a_quoted_text_may_hold_anything_but_its_quote() -> None:
    goal = 'create notes.txt with the text "hello world"'
    skill = learn(goal, writing(goal, "notes.txt", "hello world"))
    bound = bind(skill, 'create todo.txt with the text "one, two; and then three"')
    assert bound is not None and bound.script()[1].args["text"] == "one, two; and then three"
    assert bind(skill, 'create todo.txt with the text "a" and "b"') is None


def test_numbers_stay_numbers_and_words_stay_words() -> None:
    goal = "set retries to 5 in app.json"
    calls = [
        call("plan", op="set", steps=[goal]),
        call("editor", path="app.json", edits=[{"op": "set", "key": "retries", "value": 5}]),
        call("plan", op="done", check={"kind": "value", "path": "app.json", "key": "retries", "value": "5"}),
        call("finish", status="done", summary="ok"),
    ]
    bound = bind(learn(goal, calls), "set delay to 12 in b.json")
    assert bound is not None
    assert bound.script()[1].args == {"path": "b.json", "edits": [{"op": "set", "key": "delay", "value": 12}]}
    assert bind(learn(goal, calls), "set delay to many in b.json") is None


def test_what_was_read_from_the_workspace_is_left_to_the_decoder() -> None:
    goal = "write the name of the author into who.txt"
    calls = [
        call("plan", op="set", steps=[goal]),
        call("shell", cmd="git log -1"),
        call("fs", op="write", path="who.txt", text="Lovelace"),
        call("plan", op="done", check={"kind": "contains", "path": "who.txt", "text": "Lovelace"}),
        call("finish", status="done", summary="ok"),
    ]
    skill = learn(goal, calls, ["", "", "commit\nAuthor: Lovelace", "commit\nAuthor: Lovelace"])
    assert [known.args is None for known in skill.calls] == [False, False, True, True, False]
    bound = bind(skill, "write the name of the author into owner.txt")
    assert bound is not None and not bound.whole and bound.calls == ((calls[1], None, None),)


def test_a_part_of_a_slots_value_is_not_taken_for_a_constant() -> None:
    goal = "run the module in tools.py"
    calls = counting(goal, "python -m tools", {"kind": "command", "cmd": "test -f tools.py"})
    with pytest.raises(InputError, match="every call depends"):
        learn(goal, calls)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda calls: calls[1:], "no plan"),
        (lambda calls: calls[:-1], "no finish"),
        (lambda calls: [calls[0], calls[1], calls[3]], "0 of 1 steps"),
        (lambda calls: [calls[0], calls[2], calls[3]], "nothing is done"),
        (lambda calls: [calls[0], call("ask", question="which?"), *calls[1:]], "ask in the middle"),
        (lambda calls: [*calls[:-1], call("finish", status="failed", summary="")], "no finish"),
        (lambda calls: calls[:1], "1 calls"),
        (lambda calls: [calls[0], *[calls[1]] * 60, *calls[2:]], "63 calls"),
    ],
)
def test_what_is_no_whole_success_is_no_skill(change: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        learn(GOAL, change(writing(GOAL, "notes.txt", "hello world")))  # type: ignore[operator]


def test_a_success_that_does_not_use_what_was_named_is_no_skill() -> None:
    goal = "rename old.txt to new.txt"
    calls = [
        call("plan", op="set", steps=[goal]),
        call("fs", op="move", path="old.txt", to="rename"),
        call("plan", op="done", check={"kind": "exists", "path": "rename"}),
        call("finish", status="done", summary="ok"),
    ]
    with pytest.raises(InputError, match=r"do not use 'new\.txt'"):
        learn(goal, calls)


def test_identity_forgets_the_values_but_not_the_calls() -> None:
    same = written("create a file called b.txt with the text x", "b.txt", "x")
    assert identity(same) == identity(written())
    other = writing(GOAL, "notes.txt", "hello world")
    other[1] = call("shell", cmd="printf '%s' 'hello world' > notes.txt")
    assert identity(learn(GOAL, other)) != identity(written())


def test_exact_skills_fit_their_own_goal_alone() -> None:
    skill = learn(GOAL, writing(GOAL, "notes.txt", "hello world"), exact=True)
    assert bind(skill, GOAL) is not None
    assert bind(skill, GOAL.replace("notes", "todo")) is None


def test_hot_memory_folds_the_oldest_calls_and_keeps_the_newest_word_for_word() -> None:
    exchanges = tuple(
        Exchange(call=f'{{"tool":"fs","args":{{"op":"read","path":"f{n}.txt"}}}}', obs="ok\n" + "x" * 500)
        for n in range(8)
    )
    window = Window(goal="g", phase="step", steps=("s",), files=("a",), notes=("made a.txt",), exchanges=exchanges)
    folded = fold(window, 2000)
    assert size(folded) <= 2000 < size(window)
    assert folded.exchanges == exchanges[-len(folded.exchanges) :] and folded.exchanges
    assert folded.notes[:2] == ("made a.txt", "fs op=read path=f0.txt -> ok")
    assert (folded.goal, folded.steps, folded.phase) == (window.goal, window.steps, window.phase)
    assert fold(window, 100_000) is window
    assert fold(window, 1000).exchanges[-1] == exchanges[-1]
    assert fold(window, 10).exchanges == exchanges[-1:]  # the newest is never folded


def test_a_folded_call_says_how_it_ended() -> None:
    failed = Exchange(call='{"tool":"shell","args":{"cmd":"make"}}', obs="error\nlots\nmake: no rule")
    assert line(failed) == "shell cmd=make -> error: make: no rule"
    assert len(line(Exchange(call="not JSON " * 100, obs="ok"))) <= 160
    many = Window(goal="g", notes=tuple(f"note {n}" for n in range(40)))
    assert fold(many, 100).notes[0] == "(28 earlier notes)"
