"""Fan-out over worker processes of this machine (tests/integration/test_fanout_ray.py: the same over Ray)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.errors import InputError
from hybrid_agent.fanout.run import fan_out, in_order
from tests.unit.fanout_jobs import Job, failed, stillborn, tries, worker

ROOT = Path(__file__).parents[2]
JOBS = [Job(0), Job(1), Job(2, deaths=1), Job(3, failures=1), Job(4), Job(5), Job(6), Job(7)]


def over(workers: int, **changes: object) -> FanoutConfig:
    return FanoutConfig.model_validate({"workers": workers, **changes})


def test_one_and_two_workers_give_the_same_and_deaths_cost_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    two = list(in_order(fan_out(JOBS, partial(worker, tmp_path), over(2), again=failed, said=said.append)))
    assert [outcome.value for outcome in two] == [job.number**2 for job in JOBS]
    assert [outcome.tries for outcome in two] == [1, 1, 2, 2, 1, 1, 1, 1]
    assert len({outcome.worker for outcome in two}) >= 2
    assert len(said) == 1 and "SIGKILL" in said[0]
    started = {path.stem for path in tmp_path.glob("worker-*") if not path.suffix}
    left = {path.stem for path in tmp_path.glob("worker-*.left")}
    (victim,) = {path.stem.split("-")[2] for path in tmp_path.glob("2-0-*.try")}
    assert left and left <= started - {f"worker-{victim}"}, "those without work leave in an orderly way"
    assert {(tmp_path / name).read_text() for name in started} == {"1"}

    alone = tmp_path / "alone"
    alone.mkdir()
    whole = [Job(job.number, failures=job.failures) for job in JOBS]  # here a death would be ours
    one = list(fan_out(whole, partial(worker, alone), over(1), again=failed))
    assert [(outcome.at, outcome.value) for outcome in one] == [(outcome.at, outcome.value) for outcome in two]
    assert {outcome.worker.split(":")[1] for outcome in one} == {str(os.getpid())}


def test_what_outlives_no_worker_is_lost_and_says_so(tmp_path: Path) -> None:
    jobs = [Job(1, deaths=9), Job(2), Job(3, failures=9), Job(4)]
    found = list(in_order(fan_out(jobs, partial(worker, tmp_path), over(2, retries=1), again=failed)))
    assert [outcome.value for outcome in found] == [None, 4, -1, 16]
    assert found[0].lost == "the worker process died (SIGKILL), 2 times" and found[0].tries == 2
    assert [tries(tmp_path, number) for number in (1, 2, 3, 4)] == [2, 1, 2, 1]


def test_a_straggler_gets_a_second_copy(tmp_path: Path) -> None:
    jobs, said = [Job(1, hangs=True), Job(2), Job(3)], []
    found = list(fan_out(jobs, partial(worker, tmp_path), over(2, straggler_s=0.2), said=said.append))
    assert sorted((outcome.at, outcome.value, outcome.tries) for outcome in found) == [(0, 1, 1), (1, 4, 1), (2, 9, 1)]
    assert tries(tmp_path, 1) == 2 and said == ["item 1 of 3 takes long; a second worker tries it too"]

    # The other worker has died by then: another one is started for the copy.
    jobs = [Job(4, hangs=True), Job(5, deaths=9)]
    found = list(in_order(fan_out(jobs, partial(worker, tmp_path), over(2, straggler_s=0.2, retries=0))))
    assert [outcome.value for outcome in found] == [16, None]


def test_our_mistakes_end_it_and_workers_that_cannot_start_do_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a number") as caught:
        list(fan_out([Job(1), Job(2, wrong=True)], partial(worker, tmp_path), over(2)))
    assert caught.value.field == "number" and "fanout_jobs.py" in "".join(caught.value.__notes__)
    found = list(fan_out([Job(1), Job(2)], partial(stillborn, tmp_path), over(2, retries=1)))
    assert [outcome.lost for outcome in found] == ["worker processes die before they are ready"] * 2
    assert 2 <= len(list(tmp_path.glob("stillborn-*"))) <= 3
    assert list(fan_out([], partial(worker, tmp_path), over(2))) == []


def test_a_cluster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"no Ray cluster answers.*fanout\.address=null") as caught:
        list(fan_out([Job(1)], partial(worker, tmp_path), over(1, kind="ray", address="127.0.0.1:1")))
    assert caught.value.where == "fanout.address=127.0.0.1:1"


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    lines = (
        "from functools import partial; from pathlib import Path",
        "from hybrid_agent.config.fanout import FanoutConfig; from hybrid_agent.fanout.run import fan_out",
        "from tests.unit.fanout_jobs import Job, worker",
        f"start = partial(worker, Path({str(tmp_path)!r}))",
        "if __name__ == '__main__':",
        "    list(fan_out([Job(1, hangs=True), Job(2, hangs=True)], start, FanoutConfig(workers=2)))",
    )
    script = tmp_path / "script.py"
    script.write_text("\n".join(lines))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(script)], cwd=ROOT, env=env)
    try:
        until = time.monotonic() + 120
        while len(list(tmp_path.glob("*.try"))) < 2:
            assert parent.poll() is None and time.monotonic() < until
            time.sleep(0.05)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    workers = [int(path.stem.split("-")[1]) for path in tmp_path.glob("worker-*") if not path.suffix]
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < until, "workers outlived the killed process"
        time.sleep(0.05)
