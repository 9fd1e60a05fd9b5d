"""A JSON Schema and a tokenizer, compiled to a grammar that can be matched token by token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llguidance import LLMatcher, LLTokenizer

from hybrid_agent.constrain.blame import blame
from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.constrain.prepare import prepare
from hybrid_agent.constrain.tokens import token_trie

if TYPE_CHECKING:
    from llguidance._lib import JsonCompileOptions

# Compact separators. One spelling a character: no \uXXXX (with them, "\u0061" would slip past a check for the key "a").
_OPTIONS: JsonCompileOptions = {
    "whitespace_flexible": False,
    "item_separator": ",",
    "key_separator": ":",
    "json_allowed_escapes": 'nrbtf\\"',
    "lenient": False,
    "coerce_one_of": False,
}


class Grammar:
    """A compiled constraint. Immutable; hands out matchers.

    Attributes:
        schema: what is enforced, after the user's schema was checked and rewritten.
        trie: the tokenizer as the library sees it.
    """

    def __init__(self, schema: Any, trie: LLTokenizer, inner: LLMatcher) -> None:
        self.schema = schema
        self.trie = trie
        self._inner = inner

    @property
    def vocab_size(self) -> int:
        """Number of token ids that a mask covers."""
        return int(self.trie.vocab_size)

    @property
    def eos_token(self) -> int:
        """The end token's id."""
        return int(self.trie.eos_token)

    def matcher(self) -> Matcher:
        """Return a matcher at the start of the text."""
        return Matcher(self._inner.deep_copy(), self.eos_token, self.vocab_size)


def grammar(schema: Any, tokenizer: Any, *, eos_token: int | None = None, vocab_size: int | None = None) -> Grammar:
    """Compile any JSON Schema (draft 2020-12).

    The texts are compact JSON: no spaces, keys in the order in which `properties` declares them.

    Args:
        schema: a dict or a boolean.
        tokenizer: see `tokens.token_trie`, as are `eos_token` and `vocab_size`.

    Raises:
        GrammarError: the schema is malformed, accepts nothing, or asks for something that cannot be enforced;
            the error's `field` is the JSON pointer of the keyword.
        InputError: the tokenizer cannot be used.
    """
    trie = token_trie(tokenizer, eos_token=eos_token, vocab_size=vocab_size)
    prepared = prepare(schema)
    inner, error = compile_prepared(prepared, trie)
    if error is not None:
        raise blame(schema, error, lambda part: compile_prepared(prepare(part), trie)[1])
    return Grammar(prepared, trie, inner)


def portable(prepared: Any) -> str:
    """A prepared schema as JSON text that says itself how it is spelt, so that another program's llguidance (vLLM's
    `guidance` backend) compiles it to the same grammar, whatever that program's own defaults are."""
    document = {"allOf": [prepared]} if isinstance(prepared, bool) else prepared
    return json.dumps({**document, "x-guidance": _OPTIONS}, ensure_ascii=False)


def compile_prepared(prepared: Any, trie: LLTokenizer) -> tuple[LLMatcher, str | None]:
    """Compile a prepared schema; returns the library's matcher and its complaint, if any."""
    document = {"allOf": [prepared]} if isinstance(prepared, bool) else prepared
    text = LLMatcher.grammar_from_json_schema(json.dumps(document), overrides=_OPTIONS)
    inner = LLMatcher(trie, text, log_level=0)
    if inner.is_error():
        return inner, str(inner.get_error())
    warnings = inner.get_grammar_warnings()
    if warnings:
        return inner, str(warnings[0])
    # The first mask builds lexer states that copies then share.
    inner.compute_bitmask()
    return inner, str(inner.get_error()) if inner.is_error() else None
