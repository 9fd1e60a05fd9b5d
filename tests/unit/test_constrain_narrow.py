"""Spans of a window, narrowing by them, the lexicon, and the two-stage constraint of calls."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from constrain_cases import accepted, byte_tokenizer, valid

from hybrid_agent.constrain import (
    CallGrammar,
    ConstraintError,
    Lexicon,
    Spans,
    allowed,
    covers,
    find_spans,
    grammar,
    narrow,
)
from hybrid_agent.constrain.clauses import clauses, plans
from hybrid_agent.constrain.narrow import runs_pattern
from hybrid_agent.errors import InputError
from hybrid_agent.types import Exchange, Window

STEP = "rename 'old notes.txt' in docs/api to \"b.md\", set PORT=8080 (not `x y`), and don't touch v1.2."
WINDOW = Window(
    goal=f"First list docs. Then {STEP}",
    phase="step",
    steps=("list docs", STEP),
    index=1,
    files=("docs/", "docs/api/", "docs/api/old notes.txt", "main.py"),
    notes=("listed docs",),
    exchanges=(Exchange(call="{}", obs="def add(a, b):\n    return a + b\n\nport = 80,"),),
)


def test_words_lose_quotes_and_closing_punctuation_only() -> None:
    words = find_spans(WINDOW).words
    assert {"old notes.txt", "b.md", "x y", "PORT=8080", "PORT", "8080", "v1.2", "docs/api", "don't", "80"} <= set(
        words
    )
    assert not {"b.md,", "v1.2.", "'old", "y`)"} & set(words)


def test_paths_texts_lines() -> None:
    spans = find_spans(WINDOW)
    assert {".", "docs", "docs/", "docs/api", "docs/api/old notes.txt", "old notes.txt", "main.py", "b.md"} <= set(
        spans.paths
    )
    assert "docs/b.md" in spans.paths  # a named file in a named folder
    assert spans.texts == ("old notes.txt", "b.md", "x y")
    assert spans.lines[:3] == ("def add(a, b):", "    return a + b", "port = 80,")
    assert set(spans.texts) <= set(spans.lines) and spans.clauses == ()
    assert {"add", "return", "a", "b", "PORT"} <= set(spans.runs)


def test_spans_are_deterministic_unrepeated_and_capped() -> None:
    text = "\n".join(f"line {i} of file_{i}.txt" for i in range(2000))
    window = WINDOW.model_copy(update={"exchanges": (Exchange(call="", obs=text),), "phase": "plan"})
    spans = find_spans(window)
    assert spans == find_spans(window)
    for name in ("words", "paths", "texts", "lines", "clauses", "runs", "pieces", "names"):
        items = getattr(spans, name)
        assert len(set(items)) == len(items) <= 400


JOINS = [
    "make a.txt, then copy it to b; finally remove 'x, then y'",
    "1. make a.txt\n2. copy it to b\n3. remove 'x, then y'",
    "Make a.txt. After that copy it to b. And then remove 'x, then y'.",
    "please make a.txt and then copy it to b and remove 'x, then y' please",
    "1) make a.txt 2) copy it to b 3) remove 'x, then y'",
    "first make a.txt, then copy it to b, and finally remove 'x, then y'",
]


@pytest.mark.parametrize("goal", JOINS)
def test_clauses_are_exact_parts_and_quotes_stay_whole(goal: str) -> None:
    found = clauses(goal)
    steps = ["make a.txt", "copy it to b", "remove 'x, then y'"]
    assert [step for step in steps if not {step, step.capitalize()} & set(found)] == []
    assert all(clause in goal and clause.count("'") in (0, 2) for clause in found)
    assert len(set(found)) == len(found) <= 64


def test_clauses_of_a_long_goal_are_capped() -> None:
    assert len(clauses(" and ".join(f"do {i}, {i}" for i in range(200)))) == 64
    assert clauses("column 4. then x")[0] == "column 4"
    assert clauses("...") == ()


def field(kind: str, **more: Any) -> dict[str, Any]:
    properties = {"v": {"type": "string", "x-span": kind, **more}}
    return {"type": "object", "properties": properties, "required": ["v"], "additionalProperties": False}


def test_each_kind_is_narrowed_to_its_spans() -> None:
    spans, lexicon = (
        find_spans(WINDOW),
        Lexicon(words=("true", "{}.image"), text=("hello",), shell=("mv", "-f"), code=("x1",)),
    )
    good = {
        "path": ["docs/api", "b.md"],
        "word": ["8080", "true", "rename.image"],
        "line": ["    return a + b", "x y"],
        "text": ["", "hello", "add(PORT);  \n\n b", "old notes.txt"],
        "shell": ["mv -f 'old notes.txt' docs/api/b.md && ./main.py | x > b", ".PORT"],
        "code": ["return x1 + add(b)\n", "((("],
    }
    bad = {
        "path": ["etc", ""],
        "word": ["808", "image"],
        "line": ["return a + b"],
        "text": ["hell", "add2"],
        "shell": ["rm b.md", "mv-f b"],
        "code": ["x2", "return1"],
    }
    for kind in good:
        schema = field(kind)
        validator = jsonschema.Draft202012Validator(narrow(schema, spans, lexicon))
        for text in good[kind]:
            assert validator.is_valid({"v": text}), (kind, text)
            assert covers(schema, {"v": text}, spans, lexicon) == []
        for text in bad[kind]:
            assert not validator.is_valid({"v": text}), (kind, text)
            assert covers(schema, {"v": text}, spans, lexicon)[0].startswith("v: ")


def test_limits_of_the_field_still_hold() -> None:
    spans = Spans(words=("600", "x", "0644", "77777"), runs=("ab", "cd"))
    mode = narrow(field("word", pattern="^[0-7]{3,4}$"), spans, Lexicon())
    assert mode["$defs"]["span-word-0"]["enum"] == ["600", "0644"]
    text = narrow(field("text", minLength=3, maxLength=5), spans, Lexicon())
    pieces = ['{"v":', '"', "ab", "cd", " ", "}"]
    wanted = valid(text, pieces, 7, ["v"])
    assert accepted(grammar(text, byte_tokenizer(*pieces)), byte_tokenizer(*pieces), pieces, 7) == wanted
    assert '{"v":"ab cd"}' in wanted and '{"v":"ab"}' not in wanted and len(wanted) > 20


def test_nothing_to_choose_from_leaves_the_field_free() -> None:
    for kind in ("path", "word", "clause", "line", "text", "shell", "code"):
        schema = field(kind)
        assert narrow(schema, Spans(), Lexicon()) == schema
        assert covers(schema, {"v": "anything"}, Spans(), Lexicon()) == []


def test_patterns_allow_exactly_known_runs() -> None:
    pattern = runs_pattern(["ab", "a.b", "c+"], "A-Za-z0-9_.+-", ["d"])
    validator = jsonschema.Draft202012Validator({"pattern": pattern})
    for text in ("", "ab", ".ab a.b", "..", "c+|ab", "ab.d", "  'ab'", "/ab/"):
        assert validator.is_valid(text), text
    for text in ("a", "aXb", "abab", "ab.e", "c", "ab-"):
        assert not validator.is_valid(text), text


def test_lexicon_learns_what_is_not_visible() -> None:
    schema = {
        "anyOf": [
            field("shell"),
            {**field("word"), "properties": {"w": {"type": "string", "x-span": "word"}}, "required": ["w"]},
        ]
    }
    examples = []
    for name in ("cat", "dog", "emu", "fox"):
        window = Window(goal=f"show {name}.txt of the service {name}", files=(f"{name}.txt",))
        examples.append((window, {"v": f"head -n 3 {name}.txt && rare{name}"}, schema))
        examples.append((window, {"w": f"services.{name}.image"}, schema))
    learned = Lexicon.learn(examples, min_count=3)
    assert learned == Lexicon(words=("services.{}.image",), shell=("-n", "3", "head"))
    assert Lexicon.from_json(learned.to_json()) == learned
    assert covers(schema, {"v": "head -n 3 gnu.txt"}, find_spans(Window(goal="show gnu.txt")), learned) == []
    for broken in ("", "[]", "{}", '{"format":1}', '{"format":1,"words":[1],"text":[],"shell":[],"code":[]}'):
        with pytest.raises(InputError):
            Lexicon.from_json(broken)


def call(tool: str, args: dict[str, Any]) -> dict[str, Any]:
    properties = {"tool": {"type": "string", "const": tool}, "args": args}
    return {"type": "object", "properties": properties, "required": ["tool", "args"], "additionalProperties": False}


def op(name: str, **fields: dict[str, Any]) -> dict[str, Any]:
    properties = {"op": {"const": name, "type": "string"}, **fields}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


PATH = {"type": "string", "x-span": "path", "minLength": 1}
TEXT = {"type": "string", "x-span": "text"}
CALLS = {
    "anyOf": [
        call("fs", {"anyOf": [op("read", path=PATH), op("write", path=PATH, text=TEXT), op("remove", path=PATH)]}),
        call("finish", field("text")),
        call("shell", field("shell")),
    ]
}
CALL_TOKENIZER = byte_tokenizer('{"tool":"', '","args":{"', "read", "re", 'op":"', '"}}', "docs", "main")


def test_the_two_stages_accept_what_the_narrowed_schema_validates() -> None:
    calls = CallGrammar(CALLS, CALL_TOKENIZER)
    assert sorted(b.prefix.decode() for b in calls.branches) == [
        '{"tool":"finish","args":{"v":"',
        '{"tool":"fs","args":{"op":"read","path":"',
        '{"tool":"fs","args":{"op":"remove","path":"',
        '{"tool":"fs","args":{"op":"write","path":"',
        '{"tool":"shell","args":{"v":"',
    ]
    lexicon = Lexicon(text=("done",), shell=("ls", "mv"))
    spans = find_spans(WINDOW)
    validator = jsonschema.Draft202012Validator(narrow(CALLS, spans, lexicon))
    narrowed = calls.narrowed(spans, lexicon)
    rng = random.Random(3)
    tools, forced_tokens = set(), 0
    for _ in range(80):
        matcher, tokens = narrowed.matcher(), []
        while not matcher.is_done() and len(tokens) < 300:
            taken = matcher.forced()
            forced_tokens += len(taken)
            if not taken:
                choices = allowed(matcher.mask())
                quotes = [token for token in choices if calls.token_bytes[token][:1] == b'"']
                taken = [rng.choice(quotes if quotes and rng.random() < 0.4 else choices)]
            before = matcher.position
            matcher.advance(taken)
            matcher.rollback(matcher.position - before)
            assert matcher.copy().allowed_prefix(taken) == len(taken)
            matcher.advance(taken)
            tokens += taken
        if matcher.is_done():
            value = json.loads(calls.trie.decode_bytes(tokens))
            validator.validate(value)
            tools.add(value["tool"])
    assert tools == {"fs", "finish", "shell"} and forced_tokens > 500


def test_rolling_back_over_the_decision_opens_it_again() -> None:
    calls = CallGrammar(CALLS, CALL_TOKENIZER)
    matcher = calls.narrowed(find_spans(WINDOW), Lexicon(text=("done",))).matcher()
    read = CALL_TOKENIZER.encode('{"tool":"fs","args":{"op":"read","path":"main.py"}}').ids
    done = CALL_TOKENIZER.encode('{"tool":"finish","args":{"v":"done"}}').ids
    empty = matcher.mask()
    matcher.advance(read)
    assert matcher.decided and matcher.is_done()
    with pytest.raises(ConstraintError):
        matcher.advance([5])
    matcher.rollback(len(read))
    assert not matcher.decided and (matcher.mask() == empty).all()
    matcher.advance(done)
    assert matcher.is_done() and matcher.accepts_eos()
    matcher.rollback(3)
    assert matcher.decided and matcher.position == len(done) - 3
    with pytest.raises(ConstraintError):
        matcher.advance(CALL_TOKENIZER.encode("z").ids)
    matcher.advance(done[-3:])
    assert matcher.is_done()


def test_the_projects_own_calls_can_be_written() -> None:
    from hybrid_agent.tools.registry import call_schema

    calls = CallGrammar(call_schema(), CALL_TOKENIZER)
    gold = {
        "tool": "editor",
        "args": {"path": "main.py", "edits": [{"op": "replace", "find": "a + b", "text": "b + a"}]},
    }
    spans = find_spans(WINDOW)
    assert covers(call_schema(), gold, spans, Lexicon()) == []
    for narrowed in (calls.narrowed(spans, Lexicon()), calls.narrowed(Spans(), Lexicon())):
        matcher = narrowed.matcher()
        matcher.advance(CALL_TOKENIZER.encode(json.dumps(gold, separators=(",", ":"))).ids)
        assert matcher.accepts_eos()
    away = json.dumps(gold, separators=(",", ":")).replace("main.py", "etc.py")
    assert calls.narrowed(spans, Lexicon()).matcher().allowed_prefix(CALL_TOKENIZER.encode(away).ids) < 40


def test_strong_separators_are_where_steps_end() -> None:
    assert plans("1) count a, save it in b 2) remove c") == (("count a, save it in b", "remove c"),)
    assert plans("Copy a to b. After that delete c, and finally list d.") == (("Copy a to b", "delete c", "list d"),)


def test_weak_separators_may_or_may_not_end_a_step() -> None:
    found = plans("copy a, b and c")
    assert set(found) == {
        ("copy a, b and c",),
        ("copy a", "b and c"),
        ("copy a, b", "c"),
        ("copy a", "b", "c"),
    }


def test_a_plan_covers_the_goal_in_order() -> None:
    goal = "please move x.txt to y and rename z, 'a and b' stays"
    for plan in plans(goal):
        at = 0
        for step in plan:
            at = goal.index(step, at) + len(step)
        assert goal[at:].strip(" .") == ""
    assert len(plans(" and ".join(f"do {i}" for i in range(99)))) <= 512


def test_quoted_texts_of_several_words_are_copied_as_a_whole() -> None:
    goal = "append 'red,green blue' to `a/b.txt` and 'solo' to green.txt"
    window = Window(goal=goal, phase="step", steps=(goal,))
    spans = find_spans(window)
    assert "red,green blue" in spans.prose
    assert {"red", "blue"}.isdisjoint(spans.prose)  # only inside the quoted text
    assert {"a", "b", "txt", "solo", "green"} <= set(spans.prose)  # named outside it too
    schema = {"type": "string", "x-span": "text"}
    for text, fine in (("red,green blue", True), ("#red,green blue\n", True), ("red", False), ("red green", False)):
        assert (not covers(schema, text, spans, Lexicon())) == fine  # type: ignore[arg-type]
        narrowed = narrow(schema, spans, Lexicon())
        assert jsonschema.Draft202012Validator(narrowed).is_valid(text) == fine


def test_a_barred_clause_is_no_step_of_a_plan():
    goal = "please copy a.txt to b.txt, move c.md to d.md and list e"
    joined = "copy a.txt to b.txt, move c.md to d.md"
    ways = find_spans(Window(goal=goal)).plans
    assert (joined, "list e") in ways
    left = find_spans(Window(goal=goal, barred=(joined,))).plans
    assert ("copy a.txt to b.txt", "move c.md to d.md", "list e") in left and len(left) < len(ways)
    assert not any(joined in step for way in left for step in way)
    assert (
        find_spans(Window(goal="copy a.txt", barred=("copy a.txt",))).plans
        == find_spans(Window(goal="copy a.txt")).plans
    )
