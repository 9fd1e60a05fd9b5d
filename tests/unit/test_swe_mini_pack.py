"""The stored mini pack: official schema, repeatable histories, patches that say what they should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from unidiff import PatchSet

from hybrid_agent.errors import InfraError
from task_packs.swe_mini import history
from task_packs.swe_mini.cut import place, without
from task_packs.swe_mini.mirror import base_commits, branch_of, checkout, read_rows, write_mirrors
from task_packs.swe_mini.spec import NAMES, Repo, is_test, load_repo

OFFICIAL = (
    "instance_id repo base_commit patch test_patch problem_statement hints_text created_at version FAIL_TO_PASS "
    "PASS_TO_PASS environment_setup_commit image eval_script log_parser eval_type"
).split()
ROWS = read_rows()
REPOS = {name: load_repo(name) for name in NAMES}


def _repo(row: dict[str, Any]) -> Repo:
    return REPOS[row["repo"].split("/")[1]]


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_mirrors(tmp_path_factory.mktemp("mirrors"), ROWS)


def test_size_and_names() -> None:
    assert len(ROWS) >= 40 and len({row["repo"] for row in ROWS}) >= 6
    assert len({row["instance_id"] for row in ROWS}) == len(ROWS)
    written = {repo.instance_id(bug) for repo in REPOS.values() for bug in repo.bugs}
    assert {row["instance_id"] for row in ROWS} == written, "run python -m task_packs.swe_mini.build"


def test_official_code_takes_every_row() -> None:
    from swebench.harness.constants import EvalType
    from swebench.harness.log_parsers import PARSER_REGISTRY
    from swebench.harness.utils import load_swebench_dataset, make_test_spec

    loaded = load_swebench_dataset(str(Path("task_packs/swe_mini/instances.jsonl").resolve()), "test", None)
    assert [row["instance_id"] for row in loaded] == [row["instance_id"] for row in ROWS]
    for row in ROWS:
        assert set(OFFICIAL) <= set(row)
        spec = make_test_spec(row)
        assert spec.FAIL_TO_PASS and len(spec.PASS_TO_PASS) >= 10
        assert not set(spec.FAIL_TO_PASS) & set(spec.PASS_TO_PASS)
        assert spec.log_parser in PARSER_REGISTRY and EvalType(spec.eval_type) is EvalType.PASS_AND_FAIL


def test_patches_and_tests_are_apart() -> None:
    for row in ROWS:
        source = [file.path for file in PatchSet(row["patch"])]
        tests = [file.path for file in PatchSet(row["test_patch"])]
        assert source and not any(map(is_test, source)), row["instance_id"]
        assert tests and all(map(is_test, tests)), row["instance_id"]


def test_reports_tell_the_symptom_and_not_the_fix() -> None:
    for row in ROWS:
        added = [line[1:].strip() for line in row["patch"].splitlines() if line[:1] == "+" and line[:3] != "+++"]
        told = [line for line in added if len(line) > 10 and line in row["problem_statement"]]
        assert not told, f"{row['instance_id']}: {told}"
        assert len(row["problem_statement"].split()) >= 20, row["instance_id"]


def test_mirrors_have_exactly_the_commits_of_the_rows(mirrors: dict[str, Path]) -> None:
    for row in ROWS:
        heads = history.git(mirrors[row["repo"]], "rev-list", "--reverse", branch_of(row)).decode().split()
        assert heads[-1] == row["base_commit"]
        assert heads[0] == row["environment_setup_commit"]


def test_the_same_commits_whatever_the_user_is_called(
    mirrors: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"GIT_AUTHOR_NAME": "Someone", "GIT_COMMITTER_DATE": "2001-01-01", "TZ": "Asia/Tokyo"}.items():
        monkeypatch.setenv(name, value)
    rows = [row for row in ROWS if row["repo"] == "swe-mini/calcu"]
    again = write_mirrors(tmp_path, rows)["swe-mini/calcu"]
    shown = ("for-each-ref", "--format=%(objectname) %(refname)")
    assert history.git(again, *shown) == history.git(mirrors["swe-mini/calcu"], *shown)


def test_a_row_that_does_not_fit_its_files_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match="the base commit is"):
        write_mirrors(tmp_path, [{**ROWS[0], "base_commit": "0" * 40}])


@pytest.mark.parametrize("name", NAMES)
def test_patches_lead_to_the_right_state(name: str, mirrors: dict[str, Path]) -> None:
    repo = REPOS[name]
    for row in [row for row in ROWS if _repo(row) is repo][::3]:
        with checkout(mirrors[row["repo"]], row["base_commit"]) as folder:
            history.git(folder, "apply", "-", stdin=row["patch"].encode())
            history.git(folder, "apply", "-", stdin=row["test_patch"].encode())
            assert {path: (folder / path).read_text() for path in repo.files} == repo.files


def test_the_fix_is_not_in_the_history(mirrors: dict[str, Path]) -> None:
    row, other = [row for row in ROWS if row["repo"] == "swe-mini/spanlib"][:2]
    with checkout(mirrors[row["repo"]], row["base_commit"]) as folder:
        assert len(history.git(folder, "rev-list", "--all").split()) == 3
        with pytest.raises(InfraError):  # the base commit of another instance has this one's fix in it
            history.git(folder, "cat-file", "-e", other["base_commit"])
    repo = REPOS["spanlib"]
    bug = next(bug for bug in repo.bugs if repo.instance_id(bug) == row["instance_id"])
    for commit in base_commits(repo, bug, json.loads(row["FAIL_TO_PASS"])):
        assert all(commit.files.get(edit.file) != repo.files[edit.file] for edit in bug.edits)


SUITE = """import unittest


def test_a():
    pass


@decorated
@twice
def test_b(x):
    pass


class TestC:
    def test_d(self):
        pass

    def test_e(self):
        pass

    def helper(self):
        pass
"""


def test_cut_a_function_with_its_decorators() -> None:
    left = without({"tests/t.py": SUITE}, ["tests/t.py::test_b[1-2]", "tests/t.py::test_b[3]"])["tests/t.py"]
    assert "decorated" not in left and "twice" not in left
    assert "    pass\n\n\nclass TestC:" in left


def test_cut_a_method() -> None:
    left = without({"tests/t.py": SUITE}, ["tests/t.py::TestC::test_d"])["tests/t.py"]
    assert "class TestC:\n    def test_e" in left


def test_cut_a_class_without_tests_left() -> None:
    names = ["test_d (tests.t.TestC.test_d)", "test_e (tests.t.TestC.test_e)"]
    left = without({"tests/t.py": SUITE, "other.py": "x"}, names)
    assert "TestC" not in left["tests/t.py"] and left["other.py"] == "x"


@pytest.mark.parametrize("test", ["tests/t.py", "test_d", "test_d (tests.t.TestC)"])
def test_not_a_test(test: str) -> None:
    with pytest.raises(ValueError):
        place(test)


def test_cut_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="no such tests"):
        without({"tests/t.py": SUITE}, ["tests/t.py::test_zz"])
