"""Words that are in no pool: what a person may call a file, seen by a decoder that knows some 530 nouns."""

from __future__ import annotations

import keyword
import random
from collections.abc import Container

from hybrid_agent.packs import words

STARTS = tuple("b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sc sh sl sp st t th tr v w wh z".split())
VOWELS = tuple("a a e e i i o o u ai ea ee oa ou oo y".split())
ENDS = (*[""] * 6, *"b ck d g l ld ll lt m n nd ng nk nt p r rd rn rt s sh sk st t th x".split())
LONGEST = 11
KNOWN = frozenset((*words.TRAIN, *words.HELD, *keyword.kwlist))


def made_up(rng: random.Random, taken: Container[str]) -> str:
    """A word of 4 to 11 lower-case letters, in no pool and not `taken`.

    Half of them are syllables, half the beginning of one known word with the end of another: both read as words, and
    a tokenizer that was trained on the pools cuts them into several tokens.
    """
    while True:
        if rng.random() < 0.5:
            syllables = (
                rng.choice(STARTS) + rng.choice(VOWELS) + rng.choice(ENDS) for _ in range(rng.choice((1, 2, 2, 3)))
            )
            word = "".join(syllables)
        else:
            first, second = rng.choice(words.TRAIN), rng.choice(words.TRAIN)
            word = first[: rng.randint(2, 5)] + second[-rng.randint(2, 5) :]
        if 4 <= len(word) <= LONGEST and word not in KNOWN and word not in taken:
            return word
