"""Continuing a conversation, as a chat needs it; loads without torch. `completion` does it with a local model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Completion:
    """A finished text. `complete`: it ended by itself or at a stop text, not by its budget. `tokens` were written,
    `prompt_tokens` read."""

    text: str
    complete: bool
    prompt_tokens: int
    tokens: int


class Completer(Protocol):
    """Continues conversations."""

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Any = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        told: Callable[[str], bool] | None = None,
    ) -> Completion:
        """The answer to `messages` (each with `role` and `content`).

        Args:
            schema: JSON Schema that the text must satisfy; None writes freely.
            stop: texts at whose first occurrence the answer ends; they are not part of it.
            told: gets each new piece of text; when it returns True the writing ends.

        Raises:
            GrammarError: the schema cannot be enforced.
            InputError: the conversation leaves no room for an answer (`field` is "messages").
            InfraError: the model is away.
        """
        ...
