"""`python -m eval.swebench_run_eval`: saved logs are graded by the official code; the engine is looked at first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from eval.swe_harness import HarnessRun, run_id_of
from eval.swe_records import InstanceRecord, folder_of, store
from eval.swebench_run_eval import command
from hybrid_agent.cli.exits import program
from hybrid_agent.swe.bench.dataset import load_rows
from hybrid_agent.swe.bench.predictions import Prediction, read_predictions, write_predictions
from hybrid_agent.swe.bench.repos import tree
from tests.integration.swe_cases import cases, five, official_log, patch, repository, row, write_jsonl

BASE_IMAGE = "python:3.11-slim-bookworm"
GOOD, WRONG = patch("-=", "+="), patch("-=", "*=")
FOREIGN = patch("/=", "+=")
BREAKS = GOOD + (
    "@@ -9,3 +9,3 @@\n def largest(values):\n"
    '     """The largest value, None if there is none."""\n'
    "-    return max(values) if values else None\n+    return min(values) if values else None\n"
)
PATCHES = {"fixed": GOOD, "wrong": WRONG, "foreign": FOREIGN, "breaks": BREAKS, "empty": "", "slow": GOOD, "old": GOOD}
EXPECTED = {
    "fixed": "resolved",
    "wrong": "not_fixed",
    "foreign": "patch_not_applied",
    "breaks": "broke_tests",
    "empty": "empty_patch",
    "slow": "timeout",
    "old": "other_patch",
    "cut": "no_test_output",
    "lost": "no_log",
    "none": "no_prediction",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with an instance for each way to end, predictions, and the logs of real test runs."""
    base = tmp_path_factory.mktemp("swe")
    commit = repository(base / "mirror")
    rows = [five(row(name, "one/shop" if name < "g" else "two/shop", commit)) for name in EXPECTED]
    write_jsonl(base / "data.jsonl", rows)
    patches = {**PATCHES, "cut": GOOD, "lost": GOOD}
    write_predictions(base / "preds.jsonl", [Prediction(name, "a/model", text) for name, text in patches.items()])
    logs = base / "logs" / "some-run" / "a__model"
    for name in ("fixed", "wrong", "foreign", "breaks"):
        with tree(base / "mirror", commit) as folder:
            official_log(logs / name, folder, rows[0], patches[name])
    for name in ("slow", "old", "cut"):
        shutil.copytree(logs / "fixed", logs / name)
    text = (logs / "fixed" / "test_output.txt").read_text()
    (logs / "slow" / "test_output.txt").write_text(text + "\n\nTimeout error: 9 seconds exceeded.")
    (logs / "old" / "patch.diff").write_text(WRONG)
    (logs / "cut" / "test_output.txt").write_text(text.split(">>>>> End Test Output")[0])
    for name, seconds in (("fixed", 60.0), ("wrong", 30.0)):
        record = InstanceRecord(
            instance_id=name, row="x", state="patch", patch=patches[name], test_runs=7, seconds=seconds
        )
        store(folder_of(base / "preds.jsonl") / name, record, {})
    return base


def evaluate(base: Path, out: Path, *more: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    arguments = ["--dataset_name", str(base / "data.jsonl"), "--predictions_path", str(base / "preds.jsonl")]
    with pytest.raises(SystemExit) as caught:
        program(command, [*arguments, "--report_dir", str(out), "--json", *more])
    said = capsys.readouterr()
    assert not caught.value.code, said.err
    found: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str]:
    with pytest.raises(SystemExit) as caught:
        program(command, arguments)
    return caught.value.code, capsys.readouterr().err


def test_saved_logs_are_graded_without_docker(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = evaluate(saved, tmp_path, "--offline", "--logs", str(saved / "logs"), capsys=capsys)
    assert {entry["instance_id"]: entry["reason"] for entry in body["instances"]} == EXPECTED
    assert body["resolved"]["hits"] == 1 and body["resolved"]["n"] == len(EXPECTED)
    assert body["by_repo"]["one/shop"]["hits"] == 1 and body["by_repo"]["two/shop"]["hits"] == 0
    fixed = next(entry for entry in body["instances"] if entry["instance_id"] == "fixed")
    assert fixed["passed"] == fixed["wanted"] == [1, 1] and fixed["test_seconds"] == 1.5
    broke = next(entry for entry in body["instances"] if entry["instance_id"] == "breaks")
    assert broke["passed"] == [1, 0] and "test_largest" in broke["detail"]
    foreign = next(entry for entry in body["instances"] if entry["instance_id"] == "foreign")
    assert "shop/sums.py" in foreign["detail"]
    cost = body["cost"]
    assert cost["test_runs"] == 14 and cost["agent_seconds"] == 90 and cost["per_resolved"]["test_runs"] == 14
    written = json.loads((tmp_path / body["run_id"] / "report.json").read_text())
    assert written == body


def test_another_patch_is_another_run(saved: Path) -> None:
    rows = load_rows(str(saved / "data.jsonl"))[:2]
    fixed, wrong = (Prediction("fixed", "m", text) for text in (GOOD, WRONG))
    other = Prediction("wrong", "m", GOOD)
    first = run_id_of("night", rows, [fixed, other])
    assert first.startswith("night-") and first == run_id_of("night", rows, [other, fixed])
    stricter = [{**rows[0], "FAIL_TO_PASS": '["tests/test_sums.py::test_more"]'}, rows[1]]
    ids = {first, run_id_of("night", rows, [wrong, other]), run_id_of("night", stricter, [fixed, other])}
    assert len(ids) == 3


def test_rows_of_the_old_schema_are_told_what_they_lack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_jsonl(tmp_path / "four.jsonl", [row("a", "one/shop", "0" * 40)])
    write_predictions(tmp_path / "preds.jsonl", [Prediction("a", "m", GOOD)])
    code, said = refused(
        capsys, "--dataset_name", str(data), "--predictions_path", str(tmp_path / "preds.jsonl"), "--offline"
    )
    assert code == 2 and "lacks image, eval_script, log_parser, eval_type" in said and "4.x" in said


def test_predictions_of_another_data_set_are_refused(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_predictions(tmp_path / "other.jsonl", [Prediction("nobody__knows-1", "m", GOOD)])
    common = ("--dataset_name", str(saved / "data.jsonl"), "--offline", "--predictions_path")
    code, said = refused(capsys, *common, str(tmp_path / "other.jsonl"))
    assert code == 2 and "nobody__knows-1" in said
    (tmp_path / "bad.jsonl").write_text('{"instance_id": "fixed", "model_name_or_path": "m"}\n')
    code, said = refused(capsys, *common, str(tmp_path / "bad.jsonl"))
    assert code == 2 and "line 1" in said and "model_patch" in said


def test_without_an_engine_the_preflight_says_what_to_do(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    code, said = refused(
        capsys,
        *("--dataset_name", str(saved / "data.jsonl"), "--predictions_path", str(saved / "preds.jsonl")),
        *("--report_dir", str(tmp_path / "out"), "--json"),
    )
    assert code == 3 and "engine does not answer" in said and "--offline" in said
    assert not (tmp_path / "out").exists()


def _engine_with(image: str) -> bool:
    try:
        import docker

        client = docker.from_env(timeout=5)
        client.images.get(image)
        client.close()
    except Exception:
        return False
    return True


@pytest.mark.skipif(not _engine_with(BASE_IMAGE), reason=f"no Docker engine that has {BASE_IMAGE}")
def test_the_official_harness_runs_in_containers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import docker
    from eval.swe_images import build_image

    commit = repository(tmp_path / "mirror")
    image = f"swe-case-{tmp_path.name.replace('_', '-')}:latest"
    rows = [five(row(f"one__shop-{n}", "one/shop", commit), image) for n in range(3)]
    write_jsonl(tmp_path / "data.jsonl", rows)
    made = [
        Prediction(each["instance_id"], "a/model", text) for each, text in zip(rows, (GOOD, WRONG, ""), strict=True)
    ]
    write_predictions(tmp_path / "preds.jsonl", made)
    client = docker.from_env()
    try:
        build_image(rows[0], tmp_path / "mirror", BASE_IMAGE, client)
        body = evaluate(tmp_path, tmp_path / "out", "--max_workers", "1", "--timeout", "600", capsys=capsys)
        assert [entry["reason"] for entry in body["instances"]] == ["resolved", "not_fixed", "empty_patch"]
        assert {finding["level"] for finding in body["preflight"]} == {"ok"}
        (again,) = [e for e in evaluate(tmp_path, tmp_path / "out", "-i", "one__shop-0", capsys=capsys)["instances"]]
        assert again["resolved"]
        left = [box.name for box in client.containers.list(all=True) if body["run_id"] in box.name]
        assert left == []
    finally:
        client.images.remove(image, force=True)
        client.close()


def test_the_official_loaders_read_what_the_harness_is_given(tmp_path: Path) -> None:
    from swebench.harness.utils import get_predictions_from_file, load_swebench_dataset, make_test_spec

    data, _ = cases(tmp_path, 2, repos=1)
    rows = load_rows(str(data))
    rows[0]["problem_statement"] = "one line\u2028\x0cstill the same line, \u00e4"
    predictions = [Prediction(each["instance_id"], "m", GOOD + "\u2028") for each in rows]
    HarnessRun(tmp_path / "run", "id", 1, 60).prepare(rows, predictions)
    loaded = load_swebench_dataset(str(tmp_path / "run" / "dataset.jsonl"))
    assert loaded == rows and make_test_spec(loaded[0]).FAIL_TO_PASS == ["tests/test_sums.py::test_total"]
    path = str(tmp_path / "run" / "predictions.jsonl")
    assert get_predictions_from_file(path, "unused", "test") == [each.as_json() for each in predictions]
    assert list(read_predictions(Path(path)).by_id.values()) == predictions
