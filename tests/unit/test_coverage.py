"""What a step names, what its calls leave out, and steps that run over a place where they might have ended."""

import json

import pytest

from hybrid_agent.constrain.clauses import joined, plans
from hybrid_agent.constrain.coverage import filler, left_out, named_in, no_file
from hybrid_agent.types import Window


def step(text, files=()):
    """A window at a step."""
    return Window(goal="g", phase="step", steps=(text,), files=files)


def call(tool, **args):
    """A call as the decoder writes it."""
    return json.dumps({"tool": tool, "args": args}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("text", "files", "names"),
    [
        ("set `retries` to \"3\" in 'app.ini'", (), ("retries", "3", "app.ini")),
        ("copy report.txt into vault_2, please", (), ("report.txt", "vault_2")),
        ("copy the notes into vault", ("notes", "vault/"), ("notes", "vault")),
        ("list the files", (), ()),
        ("append 'two plums' to a/b.txt.", (), ("two plums", "a/b.txt")),
    ],
)
def test_names_of_a_step(text, files, names):
    found = named_in(step(text, files))
    assert sorted(found) == sorted(name for name in names if len(name) > 1)


def test_names_that_no_call_mentions_are_counted():
    names = named_in(step("copy a/report.txt to 'old vault' with mode 640 and set KEY_A=value"))
    assert names == ("old vault", "a/report.txt", "640", "KEY_A=value")
    assert left_out(names, []) == 4
    elsewhere = call("fs", op="copy", path="report.txt", to="old vault")
    assert left_out(names, [elsewhere]) == 3
    copy = call("fs", op="copy", path="a/report.txt", to="old vault")
    assert left_out(names, [copy]) == 2
    chmod = call("fs", op="chmod", path="old vault/report.txt", mode="640")
    edit = call("editor", path="x", edits=[{"op": "set", "key": "KEY_A", "value": "value"}])
    assert left_out(names, [copy, chmod, edit]) == 0


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
    assert no_file(made, step("use the service", ("notes", "a/app.yaml"))) is slip


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
    assert filler(made, step(text)) is slip
