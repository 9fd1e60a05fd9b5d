"""Text states of candidates over one window, with the window's part kept for the next call."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from hybrid_agent.nn.lean import LeanLlama, supports
from hybrid_agent.scorer.encode import pack
from hybrid_agent.scorer.model import EnergyModel, pool

Tensor = torch.Tensor
SMALL = 200_000_000


class TextStates:
    """Pooled states of candidates. A window that extends the last one costs only its new tokens.

    Small Llama trunks on the CPU run through the lean forward pass with its cache; others through the stock module,
    which keeps nothing between calls.
    """

    def __init__(self, model: EnergyModel, *, packed: bool, device: str = "cpu") -> None:
        self.model, self.packed, self.device = model, packed, device
        self.reused = 0  # prefix tokens of the last call that were in the cache
        self._lean = _lean(model) if device == "cpu" else None
        self._held: list[int] = []

    @torch.inference_mode()
    def pooled(self, prefix: Sequence[int], candidates: Sequence[Sequence[int]]) -> Tensor:
        """(C, 3 D), the states of each candidate behind the prefix."""
        if self._lean is None:
            batch = pack([prefix], [candidates], self.packed).to(self.device)
            return self.model.pooled(batch)
        self._take(prefix)
        rows = range(1, len(candidates) + 1)
        self._lean.copy_row(0, list(rows), len(prefix))
        states = self._lean.states(list(rows), candidates, [len(prefix)] * len(candidates))
        sizes = torch.tensor([len(c) for c in candidates])
        return pool(states, torch.arange(states.shape[1]) < sizes[:, None])

    def _take(self, prefix: Sequence[int]) -> None:
        """Have the prefix in row 0 of the cache."""
        assert self._lean is not None
        same = 0
        for old, new in zip(self._held, prefix, strict=False):
            if old != new:
                break
            same += 1
        self.reused = same
        if same < len(prefix):
            self._held = self._held[:same]
            self._lean.forward([0], [prefix[same:]], [same])
        self._held = list(prefix)


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
