"""From a window to token ids that fit the model's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from transformers import PreTrainedTokenizerFast

from hybrid_agent.decoder.chat import messages
from hybrid_agent.traces.window_text import SPECIALS, render_window
from hybrid_agent.types import Exchange, Window

CUT = " ... "


class Prompt(Protocol):
    """How a kind of model is shown a window."""

    def encode(self, window: Window, room: int) -> list[int]:
        """Token ids, at most `room` of them."""
        ...


def is_tiny(tokenizer: PreTrainedTokenizerFast) -> bool:
    """True if the tokenizer has our control tokens."""
    return all(tokenizer.backend_tokenizer.token_to_id(token) is not None for token in SPECIALS)


class TinyPrompt:
    """The format of hybrid_agent.traces.window_text."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer.backend_tokenizer

    def encode(self, window: Window, room: int) -> list[int]:
        """See `Prompt`. What does not fit is shortened, the least useful first."""
        return _fitting(window, room, self._ids)

    def _ids(self, window: Window) -> list[int]:
        return list(self._tokenizer.encode(render_window(window), add_special_tokens=False).ids)


class ChatPrompt:
    """The model's own chat template, or plain paragraphs where it has none."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, schema: Mapping[str, Any]) -> None:
        self._tokenizer, self._schema = tokenizer, schema

    def encode(self, window: Window, room: int) -> list[int]:
        """See `Prompt`."""
        return _fitting(window, room, self._ids)

    def _ids(self, window: Window) -> list[int]:
        turns = messages(window, self._schema)
        if self._tokenizer.chat_template:
            text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        else:
            text = "\n\n".join(turn["content"] for turn in turns) + "\n\n"
        # The template has written the control tokens already.
        return list(self._tokenizer.backend_tokenizer.encode(str(text), add_special_tokens=False).ids)


def _fitting(window: Window, room: int, encode: Any) -> list[int]:
    """Encode, giving up in turn: far files, the middles of old observations, old exchanges, the head's end."""
    ids: list[int] = encode(window)
    while len(ids) > room:
        shorter = _shorten(window)
        if shorter is None:
            return ids[: room - 1] + ids[-1:]  # the last token is the mark after which the call is written
        window = shorter
        ids = encode(window)
    return ids


def _shorten(window: Window) -> Window | None:
    if len(window.files) > 8:
        return window.model_copy(update={"files": window.files[: len(window.files) // 2]})
    if any(len(e.obs) > 160 for e in window.exchanges):
        cut = tuple(Exchange(call=e.call, obs=_middle_out(e.obs, max(160, len(e.obs) // 2))) for e in window.exchanges)
        return window.model_copy(update={"exchanges": cut})
    if len(window.exchanges) > 1:
        return window.model_copy(update={"exchanges": window.exchanges[1:]})
    if window.files or window.notes:
        return window.model_copy(update={"files": (), "notes": window.notes[-1:] if len(window.notes) > 1 else ()})
    return None


def _middle_out(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    keep = size - len(CUT)
    return text[: keep // 3] + CUT + text[-(keep - keep // 3) :]
