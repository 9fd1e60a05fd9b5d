"""Held-out sequences of one attempt: one half to decide on, the other to report on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from transformers import LlamaForCausalLM

from hybrid_agent.nn.adapters import Adapter, merged
from train.aoe_answers import Scores, score_answers
from train.aoe_slices import Answers, hold_out, sample_rows
from train.data import Sequences

QUICK = 200


@dataclass(frozen=True)
class Held:
    """Sequences that no adapter is trained on.

    Attributes:
        group: int64 (sequences,): an episode of the val split, or the same calls in several wordings.
        tune: rows to choose by (a child's shares, whether to keep a distilled generalist).
        test: rows to report on; no group of `tune` is among them.
        source: what they are, for the report.
    """

    data: Sequences
    answers: Answers
    group: NDArray[np.int64]
    tune: NDArray[np.int64]
    test: NDArray[np.int64]
    source: str
    batch_tokens: int
    pad_id: int

    @classmethod
    def of(
        cls,
        data: Sequences,
        answers: Answers,
        rows: NDArray[np.int64],
        group: NDArray[np.int64],
        *,
        limit: int,
        seed: int,
        source: str,
        batch_tokens: int,
        pad_id: int,
    ) -> Held:
        """Split `limit` of the rows in halves."""
        rows = sample_rows(rows, limit, seed)
        first, second = hold_out(group[rows], 0.5, seed)
        return cls(data, answers, group, rows[first], rows[second], source, batch_tokens, pad_id)

    def score(self, base: LlamaForCausalLM, adapter: Adapter | None, rows: NDArray[np.int64]) -> Scores:
        """Every answer of `rows` by the base with an adapter merged, which is what serves."""
        model = base if adapter is None else merged(base, adapter)
        return score_answers(model, self.data, rows, self.batch_tokens, self.pad_id)  # type: ignore[arg-type]

    def quick(self, model: LlamaForCausalLM) -> dict[str, float]:
        """Figures on some of the rows to tune on, for a training's log."""
        rows = sample_rows(self.tune, QUICK, 0)
        figures = score_answers(model, self.data, rows, self.batch_tokens, self.pad_id).figures()
        return {"exact": figures["exact"], "val_loss": figures["loss"]}

    def experts(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The expert of each answer of `rows`, index into EXPERTS."""
        return self.answers.expert[self.answers.of(rows)].astype(np.int64)

    def groups(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The group of each answer of `rows`."""
        return self.group[self.answers.row[self.answers.of(rows)]]

    def of_slices(self, rows: NDArray[np.int64], experts: list[int]) -> NDArray[np.bool_]:
        """Which answers of `rows` belong to these experts."""
        return np.isin(self.experts(rows), experts)
