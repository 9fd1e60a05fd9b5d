"""Other names in training sequences: the same everywhere, and never a word that something else is made of."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.packs import words
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from train import rename as command
from train.data import Line, Segment, read_sequences
from train.made_up import made_up
from train.rename import fixed_words, renamed


@pytest.fixture(scope="module")
def fixed() -> frozenset[str]:
    return fixed_words(("os",))


def line(*texts: str) -> Line:
    return Line(segments=tuple(Segment(text=text, train=at % 2 == 1) for at, text in enumerate(texts)))


def test_made_up_words_are_in_no_pool() -> None:
    rng = random.Random(0)
    made = [made_up(rng, ()) for _ in range(3000)]
    assert not set(made) & {*words.TRAIN, *words.HELD}
    assert all(re.fullmatch("[a-z]{4,11}", word) for word in made)
    assert len(set(made)) > 2500
    assert made_up(random.Random(3), ()) != made_up(random.Random(3), {made_up(random.Random(3), ())})


def test_words_of_wordings_and_commands_stay(fixed: frozenset[str]) -> None:
    assert {"folder", "image", "key", "server", "print"} <= fixed
    assert not {"rocket", "salmon", "zebra"} & fixed


def test_a_name_changes_everywhere_in_the_same_way(fixed: frozenset[str]) -> None:
    call = '{"tool":"fs","args":{"op":"write","path":"salmon/rocket_7.txt","text":"zebra\\nrocket\\n"}}'
    before = line("<|step|>Rocket: write rocket_7.txt in the folder salmon, key ROCKET_URL, rocketsalmon<|call|>", call)
    after = renamed(before, random.Random(1), fixed)
    text = "".join(segment.text for segment in after.segments)
    assert not re.search("rocket|salmon|zebra", text, re.IGNORECASE)
    args = json.loads(after.segments[1].text)["args"]
    folder, name = re.fullmatch(r"([a-z]+)/([a-z]+)_7\.txt", args["path"]).groups()  # type: ignore[union-attr]
    assert args["text"].splitlines()[1] == name
    assert f"{name.capitalize()}: write {name}_7.txt in the folder {folder}, key {name.upper()}_URL" in text
    assert after.segments[0].text.startswith("<|step|>") and after.segments[0].text.endswith("<|call|>")


def test_json_within_json_keeps_its_line_ends(fixed: frozenset[str]) -> None:
    inner = json.dumps({"text": "hotel\nrocket"})
    outer = json.dumps({"args": {"text": inner}})
    after = renamed(line("rocket hotel", outer), random.Random(2), fixed)
    name, other = after.segments[0].text.split()
    assert json.loads(json.loads(after.segments[1].text)["args"]["text"])["text"] == f"{other}\n{name}"


def test_a_share_of_nothing_changes_nothing(fixed: frozenset[str]) -> None:
    before = line("rocket", "salmon")
    assert renamed(before, random.Random(0), fixed, share=0.0) == before


def test_calls_of_tasks_stay_calls_and_plans_stay_parts_of_the_goal(fixed: frozenset[str]) -> None:
    pack, changed = load_pack("os"), 0
    for seed in range(60):
        task = make_task(pack, "train", f"rename{seed}")
        calls = [call.model_dump_json(exclude_defaults=True) for call in task.gold]
        after = renamed(line(task.goal, *calls), random.Random(seed), fixed)
        goal = after.segments[0].text
        steps = json.loads(after.segments[1].text)["args"]["steps"]
        assert all(step in goal for step in steps)
        for segment, call in zip(after.segments[1:], task.gold, strict=True):
            new = json.loads(segment.text)
            old = json.loads(call.model_dump_json(exclude_defaults=True))
            assert new["tool"] == old["tool"] and new["args"].keys() == old["args"].keys()
        changed += goal != task.goal
    assert changed > 50


def test_the_command(tmp_path: Path) -> None:
    data, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    data.write_text("".join(line(f"rocket{n}", "rocket").model_dump_json() + "\n" for n in range(200)))
    arguments = [f"data={data}", f"out={out}", "packs=[os]", "share=0.5", "words=1.0"]
    assert command.main(arguments) == 0
    made = list(read_sequences(out))
    kept = sum(one.segments[1].text == "rocket" for one in made)
    assert len(made) == 200 and 70 < kept < 130
    assert all(re.sub(r"\d", "", one.segments[0].text) == one.segments[1].text for one in made)
    assert command.main(arguments) == 0 and list(read_sequences(out)) == made
    wrong = (
        ([f"data={data}", f"out={data}"], "out: is the data itself"),
        ([f"data={data}", f"out={tmp_path / 'x.txt'}"], "must end in .jsonl"),
        (["out=x.jsonl"], "data"),
        ([f"data={data}", f"out={out}", "packs=[nothing]"], "nothing"),
    )
    for given, said in wrong:
        with pytest.raises(InputError, match=said):
            command.main(given)
    assert list(read_sequences(out)) == made
