"""From a tokenizer people have to the token trie that llguidance walks."""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from typing import Any

from llguidance import LLTokenizer

from hybrid_agent.errors import InputError

_EOS_NAMES = ("<|eos|>", "<|endoftext|>", "<|im_end|>", "</s>", "<eos>", "[EOS]", "<|end|>")
_CACHE_SIZE = 8
_cache: OrderedDict[tuple[int, int, int | None, int | None], tuple[Any, LLTokenizer]] = OrderedDict()


def token_trie(tokenizer: Any, *, eos_token: int | None = None, vocab_size: int | None = None) -> LLTokenizer:
    """Return the llguidance view of a byte-level tokenizer; the last few are cached.

    Args:
        tokenizer: a `tokenizers.Tokenizer`, a transformers `PreTrainedTokenizerFast`, or an `LLTokenizer`.
        eos_token: id of the end token; by default the tokenizer's own, or the first usual name it knows.
        vocab_size: width of the model's logits if that is more than the tokenizer's vocabulary.

    Raises:
        InputError: not such a tokenizer, or it has no end token.
    """
    if isinstance(tokenizer, LLTokenizer):
        return tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not (hasattr(backend, "to_str") and hasattr(backend, "token_to_id")):
        raise InputError(
            f"{type(tokenizer).__name__} is not a fast tokenizer",
            field="tokenizer",
            fix="pass a tokenizers.Tokenizer or a PreTrainedTokenizerFast",
        )
    # The key holds id(): the entry keeps the tokenizer alive, so that the id is not given to another one.
    key = (id(backend), backend.get_vocab_size(with_added_tokens=True), eos_token, vocab_size)
    if key in _cache:
        _cache.move_to_end(key)
        return _cache[key][1]
    trie = _build(tokenizer, backend, eos_token, vocab_size)
    _cache[key] = (backend, trie)
    if len(_cache) > _CACHE_SIZE:
        _cache.popitem(last=False)
    return trie


def _build(tokenizer: Any, backend: Any, eos_token: int | None, vocab_size: int | None) -> LLTokenizer:
    if eos_token is None:
        eos_token = getattr(tokenizer, "eos_token_id", None)
    if eos_token is None:
        eos_token = next((found for name in _EOS_NAMES if (found := backend.token_to_id(name)) is not None), None)
    if eos_token is None:
        raise InputError("the tokenizer has no end token", field="tokenizer", fix="pass eos_token=<its id>")
    plain = copy(backend)
    plain.no_padding()
    plain.no_truncation()
    try:
        return LLTokenizer(plain.to_str(), n_vocab=vocab_size, eos_token=eos_token)
    except (ValueError, TypeError) as error:
        raise InputError(f"the tokenizer cannot be used: {error}", field="tokenizer") from None
