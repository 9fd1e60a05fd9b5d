"""Data sets in every shape, predictions files, and what is said of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.swe.bench import dataset
from hybrid_agent.swe.bench.dataset import grading_hash, load_rows, require_evaluation, select_rows, write_rows
from hybrid_agent.swe.bench.predictions import Prediction, predictions_hash, read_predictions

ROWS: list[dict[str, Any]] = [
    {
        "instance_id": f"a__b-{n}",
        "repo": "a/b",
        "base_commit": "0" * 40,
        "problem_statement": f"text {n}\u2028 with a line end of another kind",
        "FAIL_TO_PASS": '["t.py::one"]',
        "PASS_TO_PASS": "[]",
    }
    for n in range(3)
]


def _parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def _make(base: Path, shape: str) -> Path:
    path = base / shape
    if shape == "rows.json":
        path.write_text(json.dumps(ROWS))
    elif shape == "by_id.json":
        path.write_text(json.dumps({row["instance_id"]: row for row in ROWS}))
    elif shape == "rows.jsonl":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), encoding="utf-8")
    elif shape == "rows.parquet":
        _parquet(path, ROWS)
    elif shape == "folder_jsonl":
        path.mkdir()
        write_rows(path / "test.jsonl", ROWS)
        write_rows(path / "dev.jsonl", ROWS[:1])
    elif shape == "folder_hub_download":
        _parquet(path / "data" / "test-00000-of-00002.parquet", ROWS[:2])
        _parquet(path / "data" / "test-00001-of-00002.parquet", ROWS[2:])
    elif shape == "task_repo":
        from swebench.task.repo import dump_yaml

        for row in ROWS:
            folder = path / "tasks" / row["instance_id"]
            folder.mkdir(parents=True)
            short = {key: row[key] for key in ("instance_id", "repo", "base_commit")}
            (folder / "task.yaml").write_text(dump_yaml({**short, "split": "test"}))
            (folder / "tests.json").write_text(json.dumps({"FAIL_TO_PASS": ["t.py::one"], "PASS_TO_PASS": []}))
            (folder / "problem_statement.md").write_text(row["problem_statement"], encoding="utf-8")
            for name in ("gold.patch", "test.patch", "eval.sh"):
                (folder / name).write_text("")
    return path


SHAPES = ("rows.json", "by_id.json", "rows.jsonl", "rows.parquet", "folder_jsonl", "folder_hub_download", "task_repo")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(tmp_path: Path, shape: str) -> None:
    rows = load_rows(str(_make(tmp_path, shape)))
    for row, original in zip(rows, ROWS, strict=True):
        assert all(row[key] == original[key] for key in ("instance_id", "repo", "base_commit", "problem_statement"))
        assert dataset.tests_of(row, "FAIL_TO_PASS") == ["t.py::one"] and dataset.tests_of(row, "PASS_TO_PASS") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ('{"instance_id": "a"}', "lacks repo, base_commit, problem_statement"),
        ("{", "line 1 is not JSON"),
        (json.dumps({**ROWS[0], "instance_id": "../a"}), "cannot name a folder"),
        (json.dumps(ROWS[0]) + "\n" + json.dumps(ROWS[0]), "there twice"),
        ("3", "not a list of rows"),
    ],
)
def test_wrong_rows_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        load_rows(str(path))


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no split 'test'"):
        load_rows(str(tmp_path / "empty"))
    with pytest.raises(InputError, match="no such file, folder or data set"):
        load_rows(str(tmp_path / "none.parquet"))
    (tmp_path / "rows.csv").write_text("a,b")
    with pytest.raises(InputError, match="not a data set file"):
        load_rows(str(tmp_path / "rows.csv"))
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(InputError, match="not a Parquet file"):
        load_rows(str(tmp_path / "bad.parquet"))


def test_old_rows_are_told_what_they_lack() -> None:
    with pytest.raises(InputError, match=r"a__b-0 lacks image, eval_script, log_parser, eval_type, version.*4\.x"):
        require_evaluation(ROWS, "data")
    complete = {**ROWS[0], "image": "i", "eval_script": "", "log_parser": "p", "eval_type": "fail_only", "version": "1"}
    require_evaluation([complete], "data")
    with pytest.raises(InputError, match="not a list of test names"):
        require_evaluation([{**complete, "PASS_TO_PASS": "t.py::one"}], "data")


def test_selection_keeps_the_order_of_the_data() -> None:
    chosen = select_rows(ROWS, ["a__b-2", "a__b-0"], None, "data")
    assert [row["instance_id"] for row in chosen] == ["a__b-0", "a__b-2"]
    assert select_rows(ROWS, [], 2, "data") == ROWS[:2]
    with pytest.raises(InputError, match="a__b-9"):
        select_rows(ROWS, ["a__b-9"], None, "data")


def test_predictions_in_every_shape(tmp_path: Path) -> None:
    wanted = [Prediction("i-1", "m", "patch\n"), Prediction("i-2", "m", "")]
    body = [{**wanted[0].as_json(), "more": 1}, {**wanted[1].as_json(), "model_patch": None}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, body)) + "\n\n")
    (tmp_path / "b.json").write_text(json.dumps(body))
    (tmp_path / "c.json").write_text(json.dumps({entry["instance_id"]: entry for entry in body}))
    for name in ("a.jsonl", "b.json", "c.json"):
        assert list(read_predictions(tmp_path / name).by_id.values()) == wanted


def test_the_last_of_repeated_predictions_counts_and_is_told(tmp_path: Path) -> None:
    lines = [Prediction("i", "m", text).as_json() for text in ("first", "second")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = read_predictions(tmp_path / "a.jsonl")
    assert found.by_id["i"].patch == "second" and found.repeated == ("i",)


@pytest.mark.parametrize("key", ["instance_id", "model_name_or_path", "model_patch"])
def test_a_prediction_without_a_key_is_refused(tmp_path: Path, key: str) -> None:
    entry = {k: v for k, v in Prediction("i", "m", "p").as_json().items() if k != key}
    (tmp_path / "a.jsonl").write_text(json.dumps(entry))
    with pytest.raises(InputError, match=f"line 1: {key}: lacks {key}"):
        read_predictions(tmp_path / "a.jsonl")


def test_hashes_see_what_decides_a_grade_and_nothing_else() -> None:
    one, two = Prediction("i", "m", "p"), Prediction("j", "m", "p")
    assert predictions_hash([one, two]) == predictions_hash([two, one])
    assert len({predictions_hash([p]) for p in (one, two, Prediction("i", "n", "p"), Prediction("i", "m", "q"))}) == 4
    assert grading_hash(ROWS) == grading_hash([{**row, "hints_text": "x"} for row in ROWS])
    assert grading_hash(ROWS) != grading_hash([{**ROWS[0], "eval_script": "true"}, *ROWS[1:]])
