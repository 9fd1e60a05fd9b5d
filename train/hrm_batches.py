"""Episodes as arrays, and batches of them whose position can be saved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.planner.model import StateBatch
from hybrid_agent.planner.state import call_kind, features, phi, ticks
from hybrid_agent.traces.domains import EXPERTS, expert_of
from hybrid_agent.types import Window
from train.data import bucket
from train.hrm_episodes import PlannerEpisode, PlannerTurn

UNKNOWN = -1
WRONG_OFFSETS = (1, 2, 8)


@dataclass(frozen=True)
class EpisodeArrays:
    """One episode of T turns, S segments. Answers that are not known are UNKNOWN, or rows of zeros for shares.

    Attributes:
        index, value, counts: active features of all turns, and how many each has (T,).
        segment (T,), first (S,): see StateBatch, within the episode.
        tool (T, tools), expert (T, experts): shares among the right calls.
        failed (T, horizon): a failure within 1..horizon turns; deliberate (T,): int8.
        in_step: bool (T,), the phase is `step`.
        keys (S, 1 + wrong offsets, φ): what happened to φ after `horizon` turns, then after wrong offsets.
    """

    index: NDArray[np.int64]
    value: NDArray[np.float32]
    counts: NDArray[np.int64]
    segment: NDArray[np.int64]
    first: NDArray[np.int64]
    tool: NDArray[np.float32]
    expert: NDArray[np.float32]
    failed: NDArray[np.int8]
    deliberate: NDArray[np.int8]
    in_step: NDArray[np.bool_]
    keys: NDArray[np.float32]


@dataclass(frozen=True)
class PlannerBatch:
    """A batch of episodes; see EpisodeArrays for the targets, all turns in one axis."""

    states: StateBatch
    tool: torch.Tensor
    expert: torch.Tensor
    failed: torch.Tensor
    deliberate: torch.Tensor
    in_step: torch.Tensor
    keys: torch.Tensor

    def to(self, device: torch.device) -> PlannerBatch:
        """The same batch on another device."""
        states = StateBatch(**{f.name: getattr(self.states, f.name).to(device) for f in fields(StateBatch)})
        rest = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "states"}
        return PlannerBatch(states, **rest)


def to_arrays(episode: PlannerEpisode, config: PlannerConfig, tools: Sequence[str]) -> EpisodeArrays:
    """Compute features and targets of one episode; they depend on the config's sizes."""
    windows = [turn.window for turn in episode.turns]
    found = [features(window, config) for window in windows]
    segment = _segments(windows, config)
    first = np.flatnonzero(np.diff(segment, prepend=-1))
    return EpisodeArrays(
        index=np.concatenate([f.index for f in found]),
        value=np.concatenate([f.value for f in found]),
        counts=np.array([len(f.index) for f in found], np.int64),
        segment=segment,
        first=first,
        tool=_shares(episode.turns, tools, lambda call: call_kind(call).split(".")[0]),
        expert=_shares(episode.turns, EXPERTS, expert_of),
        failed=_failed_within(episode.turns, config.horizon),
        deliberate=np.array([UNKNOWN if t.deliberate is None else t.deliberate for t in episode.turns], np.int8),
        in_step=np.array([w.phase == "step" for w in windows]),
        keys=_keys(windows, first, config.horizon, episode.success),
    )


def collate(episodes: Sequence[EpisodeArrays]) -> PlannerBatch:
    """Put episodes one after the other."""

    def joined(name: str) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([getattr(e, name) for e in episodes]))

    turns = np.cumsum([0] + [len(e.counts) for e in episodes])
    segments = np.cumsum([0] + [len(e.first) for e in episodes])
    counts = np.concatenate([e.counts for e in episodes])
    states = StateBatch(
        index=joined("index"),
        value=joined("value"),
        offsets=torch.from_numpy(np.cumsum(counts) - counts),
        segment=torch.from_numpy(np.concatenate([e.segment + s for e, s in zip(episodes, segments, strict=False)])),
        first=torch.from_numpy(np.concatenate([e.first + t for e, t in zip(episodes, turns, strict=False)])),
        episode=torch.from_numpy(np.repeat(np.arange(len(episodes)), np.diff(segments))),
        order=torch.from_numpy(np.concatenate([np.arange(len(e.first)) for e in episodes])),
    )
    names = ("tool", "expert", "failed", "deliberate", "in_step", "keys")
    return PlannerBatch(states, **{name: joined(name) for name in names})


def split_groups(
    episodes: Sequence[PlannerEpisode], val_share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on, to calibrate on and to report on; a group (task) is in one of them only."""
    share = np.array([_place(e.group, seed) for e in episodes])
    rows = np.arange(len(episodes))
    half = val_share / 2
    return rows[share >= val_share], rows[share < half], rows[(share >= half) & (share < val_share)]


class EpisodeStream:
    """Endless shuffled batches of episodes of similar length; the order depends on the seed and the epoch only."""

    def __init__(self, data: Sequence[EpisodeArrays], rows: NDArray[np.int64], batch_turns: int, seed: int) -> None:
        self.data, self.rows, self.batch_turns, self.seed = data, rows, batch_turns, seed
        self.lengths = np.array([len(e.counts) for e in data], np.int64)
        self.epoch = self.index = 0
        self._plan = self._shuffle()

    def state(self) -> dict[str, int]:
        """What `restore` needs."""
        return {"epoch": self.epoch, "index": self.index}

    def restore(self, state: dict[str, int]) -> None:
        """Go on from a state of a stream over the same data."""
        self.epoch, self.index = state["epoch"], state["index"]
        self._plan = self._shuffle()

    def next(self) -> PlannerBatch:
        """The next batch; starts the next epoch when this one is used up."""
        if self.index >= len(self._plan):
            self.epoch, self.index = self.epoch + 1, 0
            self._plan = self._shuffle()
        rows = self._plan[self.index]
        self.index += 1
        return collate([self.data[row] for row in rows])

    def _shuffle(self) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        plan: list[NDArray[np.int64]] = []
        order = rng.permutation(self.rows)
        for start in range(0, len(order), 512):  # similar lengths within a pool, yet new neighbours every epoch
            plan += bucket(order[start : start + 512], self.lengths, self.batch_turns)
        return [plan[i] for i in rng.permutation(len(plan))]


def _segments(windows: Sequence[Window], config: PlannerConfig) -> NDArray[np.int64]:
    """The number of each turn's segment, by the rule that serving follows."""
    out, since, previous = [], 0, None
    number = -1
    for window in windows:
        if ticks(previous, window, since, config):
            number, since = number + 1, 0
        out.append(number)
        since, previous = since + 1, window
    return np.array(out, np.int64)


def _shares(turns: Sequence[PlannerTurn], names: Sequence[str], name_of: Callable[[str], str]) -> NDArray[np.float32]:
    """Share of each name among the right calls of each turn (T, names)."""
    out = np.zeros((len(turns), len(names)), np.float32)
    for row, turn in zip(out, turns, strict=True):
        for call in turn.calls:
            name = name_of(call)
            if name in names:
                row[names.index(name)] += 1
    return out / np.maximum(out.sum(1, keepdims=True), 1.0)


def _failed_within(turns: Sequence[PlannerTurn], horizon: int) -> NDArray[np.int8]:
    """Failure within 1..horizon turns. A missing or unjudged turn leaves it unknown; after the last there is none."""
    known = {turn.number: turn.failed for turn in turns if turn.failed is not None}
    out = np.full((len(turns), horizon), UNKNOWN, np.int8)
    if not known:
        return out
    last = max(known)
    for row, turn in zip(out, turns, strict=True):
        sure = True
        for ahead in range(horizon):
            number = turn.number + ahead
            if known.get(number):
                row[ahead:] = 1
                break
            sure = sure and (number in known or number > last)
            row[ahead] = 0 if sure else UNKNOWN
    return out


def _keys(windows: Sequence[Window], first: NDArray[np.int64], horizon: int, success: bool) -> NDArray[np.float32]:
    """Changes of φ from each tick: after `horizon` turns, then after wrong offsets.

    Hindsight: where a successful episode ends sooner, its last state is what the plan was for. A failed episode
    achieved nothing worth planning: its keys are zero, and dropped by the loss.
    """
    described = np.stack([phi(window) for window in windows])
    out = np.zeros((len(first), 1 + len(WRONG_OFFSETS), described.shape[1]), np.float32)
    if success:
        last = len(windows) - 1
        for row, at in zip(out, first, strict=True):
            row[0] = described[min(at + horizon, last)] - described[at]
            for place, offset in enumerate(WRONG_OFFSETS, 1):
                row[place] = described[min(at + offset, last)] - described[at]
    return out


def _place(group: str, seed: int) -> float:
    """A number in [0, 1) that depends on the group and the seed only."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
