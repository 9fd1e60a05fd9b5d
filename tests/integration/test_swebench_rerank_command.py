"""`hybrid-agent rerank` on files of three models, with the repository and its tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.cli.main import main
from hybrid_agent.swe.bench.predictions import Prediction, read_predictions, write_predictions
from tests.integration.swe_cases import patch, repository, row, write_jsonl

GOOD = patch("-=", "+=")
BREAKS = patch("-=", "*=") + (
    "@@ -9,3 +9,3 @@\n def largest(values):\n"
    '     """The largest value, None if there is none."""\n'
    "-    return max(values) if values else None\n+    return min(values) if values else None\n"
)


def rerank(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["hybrid-agent", "rerank", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    commit = repository(tmp_path / "mirror")
    rows = [row("small__shop-1", "small/shop", commit), row("small__shop-2", "small/shop", commit)]
    write_jsonl(tmp_path / "data.jsonl", rows)
    made = []
    for model, text in (("stale", patch("/=", "+=")), ("breaking", BREAKS), ("good", GOOD)):
        path = tmp_path / f"{model}.jsonl"
        write_predictions(path, [Prediction(each["instance_id"], model, text) for each in rows])
        labels = [{"instance_id": each["instance_id"], "resolved": model == "good"} for each in rows]
        write_jsonl(tmp_path / f"{model}.labels.jsonl", labels)
        made.append(path)
    return made


def test_the_patch_that_applies_and_breaks_nothing_is_chosen(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [word for file in files for word in ("--labels", file.with_suffix(".labels.jsonl"))]
    code = rerank(
        monkeypatch,
        *files,
        *("--out", tmp_path / "best.jsonl", "--scores", tmp_path / "scores.jsonl", "--model_name", "chosen", *labels),
        *("--dataset_name", tmp_path / "data.jsonl", "--repo_root", tmp_path / "mirror"),
        *("--test_cmd", "/usr/bin/python3 runner.py tests/test_sums.py", "--json"),
    )
    said = capsys.readouterr()
    assert code == 0, said.err
    body: dict[str, Any] = json.loads(said.out)
    assert [choice["file"] for choice in body["choices"]] == [2, 2]
    assert body["gains"]["shares"]["energy"]["value"] == 1 and body["gains"]["recovered"]["value"] == 1
    chosen = read_predictions(tmp_path / "best.jsonl")
    assert chosen.models == ["chosen"] and {p.patch for p in chosen.by_id.values()} == {GOOD}
    scores = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    by_model = {entry["model_name_or_path"]: entry["features"] for entry in scores}
    assert by_model["stale"]["applies"] == -1 and by_model["breaking"]["clean"] == -1 and by_model["good"]["clean"] == 1


def test_an_energy_can_be_fitted_and_used(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [word for file in files for word in ("--labels", file.with_suffix(".labels.jsonl"))]
    assert rerank(monkeypatch, *files, *labels, "--fit", tmp_path / "energy.json") == 2
    assert "of one repository" in capsys.readouterr().err
    for file in files:
        text = file.read_text() + file.read_text().replace("small__shop-", "other__mart-")
        file.write_text(text)
        known = file.with_suffix(".labels.jsonl")
        known.write_text(known.read_text() + known.read_text().replace("small__shop-", "other__mart-"))
    assert rerank(monkeypatch, *files, *labels, "--fit", tmp_path / "energy.json") == 0
    assert "every repository held out" in capsys.readouterr().out
    assert rerank(monkeypatch, *files, "--weights", tmp_path / "energy.json", "--json") == 0
    assert "4 instances" in json.loads(capsys.readouterr().out)["energy_fitted_on"]


def test_what_is_missing_is_said(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        ([tmp_path / "none.jsonl"], "no such file"),
        ([*files, "--repo_root", tmp_path], "--dataset_name"),
        ([*files, "--dataset_name", tmp_path / "data.jsonl", "--test_cmd", "pytest"], "--repo_root"),
        ([*files, "--fit", tmp_path / "e.json"], "--labels"),
        ([*files, "--out", tmp_path / "best.json"], "best.jsonl"),
    ):
        assert rerank(monkeypatch, *arguments) == 2
        assert said in capsys.readouterr().err
