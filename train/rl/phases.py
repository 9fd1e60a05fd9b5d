"""The stream of updates: when one phase is used up, the present policy makes the rollouts of the next.

Everything that an update needs is on disk before it is made, so a killed run goes on to the same weights:

phases/000/decoder/, lexicon.json   the policy that makes the rollouts (removed when they are there)
phases/000/shards/*.jsonl.gz        groups of tries
phases/000/rows.pt                  what updates read
phases/000/report.json              what was seen
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.console import Console
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.errors import HybridAgentError
from hybrid_agent.nn.tokenizer import save_tokenizer
from hybrid_agent.runs.atomic import write_atomic, write_text
from hybrid_agent.types import Record
from train.ranks import Ranks
from train.rewards import pair_auc, rewards
from train.rl.collect import collect
from train.rl.guard import Agreement, agreement_of, alarm
from train.rl.policy import Policy
from train.rl.records import Group, read_groups
from train.rl.rows import Row, fill, make_rows, results_of
from train.rl.tasks import History, draw_tasks, open_level

PHASES, REPORT, ROWS, SHARDS = "phases", "report.json", "rows.pt", "shards"
DECODER, LEXICON = "decoder", "lexicon.json"
FEWEST_PAIRS = 20  # below that an AUC says nothing


class PhaseReport(Record):
    """What was seen in a phase's rollouts, before its updates.

    `pass_rate`, `greedy` and `levels` are means over groups; `masked` counts tries that say nothing. `auc` is the
    energy model's on pairs within groups, `energy` whether it had a say.
    """

    phase: int
    level: int
    groups: int
    informative: int
    rows: int
    tries: int
    masked: int
    pass_rate: float
    greedy: float
    reward: float
    levels: dict[str, float]
    agreement: Agreement
    auc: float
    energy: bool
    mismatch: float
    mismatch_max: float
    weight: float
    alarm: str | None = None


@dataclass
class Parts:
    """What the stream works with. `model` is the one that is trained; `parent` the folder of the run it began as."""

    stage: RlConfig
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    parent: Path
    scorer: Path | None
    folder: Path
    seed: int
    console: Console
    ranks: Ranks = field(default_factory=Ranks)
    fanout: FanoutConfig = field(default_factory=FanoutConfig)


class PhaseStream:
    """Implements `train.engine.Stream`: each batch is the rows of one update."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.stage = parts, parts.stage
        self.position = 0
        self._loaded = -1
        self._updates: list[list[Row]] = []
        self._reference: PreTrainedModel | None = None
        self._grammar: Policy | None = None

    def state(self) -> dict[str, int]:
        """How many updates were taken."""
        return {"position": self.position}

    def restore(self, state: dict[str, int]) -> None:
        """Go to a place."""
        self.position = state["position"]

    def next(self) -> list[Row]:
        """The rows of the next update; makes the rollouts of a new phase first."""
        phase, update = divmod(self.position, self.stage.updates)
        if phase != self._loaded:
            path = self.parts.folder / PHASES / f"{phase:03d}"
            if self.parts.ranks.first and not (path / ROWS).is_file():
                self._make(path, phase)
            self.parts.ranks.wait()
            self._updates = split_updates(_load(path / ROWS), self.stage, self.parts.seed, phase)
            self._loaded = phase
        self.position += 1
        return self._updates[update]

    def report(self) -> PhaseReport:
        """Of the phase that is being worked on."""
        return read_report(self.parts.folder / PHASES / f"{self._loaded:03d}")

    def _make(self, path: Path, phase: int) -> None:
        parts, stage = self.parts, self.stage
        earlier = [path.parent / f"{p:03d}" for p in range(phase)]
        history = History.of([_groups(p / SHARDS) for p in earlier], stage.pass_low, stage.pass_high)
        draws = draw_tasks(stage, phase, parts.seed, history)
        save_decoder(path, parts)

        def said(text: str) -> None:
            parts.console.print(f"phase {phase + 1}/{stage.phases}: {text}", highlight=False)

        groups = collect(
            stage,
            draws,
            path / SHARDS,
            path,
            parts.scorer,
            parts.seed + phase,
            said,
            str(parts.model.device),
            parts.fanout,
        )
        auc, pairs = pair_auc([results_of(group) for group in groups])
        use_energy = parts.scorer is not None and pairs >= FEWEST_PAIRS and auc >= stage.reward.min_auc
        # Evaluation mode has no effect on plain Llama models; others may have dropout.
        parts.model.eval()
        rows = make_rows(groups, self._policy(), stage, use_energy)
        gaps = fill(rows, parts.model, self._ref(), stage)
        parts.model.train()
        report = self._seen(phase, groups, rows, auc, use_energy, gaps)
        if phase:
            first = read_report(earlier[0]).agreement
            report = report.model_copy(update={"alarm": alarm(first, report.agreement, stage.guard)})
        write_text(path / REPORT, report.model_dump_json(indent=1) + "\n")
        said(
            f"{report.pass_rate:.1%} of tries pass (greedy {report.greedy:.1%}), {report.informative} of "
            f"{report.groups} groups to learn from, forward passes differ by {report.mismatch:.2g} nats"
        )
        _refuse(report, stage)
        write_atomic(path / ROWS, lambda temp: torch.save([row.state() for row in rows], temp))
        shutil.rmtree(path / DECODER)

    def _policy(self) -> Policy:
        """Prompts and grammars; its weights do not matter."""
        if self._grammar is None:
            self._grammar = Policy.load(self.parts.parent, self.stage.temperature, self.stage.max_tokens)
        return self._grammar

    def _ref(self) -> PreTrainedModel:
        """The decoder that training began with."""
        if self._reference is None:
            reference, _ = load_checkpoint(self.parts.parent / DECODER)
            self._reference = reference.to(self.parts.model.device)  # type: ignore[arg-type]
        return self._reference

    def _seen(
        self, phase: int, groups: list[Group], rows: list[Row], auc: float, use_energy: bool, gaps: dict[str, float]
    ) -> PhaseReport:
        stage = self.stage
        rated = [(group, rate) for group in groups if (rate := group.pass_rate) is not None]
        by_level: dict[int, list[float]] = {}
        for group, rate in rated:
            by_level.setdefault(group.level, []).append(rate)
        weights = stage.reward.model_copy(update={} if use_energy else {"energy": 0.0})
        greedy = [float(group.greedy) for group in groups if group.greedy is not None]
        worth = [_mean(rewards(results_of(group), weights), [r.count for r in group.counted]) for group, _ in rated]
        history = History({level: sum(found) / len(found) for level, found in by_level.items()}, {})
        return PhaseReport(
            phase=phase,
            level=open_level(stage, phase, history),
            groups=len(groups),
            informative=sum(group.informative(stage.pass_low, stage.pass_high) for group in groups),
            rows=len(rows),
            tries=sum(r.count for group in groups for r in group.rollouts),
            masked=sum(r.count for group in groups for r in group.rollouts if r.masked),
            pass_rate=_mean([rate for _, rate in rated]),
            greedy=_mean(greedy),
            reward=_mean(worth),
            levels={stage.levels[level].name: _mean(found) for level, found in sorted(by_level.items())},
            agreement=agreement_of(groups),
            auc=auc,
            energy=use_energy,
            **gaps,
        )


def split_updates(rows: list[Row], stage: RlConfig, seed: int, phase: int) -> list[list[Row]]:
    """The rows of each update: groups stay together, each comes once an epoch."""
    share = stage.updates // stage.epochs
    names = sorted({row.group for row in rows})
    updates: list[list[Row]] = []
    for epoch in range(stage.epochs):
        order = list(names)
        random.Random(f"{seed}:{phase}:{epoch}").shuffle(order)
        place = {name: at % share for at, name in enumerate(order)}
        updates += [[row for row in rows if place[row.group] == part] for part in range(share)]
    return updates


def save_decoder(folder: Path, parts: Parts) -> None:
    """The present weights as an ordinary run folder (exact: not rounded)."""
    temp = folder / (DECODER + ".new")
    shutil.rmtree(temp, ignore_errors=True)
    parts.model.save_pretrained(str(temp))
    save_tokenizer(parts.tokenizer, temp)
    shutil.rmtree(folder / DECODER, ignore_errors=True)
    temp.replace(folder / DECODER)
    if (parts.parent / LEXICON).is_file():
        shutil.copyfile(parts.parent / LEXICON, folder / LEXICON)


def read_report(path: Path) -> PhaseReport:
    """The report of a phase's folder."""
    return PhaseReport.model_validate_json((path / REPORT).read_text(encoding="utf-8"))


def _refuse(report: PhaseReport, stage: RlConfig) -> None:
    """Stop where going on would do harm.

    Raises:
        HybridAgentError: the reward is being gamed, nothing can be learned, or the probabilities are wrong.
    """
    if report.alarm:
        raise HybridAgentError(f"stopped: {report.alarm}; the checkpoints before it are kept")
    if report.phase == 0 and not report.rows:
        raise HybridAgentError(
            "no group has both passes and failures, so there is nothing to learn; try a higher stage.temperature, "
            "a larger stage.group or more stage.tasks"
        )
    if report.mismatch > stage.mismatch_limit:
        raise HybridAgentError(
            f"the engine's log-probabilities and the training model's differ by {report.mismatch:.2f} nats a call"
        )


def _groups(shards: Path) -> list[Group]:
    return [group for path in sorted(shards.glob("*.jsonl.gz")) for group in read_groups(path)]


def _load(path: Path) -> list[Row]:
    return [Row.of(state) for state in torch.load(path, weights_only=True)]


def _mean(values: list[float], counts: list[int] | None = None) -> float:
    counts = counts or [1] * len(values)
    return sum(v * n for v, n in zip(values, counts, strict=True)) / sum(counts) if values else 0.0
