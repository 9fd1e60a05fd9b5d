"""Logit shaping: the energy model's preferences as a bias on the logits that is constant within a segment.

The wanted policy is p(y|x) e^(-βE(x,y)), normalised. It is approached within the family softmax(logits + α W A f(x)),
where f describes the window before the segment, W is the decoder's own LM head, frozen, and A a learned steering
matrix (train.shaping fits it). α = 0 is the plain decoder.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import tokenizer_hash
from hybrid_agent.types import Window

WEIGHTS, ABOUT = "shaping.safetensors", "shaping.json"
FORMAT = 1
CAP, MOST = 3.0, 512
_PHASES = ("plan", "step", "finish")
_ENDS = ("ok", "error", "denied")
_TRIES, _TOOLS, _WORDS = 6, 8, 96
WIDTH = 1 + len(_PHASES) + _TRIES + (1 + len(_ENDS)) + 2 + _TOOLS + 2 + _WORDS
_STRUCTURAL = frozenset('{}[]":,\\')
_WORD = re.compile(r"[a-z]{2,}|\.[a-z]\w*")
_TOOL = re.compile(r'^\{"tool":"(\w+)"')


def features(window: Window) -> NDArray[np.float32]:
    """f(x), float32 (WIDTH,): phase, calls of this step, how the last one ended, place in the plan, words of the
    clause (hashed)."""
    out = np.zeros(WIDTH, np.float32)
    calls, at = window.exchanges, 0

    def put(size: int, index: int | None, value: float = 1.0) -> None:
        nonlocal at
        if index is not None:
            out[at + index] = value
        at += size

    put(1, 0)
    put(len(_PHASES), _PHASES.index(window.phase))
    put(_TRIES, min(len(calls), _TRIES - 1))
    head = calls[-1].obs.split("\n", 1)[0] if calls else None
    put(1 + len(_ENDS), 0 if head is None else 1 + _ENDS.index(head) if head in _ENDS else None)
    put(1, 0, float(any(c.call == calls[-1].call for c in calls[:-1])))
    put(1, 0, float(any(not c.obs.startswith("ok") for c in calls)))
    tool = _TOOL.match(calls[-1].call) if calls else None
    put(_TOOLS, zlib.crc32(tool[1].encode()) % _TOOLS if tool else None)
    steps = max(1, len(window.steps))
    put(1, 0, window.index / steps)
    put(1, 0, float(window.index + 1 >= steps))
    clause = window.goal
    if window.phase == "step" and window.index < len(window.steps):
        clause = window.steps[window.index]
    words = {zlib.crc32(word.encode()) % _WORDS for word in _WORD.findall(clause.lower())}
    for word in words:
        out[at + word] = 1 / math.sqrt(len(words))
    return out


def excluded_tokens(tokenizer: PreTrainedTokenizerFast, vocab_size: int) -> NDArray[np.bool_]:
    """Bool (vocab_size,): control and end tokens and all with JSON punctuation in them, which are never biased."""
    backend = tokenizer.backend_tokenizer
    out = np.ones(vocab_size, np.bool_)
    special = set(backend.get_added_tokens_decoder()) | {tokenizer.eos_token_id, tokenizer.pad_token_id}
    for index in range(min(vocab_size, len(tokenizer))):
        text = backend.decode([index], skip_special_tokens=False)
        out[index] = index in special or not text or bool(_STRUCTURAL.intersection(text))
    return out


class Shaper:
    """Turns a window into a bias.

    Args:
        steering: A, float32 (d, WIDTH).
        head: W, (vocab, d), the LM head of the decoder; not copied.
        excluded: bool (vocab,), tokens that are never biased.
        tokenizer: hash of the tokenizer that the head belongs to.
    """

    def __init__(
        self, steering: torch.Tensor, head: torch.Tensor, excluded: NDArray[np.bool_], tokenizer: str = ""
    ) -> None:
        if steering.shape != (head.shape[1], WIDTH):
            raise InputError(
                f"steering of {tuple(steering.shape)} for a width of {head.shape[1]} and {WIDTH} features",
                where=ABOUT,
                fix="fit it again: python -m train.shaping",
            )
        self.steering, self.head, self.excluded, self.tokenizer = steering.float(), head, excluded, tokenizer
        self._last: tuple[Window | None, NDArray[np.float32]] = (None, np.zeros(0, np.float32))

    @classmethod
    def for_model(
        cls, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, steering: torch.Tensor | None = None
    ) -> Shaper:
        """A shaper over a decoder; without `steering` it does nothing yet."""
        head = model.get_output_embeddings().weight.detach()  # type: ignore[no-untyped-call]
        assert isinstance(head, torch.Tensor)
        steering = torch.zeros(head.shape[1], WIDTH) if steering is None else steering
        return cls(steering, head, excluded_tokens(tokenizer, head.shape[0]), tokenizer_hash(tokenizer))

    def bias(self, window: Window) -> NDArray[np.float32]:
        """Float32 (vocab,): zero-mean over the tokens that may be biased, within ±3, the 512 largest only."""
        if window is not self._last[0]:
            self._last = (window, self.bias_of(features(window)))
        return self._last[1]

    @torch.inference_mode()
    def bias_of(self, described: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same from features (WIDTH,)."""
        direction = self.steering @ torch.from_numpy(described).to(self.steering.device)
        raw = (self.head @ direction.to(self.head)).float().cpu().numpy()
        raw -= raw[~self.excluded].mean()
        raw[self.excluded] = 0.0
        if len(raw) > MOST:
            raw[np.argpartition(np.abs(raw), len(raw) - MOST)[: len(raw) - MOST]] = 0.0
        value: NDArray[np.float32] = np.clip(raw, -CAP, CAP)
        return value

    def save(self, folder: Path, about: dict[str, object] | None = None) -> list[Path]:
        """Write the steering matrix and what is known `about` it; returns the files."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"steering": self.steering.contiguous()}, folder / WEIGHTS)
        text = {"format": FORMAT, "features": WIDTH, "tokenizer": self.tokenizer, **(about or {})}
        (folder / ABOUT).write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
        return [folder / WEIGHTS, folder / ABOUT]

    @classmethod
    def load(cls, folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> Shaper:
        """Read what `save` wrote.

        Raises:
            InputError: not there, broken, or fitted for another decoder.
        """
        head = model.get_output_embeddings().weight.detach()  # type: ignore[no-untyped-call]
        assert isinstance(head, torch.Tensor)
        return cls.over(folder, head, tokenizer)

    @classmethod
    def over(cls, folder: Path, head: torch.Tensor, tokenizer: PreTrainedTokenizerFast) -> Shaper:
        """The same over an LM head (vocab, d) without its model.

        Raises:
            InputError: not there, broken, or fitted for another decoder.
        """
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            steering = load_file(folder / WEIGHTS)["steering"]
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            fix = "fit it: python -m train.shaping"
            raise InputError(f"no readable shaping: {error}", where=str(folder), fix=fix) from None
        made = cls(steering, head, excluded_tokens(tokenizer, head.shape[0]), tokenizer_hash(tokenizer))
        if (about.get("format"), about.get("tokenizer")) != (FORMAT, made.tokenizer):
            raise InputError("fitted for another tokenizer or by another version", where=str(folder / ABOUT))
        return made
