"""From stored groups to what an update needs: tokens, masks, advantages, and log-probabilities before the update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from hybrid_agent.config.stages.rl import RlConfig
from train.rewards import Result, advantages, rewards
from train.rl.policy import Policy
from train.rl.records import Group, Piece
from train.rl.replay import choices_of


@dataclass
class Row:
    """One call that was written, with n choices.

    Attributes:
        group: number of its group in the phase.
        ids: int32, prompt and text (and the end token, if it was chosen).
        at: int32 (n,), where in `ids` each chosen token stands.
        masks: uint8 (n, bytes) of allowed tokens, or None.
        advantage: of the try it belongs to.
        count: how many equal tries there were.
        engine: the engine's own log-probability of the text at temperature 1.
        weight: importance weight, engine against training forward pass.
        old: float32 (n,), log-probabilities of the policy that wrote it, at the temperature of the draw.
        ref: float32 (n,), of the decoder that training began with.
    """

    group: int
    ids: NDArray[np.int32]
    at: NDArray[np.int32]
    masks: NDArray[np.uint8] | None
    advantage: float
    count: int
    engine: float
    weight: float = 1.0
    old: NDArray[np.float32] | None = None
    ref: NDArray[np.float32] | None = None

    def state(self) -> dict[str, object]:
        """For a file."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in found.items()}

    @classmethod
    def of(cls, state: dict[str, object]) -> Row:
        """From `state`."""
        return cls(**{k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in state.items()})  # type: ignore[arg-type]


def results_of(group: Group) -> list[Result]:
    """The tries of a group that count, as the reward module takes them."""
    return [Result(r.passed, r.label == "policy_violation", r.cost, r.energy, r.count) for r in group.counted]


def make_rows(groups: Sequence[Group], policy: Policy, stage: RlConfig, use_energy: bool) -> list[Row]:
    """Rows of the groups that some tries pass and some do not. Masked tries are neither learned from nor counted."""
    rows: list[Row] = []
    reward = stage.reward if use_energy else stage.reward.model_copy(update={"energy": 0.0})
    for number, group in enumerate(groups):
        if not group.informative(stage.pass_low, stage.pass_high):
            continue
        results = results_of(group)
        worth = advantages(rewards(results, reward), [r.count for r in results])
        for rollout, advantage in zip(group.counted, worth, strict=True):
            for piece in rollout.pieces:
                row = _row(number, group, piece, policy, advantage, rollout.count)
                if len(row.at):
                    rows.append(row)
    return rows


def _row(number: int, group: Group, piece: Piece, policy: Policy, advantage: float, count: int) -> Row:
    window = group.windows[piece.window]
    prompt = policy.prompt(window)
    found = choices_of(piece.tokens, policy.end_id, policy.constraint(window), piece.complete)
    ids = [*prompt, *piece.tokens]
    if len(found.at) and found.at[-1] == len(piece.tokens):
        ids.append(policy.end_id)
    at = (found.at + len(prompt)).astype(np.int32)
    return Row(number, np.array(ids, np.int32), at, found.masks, advantage, count, piece.logprob)


def packs(rows: Sequence[Row], batch_tokens: int) -> Iterator[list[int]]:
    """Numbers of rows of similar length, within a budget of padded tokens (at least one row each)."""
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i].ids), i))
    pack: list[int] = []
    for i in order:
        if pack and (len(pack) + 1) * len(rows[i].ids) > batch_tokens:
            yield pack
            pack = []
        pack.append(i)
    if pack:
        yield pack


def log_probs(
    model: PreTrainedModel, rows: Sequence[Row], temperature: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log-probabilities of all choices of the rows, one after the other, under their masks.

    Padding is on the right and attention is causal, so no choice ever sees a pad.

    Returns:
        (at `temperature`, at temperature 1 without gradient, entropy at `temperature` without gradient), each (N,).
    """
    device = model.device
    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.from_numpy(row.ids.astype(np.int64))
    base = model.base_model
    hidden = base(input_ids=ids.to(device), use_cache=False).last_hidden_state
    where = torch.tensor([(i, int(at)) for i, row in enumerate(rows) for at in row.at], device=device)
    chosen = ids.to(device)[where[:, 0], where[:, 1]]
    logits = model.get_output_embeddings()(hidden[where[:, 0], where[:, 1] - 1]).float()
    if any(row.masks is not None for row in rows):
        logits = logits.masked_fill(~_allowed(rows, logits.shape[1]).to(device), float("-inf"))
    heated = torch.log_softmax(logits / temperature, -1)
    picked = heated.gather(1, chosen[:, None])[:, 0]
    with torch.no_grad():
        plain = torch.log_softmax(logits, -1).gather(1, chosen[:, None])[:, 0]
        entropy = -(heated.exp() * heated.masked_fill(heated == float("-inf"), 0.0)).sum(-1)
    return picked, plain, entropy


def _allowed(rows: Sequence[Row], vocab: int) -> torch.Tensor:
    """bool (N, vocab)."""
    parts = []
    for row in rows:
        if row.masks is None:
            parts.append(np.ones((len(row.at), vocab), bool))
        else:
            bits = np.unpackbits(row.masks, axis=1, bitorder="little", count=vocab).astype(bool)
            parts.append(bits)
    return torch.from_numpy(np.concatenate(parts))


@torch.no_grad()
def fill(rows: list[Row], model: PreTrainedModel, reference: PreTrainedModel, stage: RlConfig) -> dict[str, float]:
    """Log-probabilities before the update, and importance weights; returns how far the two forward passes differ.

    A text was drawn by the engine's forward pass and is trained by another one. The weight of its tokens is
    min(p_train / p_engine, cap), both at temperature 1 (truncated importance sampling).
    """
    gaps = np.zeros(len(rows))
    for pack in packs(rows, stage.optim.batch_tokens):
        chosen = [rows[i] for i in pack]
        old, plain, _ = log_probs(model, chosen, stage.temperature)
        ref, _, _ = log_probs(reference, chosen, stage.temperature)
        start = 0
        for i in pack:
            row, end = rows[i], start + len(rows[i].at)
            row.old = old[start:end].float().cpu().numpy()
            row.ref = ref[start:end].float().cpu().numpy()
            gaps[i] = float(plain[start:end].sum()) - row.engine
            row.weight = float(min(np.exp(gaps[i]), stage.weight_cap))
            start = end
    if not len(rows):
        return {"mismatch": 0.0, "mismatch_max": 0.0, "weight": 1.0}
    return {
        "mismatch": float(np.abs(gaps).mean()),
        "mismatch_max": float(np.abs(gaps).max()),
        "weight": float(np.mean([row.weight for row in rows])),
    }
