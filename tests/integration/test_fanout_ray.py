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

from eval.episode import EpisodeSettings
from eval.pool import episodes
from eval.result import TaskResult
from eval.run import agent_of, evaluate
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.errors import InputError
from hybrid_agent.fanout.cluster import import_ray, start_cluster
from hybrid_agent.fanout.run import fan_out, in_order
from hybrid_agent.packs.store import read_tasks
from hybrid_agent.traces.provenance import CONTEXTS
from tests.unit.fanout_jobs import Job, failed, tries, worker
from train.rollouts.build import build

pytest.importorskip("ray")
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    start_cluster(2)
    yield
    import_ray().shutdown()


def over(workers: int, **changes: object) -> FanoutConfig:
    return FanoutConfig.model_validate({"kind": "ray", "workers": workers, **changes})


def test_deaths_failures_stragglers_and_mistakes(cluster: None, tmp_path: Path) -> None:
    jobs = [Job(0), Job(1, failures=1), Job(2, deaths=9), Job(3, hangs=True)]
    config = over(2, retries=1, straggler_s=1)
    found = list(in_order(fan_out(jobs, partial(worker, tmp_path), config, again=failed)))
    assert [outcome.value for outcome in found] == [0, 1, None, 9]
    assert found[2].lost is not None and "died" in found[2].lost
    assert tries(tmp_path, 1) >= 2 and tries(tmp_path, 2) >= 2 and tries(tmp_path, 3) == 2
    marks = [path for path in tmp_path.glob("worker-*") if not path.suffix]
    assert len(marks) >= 3 and {mark.read_text() for mark in marks} == {"1"}
    with pytest.raises(InputError, match="is not a number"):
        list(fan_out([Job(5, wrong=True)], partial(worker, tmp_path), over(1)))


def test_episodes_are_the_same_here_and_there_with_a_worker_killed(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_DATA", small_pack(tmp_path, val=4))

    def evaluated(name: str, *overrides: str) -> list[dict[str, Any]]:
        given = ["suite=os", "split=val", "hybrid=greedy", f"out={tmp_path / name}", *overrides]
        outcome = evaluate(load_config("eval", given, EvalConfig), QUIET)
        assert outcome.complete and len(list(outcome.attempt.traces.iterdir())) == len(outcome.results) == 4
        return [facts(result) for result in outcome.results]

    here = evaluated("here", "workers=1")
    assert evaluated("there", "fanout=ray", "fanout.workers=1") == here

    tasks = read_tasks(tmp_path / "packs" / "os" / "tasks.jsonl")
    agent = agent_of(load_config("eval", ["hybrid=greedy"], EvalConfig))
    start = partial(episodes, agent, EpisodeSettings())
    outcomes = []
    for outcome in fan_out(tasks, start, over(2)):
        if not outcomes:
            os.kill(int(outcome.worker.split(":")[1]), signal.SIGKILL)
        outcomes.append(outcome)
    outcomes.sort(key=lambda outcome: outcome.at)
    assert len({outcome.worker for outcome in outcomes}) >= 2
    assert [facts(outcome.value) for outcome in outcomes if outcome.value] == [{**each, "trace": ""} for each in here]


def test_rollouts_are_the_same_here_and_there(cluster: None, tmp_path: Path) -> None:
    small = ("packs.os=1", "packs.code=0", "first_seed=4000041", "k=1", "branches=0", "turns.act=0.5", "workers=1")
    small += ("counts.flaky=0", "call_timeout_s=60")  # nothing left to chance or to a busy machine
    for fanout in ("local", "ray"):
        build(load_config("rollouts", [*small, f"out={tmp_path / fanout}", f"fanout={fanout}"], RolloutsConfig), QUIET)
    assert (tmp_path / "ray" / CONTEXTS).read_bytes() == (tmp_path / "local" / CONTEXTS).read_bytes()


def facts(result: TaskResult) -> dict[str, Any]:
    return result.model_dump(mode="json", exclude={"episode_ms", "segment_ms", "tool_ms"})
