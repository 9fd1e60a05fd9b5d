"""Which words a decoder has read often enough in its training sequences to know them, and which of those name things.

Both lie in the lexicon beside the decoder, which is shown its own nouns in place of other words
(hybrid_agent/decoder/aliases.py).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hybrid_agent.constrain.quotes import quoted
from hybrid_agent.decoder.aliases import words_of
from hybrid_agent.packs import words
from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.pack import load_pack
from train.data import read_sequences

# Escapes of JSON first: the n of "\nrocket" is no letter of the word behind it, also where JSON lies in JSON.
PIECE = re.compile(r"\\\\[nt]|\\.|<\|[a-z]+\|>|[A-Z][a-z]+|[a-z]+|[A-Z]{2,}")
OFTEN = 60  # sequences; a random name stands in all wordings of its one episode, so in up to some twenty
FEWEST = 50  # nouns; a corpus that knows fewer is too small to say what its decoder knows
LOOKS = 60  # scenes of an intent that are looked at for words that always stand there
ODD = tuple(f"q{a}{b}x" for a in "aeiouy" for b in "bcdfghjklmnpqrstvwxz")


class Vocabulary(NamedTuple):
    """Words in lower case, sorted; all empty if the corpus is too small.

    `known` stand in at least `OFTEN` sequences, and of them the packs draw `stand_ins` as names and use them for
    nothing else; `quoted` stand in quoted texts of several words in as many.
    """

    known: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()


class _OddDraw(Draw):
    """Draws words that are no words, so that what is left of a pool's words is not drawn."""

    def word(self) -> str:
        return self.rng.choice(ODD)


def known_words(sequences: Path, packs: tuple[str, ...]) -> Vocabulary:
    """What a corpus of training sequences teaches.

    Raises:
        InputError: the file is damaged, or there is no such pack.
    """
    counts, in_quotes = Counter[str](), Counter[str]()
    for line in read_sequences(sequences):
        counts.update({piece.lower() for segment in line.segments for piece in PIECE.findall(segment.text)})
        # The goal lies in the first segment.
        texts = (text for _, _, text in quoted(line.segments[0].text) if " " in text)
        in_quotes.update({word for text in texts for word in words_of(text.lower())})
    known = tuple(sorted(word for word, count in counts.items() if count >= OFTEN and word.isalpha()))
    names = tuple(sorted(set(known) & set(words.TRAIN) - fixed_words(packs)))
    if len(names) < FEWEST:
        return Vocabulary()
    return Vocabulary(known, names, tuple(sorted(word for word, count in in_quotes.items() if count >= OFTEN)))


@cache
def fixed_words(packs: tuple[str, ...]) -> frozenset[str]:
    """Words that the wordings, calls, files or checks of these packs are made of: what still stands there when nothing
    is drawn from the pool.

    Raises:
        InputError: there is no such pack.
    """
    found: set[str] = set()
    for name in packs:
        for intent in load_pack(name).intents:
            texts = [*intent.train, *intent.val, *intent.held]
            texts += [repr(intent.build(_OddDraw(f"fixed:{seed}", "train"))) for seed in range(LOOKS)]
            found.update(piece.lower() for text in texts for piece in PIECE.findall(text))
    return frozenset(found)
