"""One decoder for many callers: their segments are written in one batch that they join and leave at any step."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.live import Live, watched
from hybrid_agent.decoder.loop import BatchLoop
from hybrid_agent.decoder.options import BASE, DecoderOptions
from hybrid_agent.decoder.pool import pool_of
from hybrid_agent.decoder.row import Draft
from hybrid_agent.decoder.shared import SharedEngine
from hybrid_agent.decoder.speculate import Speculator
from hybrid_agent.types import Budget, Control, Segment, Window

T = TypeVar("T")


@dataclass(frozen=True)
class BatchOptions:
    """Limits of a batched decoder.

    Attributes:
        rows: texts written at once, at most; each candidate is one.
        waiting: calls that may wait for rows; one more is refused.
        cache_mb: MiB of keys and values, of the texts being written and of those kept for the next calls; there are
            as many rows as fit at full length, so a small cache may hold fewer than `rows`.
        prompt_tokens: new prompts are read in the same step only up to so many tokens (one is always read): they
            hold up everybody else.
        windows: of the last so many, grammar and prompt are kept.
    """

    rows: int = 64
    waiting: int = 128
    cache_mb: int = 384
    prompt_tokens: int = 512
    windows: int = 128


class BatchedDecoder:
    """Implements `hybrid_agent.protocols.Decoder`; may be called from many threads.

    What a call writes is what the decoder would write alone (with speculation off): rows share nothing but forward
    passes. `decoder.live.watched` works as with the decoder itself.

    Args:
        decoder: loaded; not to be used by anybody else from now on.
    """

    def __init__(self, decoder: HfDecoder, options: BatchOptions | None = None) -> None:
        self.decoder, self.options = decoder, options or BatchOptions()
        model = decoder.engine.model
        pool = pool_of(model)
        self.loop = BatchLoop(
            pool,
            decoder.engine.end_id,
            model.context,
            rows=max(1, min(4 * self.options.rows, (self.options.cache_mb << 20) // max(1, pool.row_bytes))),
            together=self.options.rows,
            waiting=self.options.waiting,
            prompt_tokens=self.options.prompt_tokens,
        )
        self._merging = threading.Lock()
        self._prompts: _Kept[tuple[list[int], int]] = _Kept(self.options.windows)
        self._grammars: _Kept[Callable[[], Matcher] | None] = _Kept(self.options.windows)
        self._greedy: _Kept[Draft] = _Kept(self.options.windows)
        self._mine = threading.local()

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
        """Write budget.k candidate calls.

        Args:
            watch: called in the caller's thread; this call's other candidates wait for its answer, nobody else's.
            partial: told of an unfinished candidate's number and text so far every 40 tokens, in the caller's thread.
            cancel: asked between steps, in another thread; True gives the call up.

        Raises:
            hybrid_agent.errors.Overloaded: too many calls are waiting.
            hybrid_agent.errors.Cancelled: `cancel` (or whoever looks on through `decoder.live`) gave the call up.
            InputError: more candidates than rows.
            InfraError: the decoder is closed.
        """
        caller = _Caller(self)
        with watched(Live(cancel or _never, _told(caller, partial))) if partial or cancel else nullcontext():
            try:
                return caller.propose(window, budget, control, watch)
            finally:
                self._mine.spent = caller.spent

    def engine(self, expert: str = BASE) -> SharedEngine:
        """What other texts can be written with in the same batch; for one thread.

        Raises:
            InputError: no such expert.
        """
        decoder = self.decoder
        if expert == BASE or decoder.experts is None:
            return SharedEngine(self.loop, decoder.engine.model)
        with self._merging:
            return SharedEngine(self.loop, decoder.experts.rows(expert))

    @property
    def spent(self) -> tuple[int, int]:
        """Tokens of all candidates of this thread's last call, and how many of them were forced."""
        spent: tuple[int, int] = getattr(self._mine, "spent", (0, 0))
        return spent

    def forget(self) -> None:
        """Drop the cached prefixes that are not in use."""
        self._prompts.clear()
        self._grammars.clear()
        self._greedy.clear()
        self.loop.forget()

    def close(self) -> None:
        """End all calls (InfraError) and the thread behind them; idempotent."""
        self.loop.close()

    def __enter__(self) -> BatchedDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _never() -> bool:
    return False


def _told(
    decoder: HfDecoder, partial: Callable[[int, str], None] | None
) -> Callable[[int, Sequence[int]], None] | None:
    return partial and (lambda number, tokens: partial(number, decoder.text_so_far(tokens)))


class _Caller(HfDecoder):
    """The decoder as one call sees it: everything is shared but what a call changes."""

    def __init__(self, shared: BatchedDecoder) -> None:
        self.__dict__.update(vars(shared.decoder))
        self._shared = shared
        self.spent = (0, 0)
        self.speculator = Speculator([])
        self.shaper = copy.copy(self.shaper)

    def encode(self, window: Window, max_tokens: int = 512) -> tuple[list[int], int]:
        """See `HfDecoder.encode`."""
        ids, room = self._shared._prompts.get((window, max_tokens), lambda: self._encode(window, max_tokens))
        return list(ids), room

    def constraint(self, window: Window) -> Callable[[], Matcher] | None:
        """See `HfDecoder.constraint`."""
        return self._shared._grammars.get(window, lambda: self._constraint(window))

    def _encode(self, window: Window, max_tokens: int) -> tuple[list[int], int]:
        self._encoded = None
        return super().encode(window, max_tokens)

    def _constraint(self, window: Window) -> Callable[[], Matcher] | None:
        self._narrowed = None
        return super().constraint(window)

    def _greedy(self, key: Hashable, write: Callable[[], Draft]) -> Draft:
        return self._shared._greedy.get(key, write)

    def _engine(self, name: str) -> SharedEngine:
        return self._shared.engine(name)


class _Kept(Generic[T]):
    """What was made for the last keys; two threads may make the same thing at once, either is good."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._made: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made

    def clear(self) -> None:
        with self._lock:
            self._made.clear()
