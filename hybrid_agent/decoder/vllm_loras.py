"""Experts for vLLM: one adapter a request, so a mixture of two is one adapter of their summed rank, made once."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hybrid_agent.decoder.experts import BASE, ExpertLibrary, read_experts
from hybrid_agent.decoder.vllm_engine import Lora
from hybrid_agent.nn.adapters import write_adapter
from hybrid_agent.types import Control


class LoraShelf:
    """Who writes which segment, and where the adapter lies that vLLM is to use for it.

    Args:
        folder: `experts/` of a run or bundle.

    Raises:
        InputError: there are no experts, or one is broken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        adapters, children = read_experts(folder)
        # The library chooses and blends; the weights stay with vLLM.
        model: Any = None
        self.library = ExpertLibrary(model, adapters, children)
        self.rank = 2 * max(adapter.rank for adapter in adapters.values())  # of a mixture of two
        self._made = Path(tempfile.mkdtemp(prefix="hybrid-agent-lora-"))
        self._known: dict[str, Lora] = {}

    def choose(self, control: Control, final: bool) -> str:
        """See `ExpertLibrary.choose`."""
        return self.library.choose(control, final)

    def lora(self, name: str) -> Lora | None:
        """The adapter of an expert or mixture; None for the decoder itself.

        Raises:
            InputError: no such expert.
        """
        if name == BASE:
            return None
        if name not in self._known:
            adapter = self.library.adapter(name)
            assert adapter is not None
            folder = self.folder / name
            if name not in self.library.adapters:
                folder = self._made / f"{len(self._known)}"
                write_adapter(adapter, folder)
            self._known[name] = Lora(name, len(self._known) + 1, folder.absolute())
        return self._known[name]

    def close(self) -> None:
        """Remove the mixtures."""
        shutil.rmtree(self._made, ignore_errors=True)
