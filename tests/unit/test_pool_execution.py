"""Candidates run for real in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hybrid_agent.scorer.pool.execute import Ran, run_task
from hybrid_agent.scorer.pool.outcomes import codet, output_kernel
from hybrid_agent.scorer.pool.probes import make_probes
from hybrid_agent.scorer.pool.records import PoolTask, read_pool
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from tests.unit.pool_cases import record, write_pool


@pytest.fixture
def task(tmp_path: Path) -> PoolTask:
    return read_pool(write_pool(tmp_path / "pool.jsonl", [record()]))[0]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[object]:
    folder = tmp_path / "box"
    folder.mkdir()
    made = make_sandbox("bubblewrap", folder, Limits(output_kb=4096))
    yield made
    made.close()


def test_probes_keep_what_calls_the_function(task: PoolTask) -> None:
    probes = make_probes(task)
    assert probes.tests == ("assert add(1, 2) == 3", "assert add(5, 5) == 10", "assert add(2, 2) == 5")
    assert probes.calls[:3] == ("add(1, 2)", "add(5, 5)", "add(2, 2)")
    assert len(probes.calls) > 3 and len(set(probes.calls)) == len(probes.calls)


def test_doctests_of_the_prompt_are_tests(task: PoolTask) -> None:
    shown = replace(task, prompt='def add(a, b):\n    """Sum.\n    >>> add(4, 4)\n    8\n    """\n')
    assert make_probes(shown).tests[0] == "assert add(4, 4) == 8"


def test_outcomes_are_those_of_the_programs(task: PoolTask, box: object, tmp_path: Path) -> None:
    ran = run_task(task, box, tmp_path / "cache")  # type: ignore[arg-type]
    assert [r.tests for r in ran[:5]] == ["ppf", "ppf", "ppf", "fff", "fff"]
    assert [r.load for r in ran] == ["p"] * 6 + ["s", "p"]
    assert ran[0].calls == ran[2].calls and ran[0].calls[0].startswith("v:")
    assert ran[4].calls[0] == "n"
    kernel = output_kernel(ran, len(make_probes(task).calls))
    assert kernel[0, 1] == 1.0 and kernel[0, 3] < 1.0 and kernel[6].sum() == 1.0
    assert np.allclose(codet(ran)[:4], [2 * 3**0.5] * 3 + [0.0])


def test_what_is_known_is_not_run_again(task: PoolTask, box: object, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = run_task(task, box, cache)  # type: ignore[arg-type]
    box.close()  # type: ignore[attr-defined]
    assert run_task(task, box, cache) == first  # type: ignore[arg-type]
    relabelled = replace(task, passed=tuple(not p for p in task.passed))
    assert run_task(relabelled, box, cache) == first  # type: ignore[arg-type]


def test_hostile_programs_cost_only_themselves(task: PoolTask, box: object) -> None:
    bodies = (
        "    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n",
        "    import os\n    os._exit(0)\n",
        "    import sys\n    sys.exit(1)\n",
        "    return [0] * 10**10\n",
        "    return add(a, b)\n",
        "    import signal, ctypes, os\n    ctypes.CDLL(None).kill(os.getppid(), 9)\n",
        "    return a + b\n",
    )
    wild = replace(task, candidates=bodies, passed=(False,) * 7)
    ran = run_task(wild, box)  # type: ignore[arg-type]
    assert all("p" not in r.tests for r in ran[:6])
    assert ran[0].calls[0] == "t"
    assert ran[2].calls[0] == "e:SystemExit" and ran[3].calls[0] == "e:MemoryError"
    assert ran[4].calls[0] == "e:RecursionError"
    assert ran[6].tests == "ppf"


def test_codet_counts_passed_tests_and_the_root_of_the_set() -> None:
    ran = [Ran("p", (), "pp-"), Ran("p", (), "pp-"), Ran("p", (), "p--"), Ran("e", (), "")]
    assert codet(ran).tolist() == [2 * 2**0.5, 2 * 2**0.5, 1.0, 0.0]
    assert codet(ran, root=False).tolist() == [4.0, 4.0, 1.0, 0.0]
