"""The matcher: masks, forced tokens, rollback, copies, batches, random walks."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from constrain_cases import EOS, byte_tokenizer
from transformers import PreTrainedTokenizerFast

from hybrid_agent.constrain import ConstraintError, Matcher, allowed, fill_masks, grammar
from hybrid_agent.constrain.masking import apply_mask, bool_mask
from hybrid_agent.constrain.tokens import token_trie

TOKENIZER = byte_tokenizer('"name":', '{"', '":"', "true", "false", "null", "ab", "abc")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"enum": ["abc", "abd", "x"]},
        "size": {"type": "integer", "minimum": 0, "maximum": 300},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 3},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def ids(text: str) -> list[int]:
    return list(TOKENIZER.encode(text).ids)


def start() -> Matcher:
    return grammar(SCHEMA, TOKENIZER).matcher()


def test_forced_tokens_are_those_the_tokenizer_would_write() -> None:
    matcher = start()
    text = '{"name":"abc"}'
    assert matcher.forced() == ids(text)[:3]
    assert matcher.forced_text() == b'{"name":"'
    matcher.advance(ids(text)[:-1])
    assert not matcher.accepts_eos() and not matcher.is_done()
    matcher.advance(ids("}"))
    assert matcher.accepts_eos() and matcher.is_done() and matcher.forced() == []
    assert allowed(matcher.mask()) == [TOKENIZER.token_to_id(EOS)]
    matcher.advance([TOKENIZER.token_to_id(EOS)])
    assert matcher.is_done() and not matcher.accepts_eos() and allowed(matcher.mask()) == []
    assert matcher.position == len(ids(text)) + 1


def test_a_refused_token_changes_nothing() -> None:
    matcher = start()
    matcher.advance(ids('{"name":"'))
    before = matcher.mask()
    with pytest.raises(ConstraintError, match="not allowed after"):
        matcher.advance(ids("abz"))
    with pytest.raises(ConstraintError):
        matcher.advance([TOKENIZER.token_to_id(EOS)])
    assert (matcher.mask() == before).all() and matcher.position == len(ids('{"name":"'))
    matcher.advance(ids('x","size":30}'))
    assert matcher.is_done()


def test_rollback_returns_to_the_same_masks() -> None:
    tokens = [*ids('{"name":"abd","size":29,"tags":["é","a"]}'), TOKENIZER.token_to_id(EOS)]
    matcher = start()
    masks = []
    for token in tokens:
        masks.append(matcher.mask())
        matcher.advance([token])
    for back in range(1, len(tokens) + 1):
        matcher.rollback(1)
        assert (matcher.mask() == masks[-back]).all()
    matcher.advance(tokens)
    matcher.rollback(len(tokens))
    assert matcher.position == 0 and (matcher.mask() == masks[0]).all()
    with pytest.raises(ValueError, match="cannot take back"):
        matcher.rollback(1)


def test_copies_are_independent() -> None:
    matcher = start()
    matcher.advance(ids('{"name":"'))
    other = matcher.copy()
    other.advance(ids('x"'))
    matcher.advance(ids("ab"))
    assert matcher.allowed_prefix(ids('d"}')) == len(ids('d"}'))
    assert other.allowed_prefix([*ids("}"), TOKENIZER.token_to_id(EOS), 5]) == 2
    assert other.allowed_prefix(ids('d"}')) == 0


def test_batch_of_rows() -> None:
    first, second = start(), start()
    second.advance(ids('{"name":"'))
    masks = fill_masks([first, None, second])
    assert masks.dtype == np.int32 and masks.shape == (3, first.words)
    assert (masks[0] == first.mask()).all() and (masks[1] == -1).all() and (masks[2] == second.mask()).all()
    again = fill_masks([second, second, first], masks)
    assert again is masks and (masks[2] == first.mask()).all()
    with pytest.raises(ValueError, match="contiguous int32"):
        first.mask(np.zeros(first.words, dtype=np.int64))


def test_masked_logits_keep_only_allowed_tokens() -> None:
    matcher = start()
    matcher.advance(ids('{"name":"'))
    masks = fill_masks([matcher, None])
    width = matcher.vocab_size + 7  # a model's padded output
    logits = torch.zeros(2, width)
    masked = apply_mask(logits, masks)
    assert masked is logits
    open_columns = torch.isfinite(logits[0]).nonzero().flatten().tolist()
    assert open_columns == allowed(masks[0]) == bool_mask(masks[0], width).nonzero().flatten().tolist()
    probabilities = torch.softmax(logits[0], 0)
    assert probabilities[open_columns].sum().item() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="do not fit"):
        apply_mask(torch.zeros(3, width), masks)


def test_transformers_tokenizer_and_cache() -> None:
    fast = PreTrainedTokenizerFast(tokenizer_object=TOKENIZER, eos_token=EOS)
    trie = token_trie(fast)
    assert token_trie(fast) is trie and trie.eos_token == TOKENIZER.token_to_id(EOS)
    padded = grammar(SCHEMA, fast, vocab_size=512).matcher()
    assert padded.words == 16 and max(allowed(padded.mask())) < TOKENIZER.get_vocab_size()


WALKS: list[Any] = [
    SCHEMA,
    {
        "type": "array",
        "items": {"$ref": "#/$defs/n"},
        "maxItems": 3,
        "$defs": {"n": {"type": ["number", "null"], "minimum": -2.5, "exclusiveMaximum": 7}},
    },
    {
        "type": "object",
        "patternProperties": {"^a": {"type": "boolean"}},
        "additionalProperties": {"maxLength": 2, "type": "string"},
        "maxProperties": 2,
    },
    {"anyOf": [{"type": "string", "format": f} for f in "date-time uuid ipv6 email hostname time date".split()]},
    {"type": "string", "pattern": r"^[^\s\d]{2,4}\w?$"},
    {
        "oneOf": [
            {
                "type": "object",
                "properties": {"kind": {"const": k}, "n": {"type": "integer", "multipleOf": 7, "maximum": 500}},
                "required": ["kind", "n"],
                "additionalProperties": False,
            }
            for k in ("ab", "abc")
        ]
    },
    {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
        "additionalProperties": False,
    },
]


@pytest.mark.parametrize("schema", WALKS, ids=range(len(WALKS)))
def test_every_finished_random_walk_validates(schema: Any) -> None:
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    made = grammar(schema, TOKENIZER)
    rng = random.Random(1)
    finished = set()
    for _ in range(60):
        matcher, tokens = made.matcher(), []
        while not matcher.is_done() and len(tokens) < 400:
            forced = matcher.forced() if rng.random() < 0.5 else []
            if not forced:
                choices = allowed(matcher.mask())
                ends = [
                    token
                    for token in choices
                    if token == made.eos_token or made.trie.decode_bytes([token])[:1] in b'"]}'
                ]
                forced = [rng.choice(ends if ends and rng.random() < 0.3 else choices)]
            tokens += forced
            matcher.advance(forced)
            if tokens[-1] == made.eos_token:
                break
        if matcher.is_done():
            text = made.trie.decode_bytes([t for t in tokens if t != made.eos_token]).decode()
            validator.validate(json.loads(text))
            finished.add(text)
    assert len(finished) > 3


def test_importing_the_constraint_does_not_import_torch() -> None:
    code = "import sys, hybrid_agent.constrain; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
