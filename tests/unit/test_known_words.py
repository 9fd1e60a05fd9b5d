"""What a decoder has read often, and which of it names things and nothing else."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from hybrid_agent.packs import words
from train.known_words import FEWEST, OFTEN, fixed_words, known_words


def corpus(path: Path, *texts: str) -> Path:
    with gzip.open(path, "wt") as out:
        for text in texts:
            out.write(json.dumps({"segments": [{"text": text, "train": True}]}) + "\n")
    return path


def test_words_that_stand_in_many_sequences_are_known(tmp_path: Path) -> None:
    nouns = [word for word in words.TRAIN if word not in fixed_words(("os",))][: FEWEST + 1]
    often = "<|step|>Copy a folder, say 'Git status' and 'alone'<|call|>" + json.dumps({"text": "\n".join(nouns)})
    rare = "blurb blurb 'blurb blurb' x7kd9q"
    known, stand_ins, quoted = known_words(
        corpus(tmp_path / "s.jsonl.gz", *[often] * OFTEN, *[rare] * (OFTEN - 1)), ("os",)
    )
    assert {"copy", "a", "folder", *nouns} <= set(known)  # a line end in JSON is no letter of the next word
    assert not {"blurb", "kd", "step", "call"} & set(known)
    assert set(stand_ins) == set(nouns)
    assert quoted == ("git", "status")


def test_what_something_is_made_of_stands_for_nothing_else() -> None:
    assert {"folder", "image", "key", "server", "print"} <= fixed_words(("os",))
    assert not {"rocket", "salmon", "zebra"} & fixed_words(("os",))


def test_a_small_corpus_says_nothing(tmp_path: Path) -> None:
    assert known_words(corpus(tmp_path / "s.jsonl.gz", *["copy the rocket to zebra"] * 500), ("os",)) == ((), (), ())
