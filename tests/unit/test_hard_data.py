"""What the shipped decoder gets wrong becomes heavier, the rest fewer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from train.hard import main

RIGHT = (
    "<|step|>make the folder out<|files|><|note|><|call|>",
    '{"tool":"fs","args":{"op":"mkdir","path":"out"}}<|end|>',
)
WRONG = (RIGHT[0], '{"tool":"fs","args":{"op":"remove","path":"out"}}<|end|>')


def line(prompt: str, answer: str, kind: str, weight: float = 1.0) -> str:
    segments = [{"text": prompt, "train": False}, {"text": answer, "train": True}]
    return json.dumps({"segments": segments, "kind": kind, "weight": weight})


def read(path: Path) -> list[tuple[str, float]]:
    with gzip.open(path, "rt") as file:
        return [(each["kind"], each["weight"]) for each in map(json.loads, file)]


def test_hard_sequences_weigh_more_and_a_share_of_the_others_stays(tmp_path: Path) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "hard.jsonl.gz"
    rows = [line(*RIGHT, f"right{i}") for i in range(40)] + [line(*WRONG, "wrong", 2.0), line(*WRONG, "wrong")]
    data.write_text("\n".join(rows) + "\n")
    given = [f"data={data}", f"out={out}", "weight=3", "others=0.5", "threads=1", "batch_tokens=512"]
    assert main(given) == 0
    kept = read(out)
    assert kept[-2:] == [("wrong", 6.0), ("wrong", 3.0)]
    others = kept[:-2]
    assert 8 <= len(others) <= 32 and all(kind.startswith("right") and weight == 1.0 for kind, weight in others)
    report = json.loads((tmp_path / "hard.jsonl.gz.report.json").read_text())
    assert report["kinds"]["wrong"] == {"sequences": 2, "hard": 2} and report["kinds"]["right7"]["hard"] == 0
    assert report["written"] == len(kept)
    first = out.read_bytes()
    assert main(given) == 0 and out.read_bytes() == first
    assert main([*given, "others=0"]) == 0 and [kind for kind, _ in read(out)] == ["wrong", "wrong"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["out=a.jsonl"], "data"),
        (["data=a.jsonl"], "out"),
        (["data=a.jsonl", "out=a.jsonl"], "is the data itself"),
        (["data=a.jsonl", "out=b.txt"], ".jsonl"),
        (["data=a.jsonl", "out=b.jsonl", "decoder=sft/none"], "none"),
        (["data=missing.jsonl", "out=b.jsonl"], "no such data file"),
    ],
)
def test_bad_input_is_named(
    given: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text(line(*RIGHT, "k") + "\n")
    assert main(given) == 2
    assert says in capsys.readouterr().err
    assert not Path("b.jsonl").exists()


def test_by_wording_all_of_a_hard_wording_is_kept_and_few_of_a_known_one(tmp_path: Path) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "hard.jsonl"
    names = [("known/train0", RIGHT)] * 200 + [("unknown/train7", WRONG)] * 60
    rows = [json.loads(line(*pair, "os")) | {"wording": name} for name, pair in names]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = [f"data={data}", f"out={out}", "by=wording", "sample=0.5", "others=0.1", "weight=5", "batch_tokens=512"]
    assert main(given) == 0
    kept = [json.loads(row) for row in out.read_text().splitlines()]
    weights = {
        name: [row["weight"] for row in kept if row["wording"] == name] for name in ("known/train0", names[-1][0])
    }
    assert len(weights["unknown/train7"]) == 60 and 5 <= len(weights["known/train0"]) <= 50
    assert min(weights["unknown/train7"]) > 4.5 and max(weights["known/train0"]) < 1.2
    report = json.loads((tmp_path / "hard.jsonl.report.json").read_text())
    assert list(report["hardest"]) == ["unknown/train7"]
    looked_at = report["kinds"]["os"]["sequences"]
    assert 100 <= looked_at <= 160 and report["kinds"]["os"]["hard"] == report["hardest"]["unknown/train7"]["hard"]
