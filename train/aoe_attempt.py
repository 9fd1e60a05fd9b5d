"""One attempt at training experts: where things lie, what is done, and how one adapter is fitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.config.optim import LengthConfig
from hybrid_agent.config.stages.aoe import AoeConfig
from hybrid_agent.config.stages.sft import CorpusConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.traces.domains import EXPERTS
from train.aoe_adapters import Base, Trainer
from train.aoe_held import Held
from train.aoe_slices import Answers, find_answers, groups, hold_out, specialise
from train.aoe_val import val_sequences
from train.checkpoint import load_newest, save_checkpoint
from train.data import BatchStream, Sequences, load_sequences
from train.stages.sft import completion_loss

ADAPTERS, WORK = "adapters", "work"
GENERALIST, MULTITASK, CHILD, DISTILLED = "generalist", "multitask", "child", "distilled"


@dataclass
class Progress:
    """Which parts are done, with their figures; kept as the attempt's own checkpoint."""

    folder: Path
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Progress:
        """What is there (of a new attempt: nothing)."""
        return cls(folder, (load_newest(folder) or {"done": {}})["done"])

    def save(self) -> None:
        """Store it. An attempt with progress goes on only with the same config and data."""
        save_checkpoint(self.folder, len(self.done), {"done": self.done})


@dataclass(frozen=True)
class Attempt:
    """All that the parts need."""

    config: TrainConfig
    stage: AoeConfig
    folder: Path
    base: Base
    data: Sequences
    answers: Answers
    rows: NDArray[np.int64]
    held: Held
    trainer: Trainer
    pad_id: int

    def adapter(self, name: str) -> Path:
        """Where an adapter lies as it was trained."""
        return self.folder / ADAPTERS / name

    def seed(self, name: str) -> int:
        """A seed for each part."""
        return 1000 * self.config.seed + [*EXPERTS, MULTITASK, CHILD, DISTILLED].index(name)

    def log(self, text: str) -> None:
        """Tell people."""
        self.trainer.console.print(text, highlight=False)


def data_path(stage: AoeConfig, base: Base) -> Path:
    """The sequences: the given file, or the corpus of the decoder's own run."""
    if stage.data is not None:
        return Path(stage.data)
    made = base.config.get("stage", {})
    if not made.get("corpus"):
        fix = "give stage.data=PATH/sequences.jsonl.gz"
        raise InputError("the decoder's run names no corpus", where=str(base.folder), field="stage.data", fix=fix)
    from train.corpus import build_corpus

    return build_corpus(CorpusConfig.model_validate(made["corpus"]), Path(made["corpus_dir"])) / "sequences.jsonl.gz"


def make_attempt(
    config: TrainConfig, stage: AoeConfig, folder: Path, path: Path, base: Base, trainer: Trainer
) -> Attempt:
    cache, context = Path(config.runs) / "cache", int(base.model.config.max_position_embeddings)
    pad_id, seed = int(base.tokenizer.pad_token_id), config.seed
    data = load_sequences(path, base.tokenizer, context, cache)
    answers = find_answers(data, base.tokenizer)
    shared = {"limit": stage.eval_rows, "seed": seed, "batch_tokens": stage.optim.batch_tokens, "pad_id": pad_id}
    if stage.val:
        other = load_sequences(val_sequences(stage.val, cache), base.tokenizer, context, cache)
        rows, every, episode = np.arange(len(data)), np.arange(len(other)), other.kinds.astype(np.int64)
        found = find_answers(other, base.tokenizer)
        held = Held.of(other, found, every, episode, source="episodes of the val split", **shared)
    else:
        group = groups(data)
        rows, kept = hold_out(group, stage.held_share, seed)
        source = "training data held out by its calls; the decoder itself has seen it"
        held = Held.of(data, answers, kept, group, source=source, **shared)
    return Attempt(config, stage, folder, base, data, answers, rows, held, trainer, pad_id)


def fit(attempt: Attempt, name: str, model: Any, experts: list[str], seed: int, length: LengthConfig) -> dict[str, Any]:
    """Fit the adapter of `model` to the experts' slices; it ends up in the attempt's folder as `name`."""
    data, rows = specialise(attempt.data, attempt.answers, attempt.rows, experts, attempt.stage.share, seed)
    if not len(rows):
        raise InputError(
            f"no call in the data is for {' or '.join(experts)}", field="stage.experts", fix="leave it out"
        )
    device = attempt.base.model.device
    return attempt.trainer.train(
        name,
        model,
        BatchStream(data, rows, attempt.stage.optim.batch_tokens, seed, attempt.pad_id),
        lambda llama: lambda batch: completion_loss(llama, batch.to(device)),
        lambda llama: lambda: attempt.held.quick(llama),
        attempt.stage.optim,
        length,
        attempt.adapter(name),
    )
