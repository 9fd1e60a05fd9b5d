"""Many tasks over worker processes, each with its own decoder and one thread of arithmetic (docs/fan-out.md)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from eval.episode import EpisodeSettings, infra_result, remove, run_task
from eval.result import TaskResult
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import make_hybrid
from hybrid_agent.assemble.parts import HybridSpec, find_parts
from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.hybrid import HybridConfig
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.fanout.run import fan_out
from hybrid_agent.types import Task

Agent = str | HybridSpec

GOLD = "gold"  # instead of a decoder: replay each task's gold calls


def default_workers() -> int:
    """One per core that this process may use."""
    return len(os.sched_getaffinity(0))


def run_tasks(
    tasks: Sequence[Task],
    agent: str | HybridSpec,
    settings: EpisodeSettings,
    workers: int,
    fanout: FanoutConfig | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> Iterator[TaskResult]:
    """Results as they come, in any order. Closing the iterator (or Ctrl-C) stops the workers.

    A task whose worker dies, or whose machinery fails, is tried again; if that does not help its result is masked.

    Args:
        tasks: what to run.
        agent: a hybrid; or a decoder as text, with the parts that lie beside it; or `gold`.
        settings: of every episode.
        workers: processes, if `fanout` does not say; 0 means one per core. A single local one is this process.
        fanout: over what the tasks are spread; None means processes of this machine.
        said: takes a line for people when a worker dies or a task takes long.
    """
    if not tasks:
        return
    spec = agent if agent == GOLD or not isinstance(agent, str) else find_parts(parse_decoder(agent), HybridConfig())
    # One folder for all: what a killed worker leaves behind goes with it.
    scratch = Path(tempfile.mkdtemp(prefix="hybrid-agent-eval-"))
    start = partial(episodes, spec, replace(settings, scratch=scratch))
    spread = (fanout or FanoutConfig()).over(workers)
    try:
        with closing(fan_out(tasks, start, spread, again=_masked, said=said)) as outcomes:
            for outcome in outcomes:
                yield outcome.value or infra_result(outcome.item, outcome.lost or "")
    finally:
        remove(scratch)


@contextmanager
def episodes(agent: Agent, settings: EpisodeSettings) -> Iterator[Callable[[Task], TaskResult]]:
    """A worker: the agent is loaded once."""
    if settings.scratch is not None:
        settings.scratch.mkdir(mode=0o700, exist_ok=True)  # it was made on another machine
    hybrid = None if isinstance(agent, str) else make_hybrid(agent)
    if not isinstance(agent, str) and agent.decoder.kind in ("tiny", "hf"):
        import torch

        torch.set_num_threads(1)
    yield lambda task: run_task(task, hybrid or ScriptedDecoder(task.gold), settings)


def _masked(result: TaskResult) -> bool:
    return result.infra
