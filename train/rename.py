"""Training sequences with other names in them.

    python -m train.rename data=FILE out=renamed.jsonl.gz [share=0.7 words=0.8 seed=0]

The packs draw names and texts from some 530 nouns. A decoder that has seen no others copies those and falters at a file
with a name of its own. Here each noun of a sequence becomes a made-up word (`train/made_up.py`), the same one in goal,
files, calls and observations, so the calls stay right. Words that a wording, a command or a file's format is made of
stay, and no word of a held-out pool is ever made up.

Train on the result with stage=sft stage.corpus=null stage.data=renamed.jsonl.gz. What depends on the order of names (a
sorted listing in an observation) keeps the order of the old ones.

Exit codes: 0 done, 2 bad input, 130 interrupted (nothing is written then).
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from rich.console import Console
from rich.progress import track

from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.load import load_config
from hybrid_agent.config.rename import RenameConfig
from hybrid_agent.packs import words
from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.runs.atomic import write_lines
from train.data import Line, read_sequences
from train.made_up import made_up

# Escapes of JSON first: the n of "\nrocket" is no letter of the word behind it, also where JSON lies in JSON.
PIECE = re.compile(r"\\\\[nt]|\\.|<\|[a-z]+\|>|[A-Z][a-z]+|[a-z]+|[A-Z]{2,}")
POOL = frozenset(words.TRAIN)
LOOKS = 60  # scenes of an intent that are looked at for words that always stand there
ODD = tuple(f"q{a}{b}x" for a in "aeiouy" for b in "bcdfghjklmnpqrstvwxz")


class _OddDraw(Draw):
    """Draws words that are no words, so that what is left of a pool's words is not drawn."""

    def word(self) -> str:
        return self.rng.choice(ODD)


@cache
def fixed_words(packs: tuple[str, ...]) -> frozenset[str]:
    """Words that the wordings, calls, files or checks of these packs are made of.

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


def renamed(line: Line, rng: random.Random, fixed: frozenset[str], share: float = 1.0) -> Line:
    """The sequence with a `share` of its free words replaced, each by the same made-up word wherever it stands."""
    there = {piece.lower() for segment in line.segments for piece in PIECE.findall(segment.text)}
    new: dict[str, str] = {}
    taken = set(there)
    for word in sorted(there):
        if _free(word, fixed) and rng.random() < share:
            new[word] = made_up(rng, taken)
            taken.add(new[word])

    def other(match: re.Match[str]) -> str:
        piece = match[0]
        found = new.get(piece.lower())
        if found is None:
            return piece
        return found.upper() if piece.isupper() else found.capitalize() if piece[0].isupper() else found

    segments = tuple(s.model_copy(update={"text": PIECE.sub(other, s.text)}) for s in line.segments)
    return line.model_copy(update={"segments": segments})


def _free(word: str, fixed: frozenset[str]) -> bool:
    """A noun of the pool that nothing else is made of, or two of the pool written as one."""
    if word in fixed:
        return False
    return word in POOL or any(word[:at] in POOL and word[at:] in POOL for at in range(3, len(word) - 2))


def rename(lines: Iterable[Line], config: RenameConfig) -> Iterator[Line]:
    """All sequences, a share of them with other names.

    Raises:
        InputError: there is no such pack.
    """
    rng, fixed = random.Random(config.seed), fixed_words(config.packs)
    for line in lines:
        yield renamed(line, rng, fixed, config.words) if rng.random() < config.share else line


def main(overrides: Sequence[str]) -> int:
    """The command; returns the exit code."""
    if not overrides or {"-h", "--help"} & set(overrides):
        print(__doc__)
        return 0
    console = Console(stderr=True, highlight=False)
    config = load_config("rename", overrides, RenameConfig)
    data, out = config.files()
    source = track(read_sequences(data), "renaming", console=console, transient=True)
    written = write_lines(out, (line.model_dump_json(exclude_defaults=True) for line in rename(source, config)))
    console.print(f"written: {written:,} sequences")
    return 0


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
