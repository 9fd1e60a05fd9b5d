"""Pool files: what is read, and how a wrong one is refused."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.scorer.pool.records import read_pool
from tests.unit.pool_cases import record, write_pool


def test_reads_plain_and_gzip(tmp_path: Path) -> None:
    plain = write_pool(tmp_path / "a.jsonl", [record("x"), record("y")])
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [t.task_id for t in read_pool(plain)] == ["x", "y"]
    assert read_pool(packed) == read_pool(plain)
    assert read_pool(plain)[0].program(0).endswith("return a + b\n")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prompt": 3}, "prompt"),
        ({"candidates": "x"}, "candidates"),
        ({"candidates": []}, "candidates"),
        ({"passed": [True]}, "passed"),
        ({"generated_tests": ["assert True", None]}, "generated_tests[1]"),
        ({"entry_point": "a b"}, "entry_point"),
        ({"passed": [1] * 8}, "passed[0]"),
    ],
)
def test_names_line_and_field(tmp_path: Path, changes: dict[str, object], field: str) -> None:
    path = write_pool(tmp_path / "bad.jsonl", [record("x"), record("y", **changes)])
    with pytest.raises(InputError) as caught:
        read_pool(path)
    assert caught.value.where == f"{path}:2" and caught.value.field == field


def test_names_what_is_missing_or_no_json(tmp_path: Path) -> None:
    short = record()
    del short["passed"]
    with pytest.raises(InputError, match="passed"):
        read_pool(write_pool(tmp_path / "short.jsonl", [short]))
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps(record()) + "\n{\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken.jsonl:2"):
        read_pool(broken)
    with pytest.raises(InputError, match="also on line 1"):
        read_pool(write_pool(tmp_path / "twice.jsonl", [record("x"), record("x")]))
    with pytest.raises(InputError, match="no such file"):
        read_pool(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no task"):
        read_pool(write_pool(tmp_path / "empty.jsonl", []))


def test_truncated_gzip_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(record()).encode())[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        read_pool(path)


def test_loads_without_sklearn() -> None:
    code = (
        "import sys, hybrid_agent.scorer.pool.energy, hybrid_agent.scorer.pool.probability\n"
        "assert not {'sklearn', 'scipy', 'torch'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
