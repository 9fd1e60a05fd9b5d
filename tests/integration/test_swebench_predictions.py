"""`python -m eval.swebench_generate_predictions`: resumable, checked on the base commit, officially readable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from eval.swebench_generate_predictions import command as generate_predictions
from hybrid_agent.cli.exits import program
from hybrid_agent.swe.bench.repos import locate, tree
from tests.integration.swe_cases import cases, command, environment, git, patch, repository, row, write_jsonl

MODULE = "eval.swebench_generate_predictions"
PAIR_TESTS = """import unittest

from pair import at_least


class Pairs(unittest.TestCase):
    def test_at_least(self):
        self.assertTrue(at_least(2, 1) and at_least(1, 1))
        self.assertFalse(at_least(1, 2))
"""
KEYS = ["instance_id", "model_name_or_path", "model_patch"]


def generate(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    with pytest.raises(SystemExit) as caught:
        program(generate_predictions, [*arguments, "--json", "--workers", "1"])
    said = capsys.readouterr()
    assert (caught.value.code or 0) == code, said.err
    found: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        program(generate_predictions, [*arguments, "--workers", "1"])
    assert caught.value.code == 2
    return capsys.readouterr().err


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def options(data: Path, mirrors: Path, out: Path, model: str = "me") -> list[str]:
    words = {"--dataset_name": data, "--repo_root": mirrors, "--out": out, "--model_name": model, "--agent": "gold"}
    return [str(word) for pair in words.items() for word in pair]


def test_a_killed_run_goes_on_to_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, mirrors = cases(tmp_path, 20)
    generate(capsys, *options(data, mirrors, tmp_path / "whole.jsonl"))

    out = tmp_path / "preds.jsonl"
    process = subprocess.Popen(
        command(MODULE, *options(data, mirrors, out), "--workers", "2"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 300
    while len(list(tmp_path.glob("preds.runs/*/record.json"))) < 4:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    scratch = Path((tmp_path / "preds.runs" / "scratch").read_text().strip())
    os.kill(process.pid, signal.SIGKILL)  # its workers must die with it
    process.wait()
    _wait_for_end_of_group(process.pid)
    done = {path.parent.name: path.stat().st_mtime_ns for path in tmp_path.glob("preds.runs/*/record.json")}
    assert 4 <= len(done) < 20 and scratch.is_dir()

    body = generate(capsys, *options(data, mirrors, out))
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert body["complete"] and body["states"] == {"patch": 20}
    again = {name: (tmp_path / "preds.runs" / name / "record.json").stat().st_mtime_ns for name in done}
    assert again == done, "a finished instance was done again"
    assert not scratch.exists(), "trees of the killed run are left"
    traces = sorted(path.parent.name for path in tmp_path.glob("preds.runs/*/trace.json"))
    assert traces == sorted(entry["instance_id"] for entry in lines(out))


def _wait_for_end_of_group(group: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("workers outlived the killed process")


def test_what_does_not_apply_and_what_is_empty_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit = repository(tmp_path / "mirror")
    rows = [
        row("good-1", "a/shop", commit),
        row("stale-1", "a/shop", commit, old="/="),
        row("empty-1", "a/shop", commit, patch="\n"),
        row("lost-1", "a/shop", "0" * 40),
    ]
    data, out = write_jsonl(tmp_path / "data.jsonl", rows), tmp_path / "preds.jsonl"
    body = generate(capsys, *options(data, tmp_path / "mirror", out), code=3)
    assert body["states"] == {"patch": 1, "does_not_apply": 1, "empty": 1, "error": 1}
    assert body["not_applying"] == ["stale-1"] and body["empty"] == ["empty-1"]
    assert "no commit" in body["errors"]["lost-1"]
    assert [list(entry) for entry in lines(out)] == [KEYS] * 4
    assert [entry["model_patch"] for entry in lines(out)][2:] == ["", ""]
    trace = json.loads((tmp_path / "preds.runs" / "stale-1" / "trace.json").read_text())
    assert trace["apply_check"]["applies"] is False and "shop/sums.py" in trace["apply_check"]["said"]
    trace = json.loads((tmp_path / "preds.runs" / "empty-1" / "trace.json").read_text())
    assert trace["apply_check"]["applies"] is None

    rows[3] = row("lost-1", "a/shop", commit)  # the machinery is repaired: only this one is tried again
    before = (tmp_path / "preds.runs" / "good-1" / "record.json").stat().st_mtime_ns
    body = generate(capsys, *options(write_jsonl(data, rows), tmp_path / "mirror", out))
    assert body["errors"] == {} and lines(out)[3]["model_patch"] == patch("-=", "+=")
    assert (tmp_path / "preds.runs" / "good-1" / "record.json").stat().st_mtime_ns == before


def test_the_official_loader_accepts_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from swebench.harness.utils import get_predictions_from_file

    data, mirrors = cases(tmp_path, 3)
    out = tmp_path / "preds.jsonl"
    generate(capsys, *options(data, mirrors, out), "--limit", "2")
    generate(capsys, *options(data, mirrors, out))
    loaded = get_predictions_from_file(str(out), str(data), "test")
    assert [entry["instance_id"] for entry in loaded] == [f"small__shop-{n}" for n in range(3)]
    assert all(set(entry) == set(KEYS) and entry["model_patch"] for entry in loaded)


def test_results_of_other_settings_do_not_mix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, mirrors = cases(tmp_path, 1, repos=1)
    out = tmp_path / "preds.jsonl"
    generate(capsys, *options(data, mirrors, out))
    said = refused(capsys, *options(data, mirrors, out, model="another"))
    assert "other settings" in said and "'me', now 'another'" in said and "--restart" in said
    body = generate(capsys, *options(data, mirrors, out, model="another"), "--restart")
    assert body["instances"] == 1 and lines(out)[0]["model_name_or_path"] == "another"


def test_a_tree_has_no_future(tmp_path: Path) -> None:
    commit = repository(tmp_path / "m" / "a__shop")
    with tree(locate("a/shop", str(tmp_path / "m")), commit) as folder:
        assert git(folder, "rev-list", "--all", "--count") == "1"
        assert "-= value" in (folder / "shop" / "sums.py").read_text()
        assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("shape", ["a__shop.git", "a/shop", "shop", "a__shop.bundle", "url"])
def test_repositories_are_found_in_every_shape(tmp_path: Path, shape: str) -> None:
    commit = repository(tmp_path / "origin")
    mirrors = tmp_path / "mirrors"
    root: str = str(mirrors)
    (mirrors / shape).parent.mkdir(parents=True)
    if shape == "url":
        root = f"file://{tmp_path}/{{name}}"
        (tmp_path / "origin").rename(tmp_path / "shop")
    elif shape.endswith(".bundle"):
        git(tmp_path / "origin", "bundle", "create", "-q", str(mirrors / shape), "HEAD")
    else:
        bare = ["--bare"] if shape.endswith(".git") else []
        git(tmp_path, "clone", "--quiet", *bare, str(tmp_path / "origin"), str(mirrors / shape))
    with tree(locate("a/shop", root, tmp_path / "cache"), commit) as folder:
        assert (folder / "shop" / "sums.py").is_file()


def test_bad_input_is_answered_with_what_to_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, mirrors = cases(tmp_path, 2, repos=1)
    common = options(data, mirrors, tmp_path / "preds.jsonl")
    assert "small__shop-0" in refused(capsys, *common, "--instance_ids", "small__shop-9")
    assert "local or hybrid" in refused(capsys, *common, "--agent", "magic")
    assert "does not parse" in refused(capsys, *common, "--agent", "local", "--test_cmd", "pytest 'x")
    assert ".jsonl" in refused(capsys, *options(data, mirrors, tmp_path / "preds.json"))
    assert "no such file" in refused(capsys, *options(tmp_path / "none.jsonl", mirrors, tmp_path / "p.jsonl"))


def test_the_patch_loop_repairs_what_a_visible_test_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mirror"
    (folder / "tests").mkdir(parents=True)
    (folder / "pair.py").write_text("def at_least(a, b):\n    return a < b\n")
    (folder / "tests" / "test_pair.py").write_text(PAIR_TESTS)
    (folder / "tests" / "__init__.py").write_text("")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "start")
    rows = [row("a__pair-1", "a/pair", git(folder, "rev-parse", "HEAD"), problem_statement="at_least(2, 1) is False")]
    data, out = write_jsonl(tmp_path / "data.jsonl", rows), tmp_path / "preds.jsonl"
    arguments = {"--dataset_name": data, "--repo_root": folder, "--out": out, "--model_name": "loop", "--budget": 15}
    words = [str(word) for pair in arguments.items() for word in pair]
    command_words = ["--agent", "local", "--test_cmd", "python3 -m unittest", "--order", "operator"]
    body = generate(capsys, *words, *command_words)
    assert body["states"] == {"patch": 1} and 3 <= body["test_runs"] <= 15
    (found,) = lines(out)
    assert "--- a/pair.py" in found["model_patch"] and "tests/" not in found["model_patch"]
    trace = json.loads((tmp_path / "preds.runs" / "a__pair-1" / "trace.json").read_text())
    assert trace["apply_check"]["applies"] and trace["result"]["status"] == "fixed" and trace["said"]
    assert "a < b" in (folder / "pair.py").read_text(), "the mirror is untouched"
