"""The planner's data of one config: arrays, the three shares of the tasks, weights of rare answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.errors import InputError
from hybrid_agent.tools.registry import TOOLS
from train.hrm_batches import EpisodeArrays, split_groups, to_arrays
from train.hrm_episodes import PlannerEpisode
from train.hrm_loss import Weights


@dataclass(frozen=True)
class PlannerData:
    """Rows index `arrays`. `tool_marginal` (tools,) and `weights` come from the training rows only."""

    arrays: list[EpisodeArrays]
    groups: list[str]
    train: NDArray[np.int64]
    fit: NDArray[np.int64]
    report: NDArray[np.int64]
    tools: tuple[str, ...]
    tool_marginal: NDArray[np.float64]
    weights: Weights
    sources: dict[str, int]

    @property
    def held_out(self) -> NDArray[np.int64]:
        """Rows to calibrate on and to report on, together."""
        return np.sort(np.concatenate([self.fit, self.report]))


def planner_data(episodes: Sequence[PlannerEpisode], stage: HrmConfig, seed: int) -> PlannerData:
    """Compute everything from episodes.

    Raises:
        InputError: too few tasks to hold any out.
    """
    tools = tuple(TOOLS)
    train, fit, report = split_groups(episodes, stage.val_share, seed)
    if not (len(train) and len(fit) and len(report)):
        raise InputError(
            f"{len({e.group for e in episodes})} tasks are too few to train on and to hold some out",
            field="stage.val_share",
            fix="give more data",
        )
    arrays = [to_arrays(episode, stage.planner, tools) for episode in episodes]
    shares = sum((arrays[row].tool.sum(0) for row in train), np.zeros(len(tools)))
    failed = np.concatenate([arrays[row].failed[:, -1] for row in train])
    deliberate = np.concatenate([arrays[row].deliberate for row in train])
    cap = stage.loss.pos_weight
    return PlannerData(
        arrays=arrays,
        groups=[episode.group for episode in episodes],
        train=train,
        fit=fit,
        report=report,
        tools=tools,
        tool_marginal=(shares + 0.5) / (shares.sum() + 0.5 * len(tools)),
        weights=Weights(_positive_weight(failed, cap), _positive_weight(deliberate, cap)),
        sources=dict(Counter(episode.source for episode in episodes)),
    )


def _positive_weight(labels: NDArray[np.int8], cap: float) -> float:
    """Negatives for each positive, within 1..cap."""
    positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
    return min(cap, max(1.0, negative / positive)) if positive else 1.0
