"""What a step names, what its calls leave out, and steps that run over a place where they might have ended."""

import json

import pytest

from hybrid_agent.constrain.clauses import joined, plans
from hybrid_agent.constrain.slips import WEIGHTS, Slips
from hybrid_agent.types import Exchange, Window
from hybrid_agent.types.window import LISTED


def step(text, files=(), calls=()):
    """A window at a step, after these calls."""
    exchanges = tuple(Exchange(call=made, obs="ok") for made in calls)
    return Window(goal="g", phase="step", steps=(text,), files=files, exchanges=exchanges)


def call(tool, **args):
    """A call as the decoder writes it."""
    return json.dumps({"tool": tool, "args": args}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("text", "files", "names"),
    [
        ("set `retries` to \"3\" in 'app.ini'", (), ("retries", "3", "app.ini")),
        ("copy report.txt into vault_2, please", (), ("report.txt", "vault_2")),
        ("copy the notes into vault", ("notes", "vault/"), ("notes", "vault")),
        ("let master/.env define it", (), ("master/.env",)),
        ("list the files", (), ()),
        ("append 'two plums' to a/b.txt.", (), ("two plums", "a/b.txt")),
    ],
)
def test_names_of_a_step(text, files, names):
    found = Slips(step(text, files)).named
    assert sorted(found) == sorted(name for name in names if len(name) > 1)


def test_names_that_no_call_mentions_are_counted():
    text = "copy a/report.txt to 'old vault' with mode 640 and set KEY_A=value"

    def left_out(*calls):
        return Slips(step(text, calls=calls[:-1])).left_out(calls[-1])

    assert Slips(step(text)).named == ("old vault", "a/report.txt", "640", "KEY_A=value")
    assert left_out("") == 4
    elsewhere = call("fs", op="copy", path="report.txt", to="old vault")
    assert left_out(elsewhere) == 3
    copy = call("fs", op="copy", path="a/report.txt", to="old vault")
    assert left_out(copy) == 2
    chmod = call("fs", op="chmod", path="old vault/report.txt", mode="640")
    edit = call("editor", path="x", edits=[{"op": "set", "key": "KEY_A", "value": "value"}])
    assert left_out(copy, chmod, edit) == 0


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("rename a.txt to b.txt", 0),
        ("rename a.txt to b.txt and remove c.txt", 1),
        ("rename a.txt to b.txt, remove c.txt and list d.txt", 2),
        ("run a.sh and send the output to b.log", 0),
        ("sort the lines, without repeats, of a.txt", 0),
        ("write 'this and that, too' to a.txt", 0),
    ],
)
def test_places_where_a_step_might_have_ended(text, places):
    assert joined(text) == places


def test_a_goal_of_many_parts_may_be_split_at_each():
    parts = [f"remove f{i}.txt" for i in range(8)]
    goal = ", ".join(parts[:-1]) + " and " + parts[-1]
    ways = plans(goal)
    assert tuple(parts) in ways
    assert len(ways) <= 512


@pytest.mark.parametrize(
    ("made", "slip"),
    [
        (call("editor", path="service", edits=[]), True),
        (call("fs", op="move", path="to", to="donkey"), True),
        (call("fs", op="move", path="notes", to="donkey"), False),
        (call("fs", op="mkdir", path="donkey"), False),
        (call("editor", path="app.ini", edits=[]), False),  # a name, though it is missing: the answer will say so
        (call("shell", cmd="ls service"), False),
        ('{"tool":"editor","args":{"path":"serv', False),
    ],
)
def test_ordinary_words_taken_for_files(made, slip):
    assert Slips(step("use the service", ("notes", "a/app.yaml"))).no_file(made) is slip


@pytest.mark.parametrize(
    ("made", "slip"),
    [
        (call("editor", path="new.txt", edits=[{"op": "append", "text": "x"}]), True),
        (call("fs", op="copy", path="./new.txt", to="b.txt"), True),
        (call("fs", op="write", path="new.txt", text="x"), False),
        (call("editor", path="a/app.yaml", edits=[]), False),
        (call("editor", path="app.yaml", edits=[]), False),  # it lies in a folder: the answer leads there
        (call("fs", op="move", path="a", to="b"), False),
        (call("fs", op="copy", path="made.txt", to="b.txt"), False),  # by a call before
        (call("editor", path="a/b/c/deep.txt", edits=[]), False),  # deeper than is listed
        (call("fs", op="read", path=".git/config"), False),
        (call("shell", cmd="cat new.txt"), False),
    ],
)
def test_work_on_what_is_not_there(made, slip):
    before = [call("shell", cmd="touch made.txt")]
    assert Slips(step("write it", ("notes", "a/", "a/app.yaml"), before)).absent(made) is slip


def test_a_listing_that_is_full_does_not_say_what_is_missing():
    made = call("editor", path="new.txt", edits=[])
    for count, slip in ((LISTED - 1, True), (LISTED, False)):
        assert Slips(step("write it", tuple(f"f{i}" for i in range(count)))).absent(made) is slip


@pytest.mark.parametrize(
    ("text", "value", "slip"),
    [
        ("turn auth.name to a different value", "a", True),
        ("turn auth.name to 'a'", "a", False),
        ("turn auth.name to amber", "amber", False),
        ("turn auth.name to a and b", "a b", False),
    ],
)
def test_function_words_taken_for_values(text, value, slip):
    made = call("editor", path="x.yml", edits=[{"op": "set", "key": "auth.name", "value": value}])
    assert Slips(step(text)).filler(made) is slip


def test_what_slips_weigh():
    window = step("copy a.txt to b.txt", ("a.txt",))
    cost = Slips(window).cost
    assert cost(call("fs", op="copy", path="a.txt", to="b.txt")) == 0
    assert cost(call("fs", op="copy", path="a.txt", to="a.txt")) == WEIGHTS["twice"] + WEIGHTS["left_out"]
    assert cost(call("fs", op="copy", path="apples", to="c.txt")) == 2 * WEIGHTS["left_out"] + WEIGHTS["no_file"]
    assert cost(call("fs", op="copy", path="a.txt", to="the")) == WEIGHTS["left_out"] + WEIGHTS["filler"]
    assert cost(call("fs", op="copy", path="q.md", to="b.txt")) == WEIGHTS["left_out"] + WEIGHTS["absent"]
    after = step("copy a.txt to b.txt", ("a.txt",), [call("shell", cmd="cp a.txt b.txt")])
    assert Slips(after).cost(call("shell", cmd="ls")) == 0
    plan = Window(goal="rename a.txt to b.txt and remove c.txt")
    assert Slips(plan).cost(call("plan", steps=["rename a.txt to b.txt", "remove c.txt"])) == 0
    assert Slips(plan).cost(call("plan", steps=[plan.goal])) == WEIGHTS["joined"]
