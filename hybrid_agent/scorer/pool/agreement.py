"""How much a candidate is like the others of its pool, as text and as a tree, without running any.

The candidate most like all others is the medoid: with an n-gram profile p_i of each candidate, its similarity is the
mean over j != i of the weighted Jaccard measure of p_i and p_j (minimum-Bayes-risk choice without execution).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.scorer.pool.program import function, node_names, normal_form, parse, shape_tokens, tokens
from hybrid_agent.scorer.pool.records import PoolTask

Floats = NDArray[np.float64]
NEIGHBOURS = 10


def agreement_features(task: PoolTask) -> list[dict[str, float]]:
    """Named figures of each candidate."""
    names: list[Sequence[str]] = []
    forms: list[str | None] = []
    for i in range(len(task.candidates)):
        tree = parse(task.program(i))
        node = function(tree, task.entry_point) if tree is not None else None
        names.append(node_names(node) if node is not None else [])
        forms.append(normal_form(tree) if tree is not None else None)
    columns: dict[str, Floats] = {}
    shapes = [shape_tokens(c) for c in task.candidates]
    views: dict[str, Sequence[Sequence[str]]] = {
        "token": [tokens(c) for c in task.candidates],
        "shape": shapes,
        "tree": names,
    }
    for view, sequences in views.items():
        likeness = similarity([grams(s, 1 if view == "tree" else 2) for s in sequences])
        columns[f"{view}_medoid"] = _others(likeness)
        columns[f"{view}_near"] = _nearest(likeness)
    columns["shape_surprise"] = _surprise(shapes)
    sizes = Counter(form for form in forms if form is not None)
    texts = Counter(" ".join(view) for view in views["token"])
    columns["same_form"] = np.array([np.log(sizes[f]) if f is not None else -1.0 for f in forms])
    columns["same_text"] = np.array([np.log(texts[" ".join(v)]) for v in views["token"]])
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(task.candidates))]


def grams(sequence: Sequence[str], order: int) -> Counter[Hashable]:
    """Counts of all n-grams up to one longer than `order`, from `order` on."""
    found: Counter[Hashable] = Counter()
    for n in (order, order + 1):
        found.update(tuple(sequence[i : i + n]) for i in range(len(sequence) - n + 1))
    return found


def similarity(profiles: Sequence[Counter[Hashable]]) -> Floats:
    """Weighted Jaccard measure of each pair, shape (n, n); an empty profile is like nothing."""
    index: dict[Hashable, int] = {}
    for profile in profiles:
        for gram in profile:
            index.setdefault(gram, len(index))
    n = len(profiles)
    counts = np.zeros((n, max(1, len(index))), dtype=np.float32)
    for i, profile in enumerate(profiles):
        for gram, count in profile.items():
            counts[i, index[gram]] = count
    total = counts.sum(axis=1).astype(np.float64)
    shared = np.zeros((n, n))
    for i in range(n):
        shared[i] = np.minimum(counts, counts[i]).sum(axis=1)
    union = total[:, None] + total[None, :] - shared
    share: Floats = np.divide(shared, union, out=np.zeros((n, n)), where=union > 0)
    return share


def _others(likeness: Floats) -> Floats:
    n = len(likeness)
    return np.asarray((likeness.sum(axis=1) - np.diag(likeness)) / max(1, n - 1))


def _nearest(likeness: Floats) -> Floats:
    """Mean over the nearest neighbours: dense spots of the pool, not only its middle."""
    n = len(likeness)
    if n == 1:
        return np.zeros(1)
    rest = likeness[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    k = min(NEIGHBOURS, n - 1)
    return np.asarray(np.sort(rest, axis=1)[:, n - 1 - k :].mean(axis=1))


def _surprise(sequences: Sequence[Sequence[str]]) -> Floats:
    """Mean surprise (nats a token) of each candidate under a trigram model of the others, add-half with backoff."""
    three: Counter[tuple[str, ...]] = Counter()
    two: Counter[tuple[str, ...]] = Counter()
    own3, own2 = [], []
    padded = [["<", "<", *s, ">"] for s in sequences]
    for s in padded:
        own3.append(Counter(zip(s, s[1:], s[2:], strict=False)))
        own2.append(Counter(pairwise(s)))
        three.update(own3[-1])
        two.update(own2[-1])
    vocabulary = len({t for s in padded for t in s}) + 1
    out = np.zeros(len(padded))
    for i, s in enumerate(padded):
        logs = []
        for a, b, c in zip(s, s[1:], s[2:], strict=False):
            context = two[a, b] - own2[i][a, b]
            logs.append(np.log((three[a, b, c] - own3[i][a, b, c] + 0.5) / (context + 0.5 * vocabulary)))
        out[i] = -float(np.mean(logs))
    return out
