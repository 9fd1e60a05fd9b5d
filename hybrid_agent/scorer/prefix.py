"""Text states of candidates over windows, with the windows' part kept for the next calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from hybrid_agent.nn.lean import LeanLlama, supports
from hybrid_agent.nn.ragged import RowWork, ragged_states
from hybrid_agent.nn.row_cache import common
from hybrid_agent.scorer.encode import pack
from hybrid_agent.scorer.model import EnergyModel, pool

Tensor = torch.Tensor
SMALL = 200_000_000


class Texts(NamedTuple):
    """Token ids of a window and of candidates over it."""

    prefix: list[int]
    candidates: list[list[int]]


class TextStates:
    """Pooled states of candidates. A window that extends one of the last costs only its new tokens.

    Small Llama trunks on the CPU run through the lean forward pass with its cache; others through the stock module,
    which keeps nothing between calls.

    Args:
        rows: windows that are kept.
    """

    def __init__(self, model: EnergyModel, *, packed: bool, device: str = "cpu", rows: int = 1) -> None:
        self.model, self.packed, self.device = model, packed, device
        self.reused = 0  # prefix tokens of the last call that were in the cache
        lean = _lean(model) if device == "cpu" else None
        # A row holds a window and several candidates, each of which may go up to the trunk's last position.
        self._lean = lean.over(lean.cache.alike(2 * lean.context)) if lean is not None else None
        self.keep(rows)

    def keep(self, rows: int) -> None:
        """How many windows are kept; what was kept is dropped."""
        self._held: list[list[int]] = [[] for _ in range(rows)]
        self._used = [0] * rows
        self._clock = 0

    @torch.inference_mode()
    def pooled(self, texts: Sequence[Texts]) -> Tensor:
        """(C, 3 D), the states of all candidates behind their windows, in order."""
        lean = self._lean
        if lean is None:
            batch = pack([t.prefix for t in texts], [t.candidates for t in texts], self.packed).to(self.device)
            return self.model.pooled(batch)
        parts = [part for text in texts for part in _split(text, lean.cache.context)]
        found: list[Tensor] = []
        self.reused = 0
        for at in range(0, len(parts), len(self._held)):  # as many at once as there are rows
            now, taken = parts[at : at + len(self._held)], set[int]()
            work = [self._work(lean, part, taken) for part in now]
            found += [_pooled(p, states) for p, states in zip(now, ragged_states(lean.cache, work), strict=True)]
        return torch.cat(found)

    def _work(self, lean: LeanLlama, text: Texts, taken: set[int]) -> RowWork:
        """A row with the window's new part and all candidates behind it: each sees the window and itself."""
        prefix, begun = text.prefix, len(text.prefix)
        row, known = self._row(lean, prefix, taken)
        sizes = [len(candidate) for candidate in text.candidates]
        end = begun + sum(sizes)
        mask = torch.full((end - known, end), -torch.inf, dtype=lean.dtype).triu_(known + 1)
        at = begun
        for size in sizes:
            mask[at + size - known :, at : at + size] = -torch.inf
            at += size
        tokens = [*prefix[known:], *(token for candidate in text.candidates for token in candidate)]
        positions = [*range(known, begun), *(begun + offset for size in sizes for offset in range(size))]
        return RowWork(lean, row, tokens, known, positions, mask)

    def _row(self, lean: LeanLlama, prefix: list[int], taken: set[int]) -> tuple[int, int]:
        """A row for a window that no other of this pass has, and how much of the window is there."""
        known = [common(held, prefix) for held in self._held]
        rows = [row for row in range(len(known)) if row not in taken]
        row = max(rows, key=lambda r: (known[r], -len(self._held[r])))
        if 2 * known[row] < len(self._held[row]):  # most of it would be lost
            row = min(rows, key=lambda r: self._used[r])
        best = max(range(len(known)), key=lambda r: known[r] if r not in taken else -1)
        if known[best] > known[row]:
            lean.copy_row(best, [row], known[best], start=known[row])
            known[row] = known[best]
        taken.add(row)
        self._clock += 1
        self._held[row], self._used[row] = list(prefix), self._clock
        self.reused += known[row]
        return row, known[row]


def _split(text: Texts, room: int) -> list[Texts]:
    """The candidates in groups that fit into a row with their window."""
    groups: list[list[list[int]]] = [[]]
    left = room - len(text.prefix)
    for candidate in text.candidates:
        if len(candidate) > left and groups[-1]:
            groups.append([])
            left = room - len(text.prefix)
        groups[-1].append(candidate)
        left -= len(candidate)
    return [Texts(text.prefix, group) for group in groups]


def _pooled(text: Texts, states: Tensor) -> Tensor:
    """(C, 3 D) from the states of a window's new part and its candidates."""
    sizes = torch.tensor([len(candidate) for candidate in text.candidates])
    each = list(torch.split(states[len(states) - int(sizes.sum()) :], sizes.tolist()))
    padded = torch.nn.utils.rnn.pad_sequence(each, batch_first=True)
    return pool(padded, torch.arange(padded.shape[1]) < sizes[:, None])


def _lean(model: EnergyModel) -> LeanLlama | None:
    """The lean forward pass over the trunk, where its arithmetic is the trunk's."""
    trunk = model.trunk
    if trunk is None or not isinstance(trunk.config, LlamaConfig) or trunk.num_parameters() > SMALL:
        return None
    config = LlamaConfig.from_dict({**trunk.config.to_dict(), "tie_word_embeddings": True})
    with torch.device("meta"):
        whole = LlamaForCausalLM(config)
    whole.model = trunk
    whole.lm_head.weight = trunk.get_input_embeddings().weight
    return LeanLlama(whole) if supports(whole) else None
