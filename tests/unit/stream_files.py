"""Small sources of every kind, for tests of the data stream."""

import gzip
import json
import random

from hybrid_agent.packs import words


def text(rng, n=6):
    return " ".join(rng.choices(words.TRAIN, k=n))


def sequences(path, count=40, seed=0):
    """Own sequences; a gzip file if the name says so."""
    rng = random.Random(seed)
    rows = [
        {
            "segments": [
                {"text": f"<|goal|>{seed} {i} {text(rng)}<|call|>", "train": False},
                {"text": f"{text(rng, rng.randint(1, 9))}<|end|>", "train": True},
            ]
        }
        for i in range(count)
    ]
    return lines(path, rows)


def lines(path, rows):
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def messages(count=30, seed=1):
    """Rows of conversations."""
    rng = random.Random(seed)
    return [
        {
            "messages": [
                {"role": "user", "content": f"{seed} {i} {text(rng)}"},
                {"role": "assistant", "content": text(rng, 3)},
                {"role": "user", "content": text(rng, 2)},
                {"role": "assistant", "content": text(rng, 4)},
            ]
        }
        for i in range(count)
    ]


def completions(count=25, seed=2):
    """Rows of prompt and completion."""
    rng = random.Random(seed)
    return [{"prompt": f"{seed} {i} {text(rng)} ", "completion": text(rng, 3)} for i in range(count)]
