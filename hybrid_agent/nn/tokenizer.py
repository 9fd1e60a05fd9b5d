"""A byte-complete BPE of about a thousand tokens, trained on the packs' own text.

A word becomes the same tokens wherever it stands: spaces never merge into words, digits stand alone, and
punctuation is single, so copying a name from the goal into a call means copying tokens. The fixed pieces
of a call (`{"tool":"` and the like) are tokens of their own. All 256 bytes are in the vocabulary: any text
goes through unchanged.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from hybrid_agent.errors import InputError
from hybrid_agent.traces.window_text import END, PAD, SPECIALS

SCAFFOLD = (
    '{"tool":"', '","args":{"', '":"', '","', '"}}', '"}', '":{"', '":[{"', '"}]}}', '"},{"', '":["', '"]}}', '"}}}',
)  # fmt: skip
RESERVED = 16  # ids kept for control tokens, so that new ones do not move the vocabulary
_ESCAPE = r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'  # before letters: \nfoo is an escape and a word
_WORD = r"[A-Z]?[a-z]+|[A-Z]+|\p{L}+|\p{N}"
_REST = r" +|\n+|[\s\S]"


def control_tokens() -> list[str]:
    """The control tokens in id order, filled up with reserved ones."""
    return list(SPECIALS) + [f"<|r{i}|>" for i in range(RESERVED - len(SPECIALS))]


def split_pattern() -> str:
    """The regular expression whose matches are never merged with each other."""
    literals = "|".join(re.escape(s).replace('\\"', '"') for s in sorted(SCAFFOLD, key=len, reverse=True))
    return f"{literals}|{_ESCAPE}|{_WORD}|{_REST}"


def _without_scaffold(texts: Iterable[str]) -> Iterator[str]:
    """Training text for the merges: the fixed pieces have ids already and would waste merges."""
    cut = re.compile("|".join(re.escape(s) for s in sorted((*SCAFFOLD, *SPECIALS), key=len, reverse=True)))
    for text in texts:
        yield "\n".join(cut.split(text))


def train_tokenizer(texts: Iterable[str], vocab_size: int = 1024) -> PreTrainedTokenizerFast:
    """Train the vocabulary.

    Args:
        texts: training text as the decoder will see it (control tokens may occur in it).
        vocab_size: tokens in all, the 256 bytes and the control tokens included.

    Raises:
        InputError: `vocab_size` leaves no room for a single merge.
    """
    least = 256 + RESERVED + len(SCAFFOLD)
    if vocab_size <= least:
        raise InputError(f"a vocabulary needs more than {least} tokens", field="vocab_size", fix="use 1024")
    pre = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split_pattern()), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - RESERVED - len(SCAFFOLD),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(_without_scaffold(texts), trainer)
    return wrap(_with_fixed_tokens(raw))


def _with_fixed_tokens(raw: Tokenizer) -> Tokenizer:
    """Give control tokens the first ids and the scaffold the next, and let whole pieces win over merges."""
    spec: dict[str, Any] = json.loads(raw.to_str())
    learned = sorted(spec["model"]["vocab"], key=spec["model"]["vocab"].__getitem__)
    scaffold = [s for s in SCAFFOLD if s not in learned]
    order = control_tokens() + scaffold + learned
    spec["model"]["vocab"] = {token: i for i, token in enumerate(order)}
    spec["model"]["ignore_merges"] = True
    spec["added_tokens"] = [
        {
            "id": i,
            "content": token,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for i, token in enumerate(control_tokens())
    ]
    return Tokenizer.from_str(json.dumps(spec))


def wrap(raw: Tokenizer) -> PreTrainedTokenizerFast:
    """The `transformers` face of the tokenizer."""
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=raw,
        pad_token=PAD,
        eos_token=END,
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the files `AutoTokenizer.from_pretrained(folder)` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(str(folder))


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Read a tokenizer folder.

    Raises:
        InputError: there is no tokenizer in it.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise InputError("no tokenizer.json here", where=str(folder), fix="train one with the sft stage")
    try:
        return wrap(Tokenizer.from_file(str(path)))
    except Exception as error:  # tokenizers raises bare Exception on a broken file
        raise InputError(f"not a readable tokenizer: {error}", where=str(path)) from error


def tokenizer_hash(tokenizer: PreTrainedTokenizerFast) -> str:
    """Hash of everything that decides how text becomes ids."""
    return hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()


def encode_batch(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of many texts at once; control tokens in the text become their ids."""
    return [e.ids for e in tokenizer.backend_tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
