"""Small tokenizers and a brute-force reader for the constraint tests."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import jsonschema
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from hybrid_agent.constrain import Grammar, Matcher, allowed

EOS = "<|eos|>"


def _byte_table() -> dict[int, str]:
    """The byte-level alphabet: printable bytes stand for themselves, the others for characters from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    assert set(table.values()) == set(pre_tokenizers.ByteLevel.alphabet())
    return table


_BYTES = _byte_table()


@functools.cache
def byte_tokenizer(*pieces: str) -> Tokenizer:
    """All 256 bytes, the given multi-byte pieces (merged from left to right), and an end token."""
    vocab = {token: i for i, token in enumerate(_BYTES.values())}
    merges: list[tuple[str, str]] = []
    for piece in pieces:
        chars = _byte_level(piece)
        for end in range(2, len(chars) + 1):
            if chars[:end] not in vocab:
                vocab[chars[:end]] = len(vocab)
                merges.append((chars[: end - 1], chars[end - 1]))
    vocab[EOS] = len(vocab)
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([EOS])
    return tokenizer


def _byte_level(piece: str) -> str:
    return "".join(_BYTES[byte] for byte in piece.encode())


def accepted(grammar: Grammar, tokenizer: Tokenizer, pieces: list[str], length: int) -> set[str]:
    """Every text the masks let through that at most `length` pieces can make, by whichever tokens the masks offer."""
    tokens = {i: _text(tokenizer.id_to_token(i)) for i in range(grammar.vocab_size) if i != grammar.eos_token}
    found: set[str] = set()
    seen: set[bytes] = set()
    encoded = [piece.encode() for piece in pieces]

    def walk(matcher: Matcher, text: bytes) -> None:
        seen.add(text)
        choices = allowed(matcher.mask())
        assert (grammar.eos_token in choices) == matcher.accepts_eos()
        if matcher.accepts_eos():
            found.add(text.decode())
        for token in choices:
            if token == grammar.eos_token:
                continue
            longer = text + tokens[token]
            matcher.advance([token])
            if longer not in seen and _makeable(longer, encoded, length):
                walk(matcher, longer)
            matcher.rollback(1)

    walk(grammar.matcher(), b"")
    return found


def _text(token: str) -> bytes:
    chars = {char: byte for byte, char in _BYTES.items()}
    return bytes(chars[char] for char in token)


def _makeable(text: bytes, pieces: list[bytes], length: int) -> bool:
    """True if `text` is a beginning of at most `length` pieces in a row."""
    places = {0}
    for _ in range(length):
        places = {at + len(piece) for at in places for piece in pieces if _agree(text, at, piece)}
        if any(at >= len(text) for at in places):
            return True
    return False


def _agree(text: bytes, at: int, piece: bytes) -> bool:
    return piece.startswith(text[at:]) if len(text) - at < len(piece) else text.startswith(piece, at)


class _Number(str):
    """A number as it was spelled."""


def canonical(text: str, order: list[str]) -> Any:
    """The value of a compact JSON text with keys in `order` (others last, none twice); ValueError if it is not."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        places = [order.index(name) if name in order else len(order) for name in names]
        if len(set(names)) != len(names) or places != sorted(places):
            raise ValueError("key order")
        return dict(items)

    def spell(value: Any) -> str:
        if isinstance(value, _Number):
            return str(value)
        if isinstance(value, list):
            return "[" + ",".join(map(spell, value)) + "]"
        if isinstance(value, dict):
            return "{" + ",".join(f"{spell(k)}:{spell(v)}" for k, v in value.items()) + "}"
        return json.dumps(value, ensure_ascii=False)

    spelled = json.loads(text, object_pairs_hook=pairs, parse_int=_Number, parse_float=_Number, parse_constant=_no)
    if spell(spelled) != text:
        raise ValueError("not compact")
    return json.loads(text)


def _no(name: str) -> None:
    raise ValueError(name)


def valid(schema: Any, pieces: list[str], length: int, order: list[str]) -> set[str]:
    """Every text of at most `length` pieces that is canonical and that jsonschema validates."""
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    found = set()
    texts = {""}
    for _ in range(length):
        texts = {text + piece for text in texts for piece in pieces}
        texts = {text for text in texts if not dead_end(text)}
        for text in texts:
            try:
                value = canonical(text, order)
            except ValueError:
                continue
            if validator.is_valid(value):
                found.add(text)
    return found


def dead_end(text: str) -> bool:
    """True if no text that begins like this is JSON (judged by where the standard library's reader stops)."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        if not rest or error.msg.startswith(("Unterminated", "Invalid \\")):
            return False
        if error.msg == "Expecting value":
            return not any(word.startswith(rest) for word in ("null", "true", "false", "-0"))
        return not re.fullmatch(r"\.|[eE][+-]?", rest)
    return False
