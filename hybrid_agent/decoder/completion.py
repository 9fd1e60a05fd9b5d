"""Free text, or JSON under any schema, as the answer to a conversation: what a chat needs of a decoder.

JSON is held to its schema by the grammar. In the last part of its token budget it is steered to its end, so that a
model which would ramble on inside a string still leaves a whole document.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerFast

from hybrid_agent.constrain import Grammar, grammar
from hybrid_agent.constrain.tokens import token_trie
from hybrid_agent.decoder.conversation import Completion
from hybrid_agent.decoder.engine import KVModel, Sampling, SegmentEngine
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.prompt import is_tiny
from hybrid_agent.errors import InputError
from hybrid_agent.nn.rows import fast_rows
from hybrid_agent.traces.window_text import CALL, GOAL, plain

STEER_FROM, STEER_LEAST = 0.75, 48  # share of the budget after which JSON is steered to its end; tokens it then has
_QUOTE = {b'"': 60.0}  # nats, by a token's first byte: inside a string, and outside
_CLOSE = {b"}": 60.0, b"]": 50.0, b",": 8.0}
_HALF = "\ufffd"  # what an unfinished character decodes to


class HfCompleter:
    """Implements `Completer` with a local model. Not for use by several threads at once.

    Args:
        model: with a cache of its own.
        tokenizer: its tokenizer. One with our control tokens sees what the user said as a goal.
    """

    def __init__(self, model: KVModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer, self._tiny = tokenizer, is_tiny(tokenizer)
        self.engine = SegmentEngine(model, int(tokenizer.eos_token_id))
        self._grammar: tuple[str, Grammar] | None = None

    @classmethod
    def beside(cls, decoder: HfDecoder) -> HfCompleter:
        """One with the weights of a decoder; its cache is its own."""
        return cls(fast_rows(decoder.model), decoder.tokenizer)

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
        """See `Completer`."""
        rules = self._compiled(schema) if schema is not None else None
        prompt = self._prompt(messages)
        room = self.engine.model.context - len(prompt)
        if room < 1:
            what = f"the conversation has {len(prompt)} tokens, the model's context {self.engine.model.context}"
            raise InputError(what, field="messages", fix="shorten it")
        how = Sampling(max_tokens=min(max_tokens, room), temperature=temperature, seed=seed)
        stream = _Stream(self._text, stop, told)
        late = min(math.floor(how.max_tokens * STEER_FROM), max(0, how.max_tokens - STEER_LEAST))

        def bias(written: Sequence[int]) -> Mapping[int, float]:
            stream.see(written)
            if rules is None or len(written) < late:
                return {}
            return self._pulls[_inside_string(self._text(written))]

        try:
            draft = self.engine.write(prompt, how, rules.matcher if rules is not None else None, bias)[0]
        except _Enough:
            return Completion(stream.sent, True, len(prompt), stream.tokens)
        stopped = stream.end(draft.tokens)
        return Completion(stream.sent, draft.complete or stopped, len(prompt), len(draft.tokens))

    def _compiled(self, schema: Any) -> Grammar:
        key = repr(schema)
        if self._grammar is None or self._grammar[0] != key:
            size = self.engine.model.vocab_size
            rules = grammar(schema, self.tokenizer, eos_token=self.engine.end_id, vocab_size=size)
            self._grammar = (key, rules)
        return self._grammar[1]

    def _prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        if self._tiny:
            asked = [message for message in messages if message["role"] == "user"] or messages
            text = GOAL + plain("\n".join(message["content"] for message in asked)) + CALL
        elif self.tokenizer.chat_template:
            turns = [dict(message) for message in messages]
            try:
                made = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            except Exception as error:  # templates raise what they like, for example where roles must alternate
                raise InputError(f"the model's chat template refuses it: {error}", field="messages") from None
            text = str(made)
        else:
            text = "\n\n".join(f"{message['role']}: {message['content']}" for message in messages) + "\n\nassistant: "
        return list(self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.backend_tokenizer.decode(list(tokens), skip_special_tokens=True))

    @cached_property
    def _pulls(self) -> dict[bool, dict[int, float]]:
        """How strongly tokens that close something are pulled, inside (True) and outside of strings."""
        size = self.engine.model.vocab_size
        trie = token_trie(self.tokenizer, eos_token=self.engine.end_id, vocab_size=size)
        first = [trie.decode_bytes([token])[:1] for token in range(size)]
        found = {
            inside: {token: pull[byte] for token, byte in enumerate(first) if byte in pull}
            for inside, pull in ((True, _QUOTE), (False, _CLOSE))
        }
        found[False][self.engine.end_id] = 80.0
        return found


class _Enough(Exception):
    """The text is long enough."""


class _Stream:
    """Tells of text as it grows; holds back what may turn into a stop text or is half a character."""

    def __init__(
        self, decode: Callable[[Sequence[int]], str], stop: Sequence[str], told: Callable[[str], bool] | None
    ) -> None:
        self._decode, self._stop, self._told = decode, [text for text in stop if text], told
        self.sent, self.tokens = "", 0

    def see(self, tokens: Sequence[int]) -> None:
        """Raises _Enough at a stop text, or when nobody wants more."""
        if len(tokens) == self.tokens or not (self._stop or self._told):
            return
        self.tokens = len(tokens)
        text = self._decode(tokens)
        cut = self._found(text)
        safe = text.rstrip(_HALF) if cut is None else text[:cut]
        held = 0 if cut is not None else max((_overlap(safe, stop) for stop in self._stop), default=0)
        if self._send(safe[: len(safe) - held]) or cut is not None:
            raise _Enough

    def end(self, tokens: Sequence[int]) -> bool:
        """Tell the rest; True if there was a stop text in it."""
        self.tokens = len(tokens)
        text = self._decode(tokens)
        cut = self._found(text)
        self._send(text if cut is None else text[:cut])
        return cut is not None

    def _found(self, text: str) -> int | None:
        return min((at for stop in self._stop if (at := text.find(stop)) >= 0), default=None)

    def _send(self, text: str) -> bool:
        new, self.sent = text[len(self.sent) :], max(self.sent, text, key=len)
        return bool(new) and self._told is not None and self._told(new)


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` could be the beginning of `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)


def _inside_string(text: str) -> bool:
    """Whether JSON that is cut off here is cut off inside a string."""
    inside = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif inside and char == "\\":
            escaped = True
        elif char == '"':
            inside = not inside
    return inside
