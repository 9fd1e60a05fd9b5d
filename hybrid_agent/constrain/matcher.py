"""One decode in progress: which tokens may come next, which must."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llguidance import LLMatcher
from numpy.typing import NDArray

from hybrid_agent.errors import HybridAgentError

Bitmask = NDArray[np.int32]


class ConstraintError(HybridAgentError):
    """A token was pushed that the mask does not allow, or the grammar outgrew a limit of the library."""


class Matcher:
    """State of one constrained text. Made by `Grammar.matcher()`; not shared between threads."""

    def __init__(self, inner: LLMatcher, eos_token: int, vocab_size: int) -> None:
        self._inner = inner
        self._eos = eos_token
        self.vocab_size = vocab_size
        self._ended = False  # the end token was taken; the library's own state does not count it
        self._count = 0

    @property
    def words(self) -> int:
        """Width of the mask: int32 words, 32 tokens each."""
        return (self.vocab_size + 31) // 32

    @property
    def position(self) -> int:
        """How many tokens have been taken."""
        return self._count

    def mask(self, out: Bitmask | None = None) -> Bitmask:
        """Return the allowed next tokens, one bit each (bit i%32 of word i//32), int32 of shape (words,).

        The end token's bit is set where the text may end. After the end token no bit is set.
        `out`, if given, is written in place: a contiguous int32 row of at least `words`.
        """
        if out is None:
            out = np.zeros(self.words, dtype=np.int32)
        if self._ended:
            out.fill(0)
            return out
        if out.dtype != np.int32 or out.ndim != 1 or not out.flags.c_contiguous or out.size < self.words:
            raise ValueError(f"mask rows are contiguous int32 of {self.words} words, not {out.dtype} {out.shape}")
        out[self.words :] = 0
        self._inner.unsafe_compute_mask_ptr(out.ctypes.data, self.words * 4)
        self._fail_on_error()
        return out

    def forced(self) -> list[int]:
        """Return the tokens that must follow (the way the tokenizer would write that text); may be empty.

        They are not taken: call `advance` with them. The end token is not among them, see `is_done`.
        """
        if self._ended or self._inner.is_stopped():
            return []
        return list(self._inner.compute_ff_tokens())

    def forced_text(self) -> bytes:
        """Return the bytes that must follow, also where no whole token is certain yet."""
        return b"" if self._ended or self._inner.is_stopped() else bytes(self._inner.compute_ff_bytes())

    def advance(self, tokens: Sequence[int]) -> None:
        """Take tokens. The end token may come last, where `accepts_eos()`.

        Raises:
            ConstraintError: a token is not allowed; then none of them is taken.
        """
        tokens = list(tokens)
        ends = bool(tokens) and tokens[-1] == self._eos
        body = tokens[:-1] if ends else tokens
        taken = 0 if self._ended else self._inner.try_consume_tokens(body)
        if taken == len(body) and not self._ended and (not ends or self._inner.is_accepting()):
            self._ended = ends
            self._count += len(tokens)
            return
        if not tokens:
            return
        if taken:
            self._inner.rollback(taken)
        self._fail_on_error()
        raise ConstraintError(f"token {tokens[taken]} is not allowed after {self._count + taken} tokens")

    def allowed_prefix(self, tokens: Sequence[int]) -> int:
        """Return how many of `tokens` could be taken in order; takes none."""
        if self._ended:
            return 0
        tokens = list(tokens)
        body = tokens[: tokens.index(self._eos)] if self._eos in tokens else tokens
        taken = self._inner.try_consume_tokens(body)
        ends = taken == len(body) and len(body) < len(tokens) and self._inner.is_accepting()
        if taken:
            self._inner.rollback(taken)
        self._fail_on_error()
        return taken + int(ends)

    def rollback(self, count: int) -> None:
        """Take back the last `count` tokens.

        Raises:
            ValueError: fewer were taken.
        """
        if not 0 <= count <= self._count:
            raise ValueError(f"cannot take back {count} of {self._count} tokens")
        inner = count - int(self._ended and count > 0)
        if inner and not self._inner.rollback(inner):
            raise ConstraintError(self._inner.get_error())
        self._ended = self._ended and count == 0
        self._count -= count

    def is_done(self) -> bool:
        """True if the text is complete and nothing but the end token may follow."""
        return self._ended or (self._inner.is_stopped() and not self._inner.is_error())

    def accepts_eos(self) -> bool:
        """True if the text may end here (it may also go on, unless `is_done()`)."""
        return not self._ended and self._inner.is_accepting()

    def copy(self) -> Matcher:
        """Return an independent copy at the same position."""
        other = Matcher(self._inner.deep_copy(), self._eos, self.vocab_size)
        other._ended, other._count = self._ended, self._count
        return other

    def _fail_on_error(self) -> None:
        if self._inner.is_error():
            raise ConstraintError(self._inner.get_error().splitlines()[0])


def fill_masks(matchers: Sequence[Matcher | None], out: Bitmask | None = None) -> Bitmask:
    """Write the masks of K rows into one int32 array of shape (K, words); `None` rows allow everything.

    Args:
        matchers: one for each row of the batch, over the same vocabulary.
        out: an array to reuse.
    """
    if out is None:
        words = next((matcher.words for matcher in matchers if matcher is not None), 0)
        out = np.zeros((len(matchers), words), dtype=np.int32)
    for row, matcher in zip(out, matchers, strict=True):
        if matcher is None:
            row.fill(-1)
        else:
            matcher.mask(row)
    return out


def allows(mask: Bitmask, token: int) -> bool:
    """Whether a mask allows a token."""
    return bool(mask[token >> 5] >> (token & 31) & 1)


def allowed(mask: Bitmask) -> list[int]:
    """Return the token ids of one mask row, ascending (for tests and displays, not for the decode loop)."""
    bits: Any = np.unpackbits(mask.view(np.uint8), bitorder="little")
    return [int(index) for index in np.flatnonzero(bits)]
