"""Rows for people: what a model made of data that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from hybrid_agent.runs.tracking import Cell
from train.data import Sequences

Table = tuple[list[str], list[list[Cell]]]
BEFORE = 300  # characters shown of what came before an answer


@torch.no_grad()
def answer_samples(
    model: nn.Module, data: Sequences, rows: Sequence[int] | np.ndarray, tokenizer: PreTrainedTokenizerBase
) -> Table:
    """The last answer of each of these sequences beside the model's own first choices, token by token.

    The choices are made on the true text before them, so what follows a wrong token is not what the model would have
    written by itself. A model whose parameters are spread over ranks is not asked: it would need all of them.
    """
    columns = ["kind", "before", "answer", "first choices", "equal"]
    if any(hasattr(parameter, "ds_id") for parameter in model.parameters()):
        return columns, []
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    out: list[list[Cell]] = []
    for row in rows:
        begin, end = data.starts[row], data.starts[row + 1]
        ids, answer = data.tokens[begin:end].astype(np.int64), data.answer[begin:end]
        at = np.flatnonzero(answer == answer.max())
        logits = model(input_ids=torch.from_numpy(ids)[None].to(device)).logits[0]
        chosen = logits[at - 1].argmax(-1).cpu().numpy()
        before, true, own = (tokenizer.decode(part) for part in (ids[: at[0]], ids[at], chosen))
        equal = bool((chosen == ids[at]).all())
        out.append([data.kind_names[data.kinds[row]], before[-BEFORE:], true, own, equal])
    model.train(training)
    return columns, out
