"""Fan-out over a real Ray cluster of two cores: the same results as here, with workers killed in mid-run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cli_process import small_pack
from rich.console import Console

from eval.attempt import Attempt
from eval.episode import EpisodeSettings
from eval.pool import GOLD, episodes
from eval.result import TaskResult
from eval.run import evaluate
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.errors import InputError
from hybrid_agent.fanout.run import fan_out, in_order
from hybrid_agent.packs.store import read_tasks
from hybrid_agent.traces.provenance import CONTEXTS
from tests.unit.fanout_jobs import Job, failed, stillborn, tries, worker
from train.rollouts.build import build

pytest.importorskip("ray")
QUIET = Console(quiet=True)
TIMES = {"episode_ms", "segment_ms", "tool_ms"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    import ray

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local", num_cpus=2, include_dashboard=False, object_store_memory=100 * 2**20, log_to_driver=False
    )
    yield
    ray.shutdown()


def over(workers: int, **changes: object) -> FanoutConfig:
    return FanoutConfig.model_validate({"kind": "ray", "workers": workers, **changes})


def test_deaths_failures_stragglers_and_mistakes(cluster: None, tmp_path: Path) -> None:
    jobs = [Job(0), Job(1, deaths=1), Job(2, failures=1), Job(3, deaths=9)]
    config = over(2, retries=1)
    found = list(in_order(fan_out(jobs, partial(worker, tmp_path), config, again=failed)))
    assert [outcome.value for outcome in found] == [0, 1, 4, None]
    assert found[3].lost is not None and "died" in found[3].lost
    assert [tries(tmp_path, job.number) for job in jobs] == [1, 2, 2, 2]
    marks = [path for path in tmp_path.glob("worker-*") if not path.suffix]
    assert len(marks) >= 3 and {mark.read_text() for mark in marks} == {"1"}
    slow = [Job(7, hangs=True), Job(8)]
    found = list(in_order(fan_out(slow, partial(worker, tmp_path), over(2, straggler_s=0.2))))
    assert [outcome.value for outcome in found] == [49, 64] and tries(tmp_path, 7) == 2
    with pytest.raises(InputError, match="is not a number"):
        list(fan_out([Job(5, wrong=True), Job(6)], partial(worker, tmp_path), config))
    lost = list(fan_out([Job(1), Job(2)], partial(stillborn, tmp_path), config))
    assert [outcome.lost for outcome in lost] == ["worker processes die before they are ready"] * 2


def test_episodes_survive_a_killed_worker(cluster: None, tmp_path: Path) -> None:
    tasks = read_tasks(Path(small_pack(tmp_path, val=8)) / "os" / "tasks.jsonl")
    start = partial(episodes, GOLD, EpisodeSettings(sandbox="session"))
    outcomes = []
    for outcome in fan_out(tasks, start, over(2)):
        if not outcomes:
            os.kill(int(outcome.worker.split(":")[1]), signal.SIGKILL)
        outcomes.append(outcome)
    assert sorted(outcome.item.id for outcome in outcomes) == sorted(task.id for task in tasks)
    assert all(outcome.value is not None and outcome.value.success for outcome in outcomes)
    assert len({outcome.worker for outcome in outcomes}) >= 2


def test_an_evaluation_and_a_build_are_the_same_here_and_there(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_DATA", small_pack(tmp_path, val=4))

    def results(name: str, *overrides: str) -> list[dict[str, Any]]:
        given = ["suite=os", "split=val", "hybrid=greedy", f"out={tmp_path / name}", *overrides]
        outcome = evaluate(load_config("eval", given, EvalConfig), QUIET)
        assert outcome.complete and kept(outcome.attempt) == len(outcome.results) == 4
        return [facts(result) for result in outcome.results]

    here = results("here", "workers=1")
    assert results("one", "fanout=ray", "fanout.workers=1") == here
    assert results("two", "fanout=ray", "fanout.workers=2") == here

    monkeypatch.delenv("AGENT_DATA")
    small = ("packs.os=2", "packs.code=0", "first_seed=4000041", "shard=1", "k=1", "branches=0", "turns.act=0.5")
    made = []
    for name, fanout in (("a", "local"), ("b", "ray")):
        given = [*small, f"out={tmp_path / name}", f"fanout={fanout}", "workers=2"]
        build(load_config("rollouts", given, RolloutsConfig), QUIET)
        made.append((tmp_path / name / CONTEXTS).read_bytes())
    assert made[0] == made[1]


def test_what_cannot_be_used_is_said_before_work_begins() -> None:
    with pytest.raises(InputError, match="fanout.address=127.0.0.1:1"):
        list(fan_out([Job(1)], partial(worker, Path()), over(1, address="127.0.0.1:1")))


def facts(result: TaskResult) -> dict[str, Any]:
    return result.model_dump(mode="json", exclude=TIMES)


def kept(attempt: Attempt) -> int:
    return len(list(attempt.traces.iterdir()))
