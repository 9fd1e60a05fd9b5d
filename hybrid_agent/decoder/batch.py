"""One decoder for many callers: their segments are written in one batch that they join and leave at any step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.decoder.hf import DecoderOptions, HfDecoder
from hybrid_agent.errors import InfraError
from hybrid_agent.types import Budget, Control, Segment, Window


@dataclass(frozen=True)
class BatchOptions:
    """Limits of a batched decoder.

    Attributes:
        rows: texts written at once, at most; each candidate is one.
        waiting: calls that may wait for rows; one more is refused.
        cache_mb: MiB of cached prefixes, those in use included.
    """

    rows: int = 32
    waiting: int = 64
    cache_mb: int = 512


class BatchedDecoder:
    """Implements `hybrid_agent.protocols.Decoder`; may be called from many threads.

    Args:
        decoder: loaded; not to be used by anybody else from now on.
    """

    def __init__(self, decoder: HfDecoder, options: BatchOptions | None = None) -> None:
        self.decoder, self.options = decoder, options or BatchOptions()
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._closed = False

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        schema: Mapping[str, Any],
        options: DecoderOptions | None = None,
        device: str = "cpu",
        parts: Mapping[str, Path] | None = None,
        batch: BatchOptions | None = None,
    ) -> BatchedDecoder:
        """Load a decoder (arguments and errors of `HfDecoder.from_folder`)."""
        return cls(HfDecoder.from_folder(folder, schema, options, device, parts), batch)

    def propose(
        self,
        window: Window,
        budget: Budget,
        control: Control,
        watch: Callable[[Segment], bool] | None = None,
        *,
        partial: Callable[[int, str], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Sequence[Segment]:
        """Write budget.k candidate calls, as the decoder alone would (without speculation).

        Args:
            watch: called in the caller's thread; this call's other candidates wait for its answer, nobody else's.
            partial: told of each candidate's number and text so far every 32 tokens, in the caller's thread.
            cancel: asked at every step, in another thread; True ends the call.

        Raises:
            hybrid_agent.errors.Overloaded: too many calls are waiting.
            hybrid_agent.errors.Cancelled: `cancel` said so.
            InfraError: closed.
        """
        with self._lock:
            if self._closed:
                raise InfraError("the decoder is closed")
            found = self.decoder.propose(window, budget, control, watch)
            self._mine.spent = self.decoder.spent
        return found

    @property
    def spent(self) -> tuple[int, int]:
        """Tokens of all candidates of this thread's last call, and how many of them were forced."""
        spent: tuple[int, int] = getattr(self._mine, "spent", (0, 0))
        return spent

    def forget(self) -> None:
        """Drop the cached prefixes that are not in use."""
        with self._lock:
            self.decoder.forget()

    def close(self) -> None:
        """End all calls (InfraError) and the thread behind them; idempotent."""
        self._closed = True

    def __enter__(self) -> BatchedDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
