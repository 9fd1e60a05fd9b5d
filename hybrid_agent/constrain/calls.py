"""The constraint of tool calls, narrowed anew for every call, compiled only as far as the call goes.

A call begins with constants (tool, op, kind). Until they are written, a small grammar of all beginnings is
in force; it is compiled once. As soon as one case is left, the narrowed schema of that case alone is
compiled, and shared by all rows of the batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llguidance import LLMatcher, LLTokenizer

from hybrid_agent.constrain.branches import Branch, split
from hybrid_agent.constrain.compile import Grammar, compile_prepared, grammar
from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.constrain.matcher import Bitmask, ConstraintError, Matcher
from hybrid_agent.constrain.narrow import narrow
from hybrid_agent.constrain.prepare import prepare
from hybrid_agent.constrain.spans import Spans
from hybrid_agent.constrain.tokens import token_trie
from hybrid_agent.errors import GrammarError

_SPECIAL = re.compile(r"([\\.^$*+?()\[\]{}|/&~#-])")


class CallGrammar:
    """The schema of calls, taken apart once for a tokenizer (about 50 ms); `narrowed` is then cheap.

    Attributes:
        trie: the tokenizer as the library sees it.
        branches: the cases of the schema.
    """

    def __init__(
        self, schema: Any, tokenizer: Any, *, eos_token: int | None = None, vocab_size: int | None = None
    ) -> None:
        self.trie: LLTokenizer = token_trie(tokenizer, eos_token=eos_token, vocab_size=vocab_size)
        grammar(schema, self.trie)  # raises for what cannot be enforced
        prepared = prepare(schema, keep_spans=True)
        whole: dict[str, Any] = {"allOf": [prepared]} if isinstance(prepared, bool) else prepared
        self.branches: list[Branch] = split(whole, self._forced)
        self.token_bytes: list[bytes] = [self.trie.decode_bytes([i]) for i in range(self.trie.vocab_size)]
        heads = "|".join(_SPECIAL.sub(r"\\\1", branch.prefix.decode()) for branch in self.branches)
        self._head = LLMatcher(self.trie, LLMatcher.grammar_from_regex(heads), log_level=0)
        if self._head.is_error():
            raise GrammarError(f"the beginnings of the calls do not compile: {self._head.get_error()[:200]}")
        self._head.compute_bitmask()

    def _forced(self, schema: dict[str, Any]) -> bytes:
        inner, error = compile_prepared(schema, self.trie)
        return b"" if error is not None else bytes(inner.compute_ff_bytes())

    def head(self) -> Matcher:
        """A matcher of the beginnings alone."""
        return Matcher(self._head.deep_copy(), int(self.trie.eos_token), int(self.trie.vocab_size))

    def narrowed(self, spans: Spans, lexicon: Lexicon) -> NarrowedCalls:
        """The constraint for the next call; spans and lexicon may be empty, then nothing is narrowed."""
        return NarrowedCalls(self, spans, lexicon)


class NarrowedCalls:
    """The constraint of one call; hands out matchers, one for each row."""

    def __init__(self, calls: CallGrammar, spans: Spans, lexicon: Lexicon) -> None:
        self.calls = calls
        self.spans = spans
        self.lexicon = lexicon
        self._compiled: dict[int, Grammar] = {}

    def matcher(self) -> CallMatcher:
        """Return a matcher at the start of the call."""
        return CallMatcher(self)

    def branch(self, index: int) -> Grammar:
        """The narrowed grammar of one case, compiled on first use.

        A narrowed case that accepts nothing (all choices were filtered away) is used as it was.
        """
        if index not in self._compiled:
            schema = self.calls.branches[index].schema
            for candidate in (narrow(schema, self.spans, self.lexicon), schema):
                inner, error = compile_prepared(candidate, self.calls.trie)
                if error is None:
                    self._compiled[index] = Grammar(candidate, self.calls.trie, inner)
                    break
            else:
                raise GrammarError(f"a case of the call schema does not compile: {error}")
        return self._compiled[index]


class CallMatcher(Matcher):
    """A matcher that changes from the beginnings to one case when the case is known."""

    def __init__(self, narrowed: NarrowedCalls) -> None:
        self._narrowed = narrowed
        self._start: Matcher = narrowed.calls.head()
        super().__init__(self._start._inner, int(narrowed.calls.trie.eos_token), self._start.vocab_size)
        self._rest: Matcher | None = None
        self._tokens: list[int] = []  # of the beginning: those taken before the case was known
        self._text = b""
        self._choose()

    @property
    def decided(self) -> bool:
        """True once only one case is left."""
        return self._rest is not None

    @property
    def position(self) -> int:
        """How many tokens have been taken."""
        return self._now.position

    @property
    def _now(self) -> Matcher:
        return self._start if self._rest is None else self._rest

    def mask(self, out: Bitmask | None = None) -> Bitmask:
        """See `Matcher.mask`."""
        return self._now.mask(out)

    def forced(self) -> list[int]:
        """See `Matcher.forced`."""
        return self._now.forced()

    def forced_text(self) -> bytes:
        """See `Matcher.forced_text`."""
        return self._now.forced_text()

    def advance(self, tokens: Sequence[int]) -> None:
        """See `Matcher.advance`."""
        tokens = list(tokens)
        before = self.position
        try:
            while tokens and self._rest is None:
                self._start.advance(tokens[:1])
                self._tokens.append(tokens[0])
                self._text += self._narrowed.calls.token_bytes[tokens[0]]
                tokens = tokens[1:]
                self._choose()
            if tokens:
                self._now.advance(tokens)
        except ConstraintError:
            self.rollback(self.position - before)
            raise

    def allowed_prefix(self, tokens: Sequence[int]) -> int:
        """See `Matcher.allowed_prefix`."""
        if self._rest is not None:
            return self._rest.allowed_prefix(tokens)
        probe = self.copy()
        for count, token in enumerate(tokens):
            try:
                probe.advance([token])
            except ConstraintError:
                return count
        return len(tokens)

    def rollback(self, count: int) -> None:
        """See `Matcher.rollback`."""
        if not 0 <= count <= self.position:
            raise ValueError(f"cannot take back {count} of {self.position} tokens")
        left = self.position - count
        if self._rest is not None and left >= len(self._tokens):
            self._rest.rollback(count)
            return
        self._start.rollback(self._start.position - left)
        self._rest = None
        self._tokens = self._tokens[:left]
        self._text = b"".join(self._narrowed.calls.token_bytes[token] for token in self._tokens)

    def is_done(self) -> bool:
        """See `Matcher.is_done`."""
        return self._rest is not None and self._rest.is_done()

    def accepts_eos(self) -> bool:
        """See `Matcher.accepts_eos`."""
        return self._rest is not None and self._rest.accepts_eos()

    def copy(self) -> CallMatcher:
        """See `Matcher.copy`."""
        other = CallMatcher.__new__(CallMatcher)
        other.__dict__.update(self.__dict__)
        other._start = self._start.copy()
        other._rest = None if self._rest is None else self._rest.copy()
        other._tokens = list(self._tokens)
        return other

    def _choose(self) -> None:
        branches = self._narrowed.calls.branches
        left = [i for i, b in enumerate(branches) if b.prefix.startswith(self._text)]
        if len(left) == 1:
            rest = self._narrowed.branch(left[0]).matcher()
            rest.advance(self._tokens)
            self._rest = rest
