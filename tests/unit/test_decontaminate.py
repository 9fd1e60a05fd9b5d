"""Held-out texts planted in training data are found, and our own training split is left alone."""

import gzip
import json
import random

import pytest

from hybrid_agent.config.mixture import ScreenConfig
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.packs.store import load_tasks
from tests.unit.stream_files import lines, text
from train.decontaminate import main, screen_for
from train.ngrams import Held, Screen, words_of

CONFIG = ScreenConfig(against=("os", "code"))


@pytest.fixture(scope="module")
def screen():
    return screen_for(CONFIG)


def said(n, seed):
    return text(random.Random(seed), n)


def test_held_out_goals_and_solutions_are_found_wherever_they_stand(screen):
    for pack in ("os", "code"):
        for task in load_tasks(pack)[::29]:
            if task.split == "val":
                continue
            hidden = json.dumps({"messages": [{"content": f"Please: {task.goal.upper()} -- {said(9, 1)}"}]})
            hit = screen.find(hidden)
            assert hit is not None and (hit.name, hit.field, hit.share) == (task.id, "goal", 1.0)
            acts = [call.model_dump_json(exclude_defaults=True) for call in task.gold if call.tool != "plan"]
            if any(len(words_of(act)) > 20 for act in acts):
                hit = screen.find(json.dumps("<|end|><|obs|>what was seen".join(acts)))
                assert hit is not None and (hit.name, hit.field) == (task.id, "gold")


def test_no_record_of_our_own_training_split_is_dropped(screen):
    for name in ("os", "code"):
        pack = load_pack(name)
        for seed in range(150):
            task = make_task(pack, "train", seed)
            record = task.goal + "\n" + "\n".join(call.model_dump_json() for call in task.gold)
            assert screen.find(record) is None, task.goal


def test_a_part_is_enough_and_a_frame_is_not():
    frame = "Describe the bug as well as you can and tell us which versions of all the parts you are using please: "
    held = [Held(f"a__b-{i}", "problem_statement", frame + said(60, i)) for i in range(12)]
    screen = Screen(held, CONFIG)
    assert screen.find(frame + said(60, 99)) is None
    copied = held[3].text.split()[25:65]
    assert screen.find(" ".join(copied[:10])) is None
    hit = screen.find(said(200, 50) + " " + " ".join(copied) + " " + said(200, 51))
    assert hit is not None and hit.name == "a__b-3" and 0.3 < hit.share < 1
    assert hit.found == " ".join(copied[:13])
    changed = held[5].text.split()
    changed[::9] = ["other"] * len(changed[::9])  # no run of 13 words is left
    assert screen.find(" ".join(changed)) is None


def test_short_texts_must_be_there_whole_and_very_short_ones_are_not_looked_for():
    screen = Screen([Held("x", "goal", "put the red hat on the shelf"), Held("y", "goal", "list the files")], CONFIG)
    assert (len(screen.items), screen.skipped) == (1, 1)
    assert screen.find("Now put the red hat\\non the SHELF, please").name == "x"
    assert screen.find("put the red hat on the table") is None and screen.find("list the files") is None


def test_ids_count_wherever_they_stand():
    screen = Screen([Held("django__django-11099", "instance_id", "django__django-11099", exact=True)], CONFIG)
    assert screen.find("see (django__django-11099).").field == "instance_id"
    assert screen.find("see django__django-110991 or django-11099") is None


def test_the_command_drops_what_was_planted_and_says_why(tmp_path, capsys):
    rows = [{"prompt": f"{i} {said(20, i)}", "completion": said(20, 1000 + i)} for i in range(40)]
    goal = next(task.goal for task in load_tasks("os", "test_composition"))
    statement = said(80, 77)
    rows.insert(3, {"prompt": f"do this: {goal}", "completion": "ok"})
    rows.insert(20, {"prompt": "fix it", "completion": f"it says {statement} and no more"})
    rows.insert(31, {"prompt": "the fix of astropy__astropy-12907 is", "completion": said(9, 5)})
    data = lines(tmp_path / "data.jsonl", rows)
    swe = {"instance_id": "astropy__astropy-12907", "repo": "astropy/astropy", "base_commit": "a" * 40}
    lines(tmp_path / "swe.jsonl", [{**swe, "problem_statement": statement}])
    out = tmp_path / "clean.jsonl.gz"
    code = main([f"data={data}", "format=completion", f"against=[os,code,{tmp_path}/swe.jsonl]", f"out={out}"])
    assert code == 0 and "3 of 43 records" in capsys.readouterr().out
    report = json.loads((tmp_path / "clean.jsonl.gz.report.json").read_text())
    assert [hit["record"] for hit in report["hits"]] == [4, 21, 32]
    assert report["by_field"] == {"goal": 1, "problem_statement": 1, "instance_id": 1}
    kept = [json.loads(line) for line in gzip.decompress(out.read_bytes()).splitlines()]
    assert kept == [row for number, row in enumerate(rows, 1) if number not in (4, 21, 32)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "data=FILE"),
        (["data=none.jsonl"], "no such data file"),
        (["data=none.jsonl", "against=[oss]"], "oss"),
        (["data=none.jsonl", "out=x.txt"], "out must end in"),
        (["data=none.jsonl", "share=2"], "less than or equal to 1"),
    ],
)
def test_mistakes_are_answered_with_exit_code_2(arguments, says, capsys):
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_texts_are_compared_by_their_words():
    assert words_of('Say: "Hello,\\n\\tWorld" \\\\n x\\u00e9y') == ["say", "hello", "world", "x", "y"]
