"""What the planner sees of a window: sparse hashed features, and the frozen description φ that plans are scored on.

Names are drawn anew for every task, so a word that looks like a path, a number or a quotation is replaced by its
kind: what is left are the verbs and nouns that say what kind of work a step is. Nothing here needs torch.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.types import Exchange, Window

VERSION = 1  # of the features; stored with a planner, which refuses to load under another one
STEPS = 8  # step index, steps left and exchanges are counted up to this
PHASES = ("plan", "step", "finish")
OBS_WORDS = 12
PHI_LISTING = 32

_TOKEN = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|[\w./~*+-]+")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,5}$")
_COUNTS = re.compile(r"(\d+) (passed|failed|error)")


@dataclass(frozen=True)
class Features:
    """The active features of one window: `index` int64 (n,) into the feature table, `value` float32 (n,)."""

    index: NDArray[np.int64]
    value: NDArray[np.float32]


def feature_count(config: PlannerConfig) -> int:
    """Size of the feature table."""
    return len(PHASES) + 3 * STEPS + config.words + config.calls + config.obs + config.listing


def features(window: Window, config: PlannerConfig) -> Features:
    """Active features of a window; the values of each hashed block have length one."""
    index: list[NDArray[np.int64]] = []
    value: list[NDArray[np.float32]] = []
    offset = len(PHASES) + 3 * STEPS
    counts = (window.index, len(window.steps) - window.index, len(window.exchanges))
    single = [PHASES.index(window.phase)]
    single += [len(PHASES) + STEPS * i + min(max(n, 0), STEPS - 1) for i, n in enumerate(counts)]
    index.append(np.array(single, np.int64))
    value.append(np.ones(len(single), np.float32))
    blocks: tuple[tuple[int, Iterable[str]], ...] = (
        (config.words, _grams(_shapes(_clause(window)))),
        (config.calls, _calls(window.exchanges)),
        (config.obs, _last_observation(window.exchanges)),
        (config.listing, _listing(window.files)),
    )
    for buckets, keys in blocks:
        found = Counter(zlib.crc32(key.encode()) % buckets for key in keys)
        if found:
            weights = np.log1p(np.fromiter(found.values(), np.float32, len(found)))
            index.append(np.fromiter(found, np.int64, len(found)) + offset)
            value.append((weights / np.linalg.norm(weights)).astype(np.float32))
        offset += buckets
    return Features(np.concatenate(index), np.concatenate(value))


def begins(previous: Window | None, window: Window) -> bool:
    """True if `window` opens a new episode: another goal, or planning from the start."""
    opens = window.phase == "plan" and not window.exchanges
    return previous is None or previous.goal != window.goal or opens


def ticks(previous: Window | None, window: Window, since: int, config: PlannerConfig) -> bool:
    """True if the planner's GRU is due: `since` segments after its last tick, or at the start of a step."""
    if previous is None or since >= config.k_plan:
        return True
    moved = (previous.phase, previous.index) != (window.phase, window.index)
    retried = len(window.exchanges) < len(previous.exchanges)
    return config.tick_on_steps and (moved or retried)


def phi_size() -> int:
    """Length of φ."""
    return PHI_LISTING + 8


def phi(window: Window) -> NDArray[np.float32]:
    """φ(s), (phi_size(),): hashed listing, exit codes, test counts, progress. Frozen: what a plan should change."""
    out = np.zeros(phi_size(), np.float32)
    for path in window.files:
        code = zlib.crc32(b"phi" + _kind_of_path(path).encode())
        out[code % PHI_LISTING] += 1.0 if code & (1 << 30) else -1.0
    heads = [e.obs.split("\n", 1)[0] for e in window.exchanges]
    tests = {"passed": 0, "failed": 0, "error": 0}
    for found in _COUNTS.finditer(window.exchanges[-1].obs if window.exchanges else ""):
        tests[found[2]] = min(int(found[1]), 1000)
    done = window.index / max(1, len(window.steps))
    out[PHI_LISTING:] = (
        heads.count("ok"),
        heads.count("error"),
        heads.count("denied"),
        np.log1p(tests["passed"]),
        np.log1p(tests["failed"] + tests["error"]),
        2.0 * done,
        2.0 * (window.phase == "finish"),
        2.0 * (window.phase == "plan"),
    )
    return out


def _clause(window: Window) -> str:
    if window.phase == "step" and window.index < len(window.steps):
        return window.steps[window.index]
    return window.goal if window.phase != "finish" else (window.notes[-1] if window.notes else "")


def _shapes(text: str) -> list[str]:
    return [_shape(token) for token in _TOKEN.findall(text)]


def _shape(token: str) -> str:
    """A plain word in lower case; else what kind of thing the token is."""
    quoted = token[0] in "`'\""
    bare = token[1:-1] if quoted else token.rstrip(".")
    suffix = _SUFFIX.search(bare)
    if suffix:
        return "<" + suffix[0].lower() + ">"
    if "/" in bare:
        return "<path>"
    if any(c.isdigit() for c in bare):
        return "<number>" if bare.isdigit() else "<name>"
    if quoted:
        return "<quote>" if " " in bare else "<name>"
    return bare.lower()


def _grams(words: Sequence[str]) -> Iterator[str]:
    yield from words
    yield from (f"{a} {b}" for a, b in zip(["^", *words], [*words, "$"], strict=True))


def _calls(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Kinds of the calls of this step: which ones at all, the last, the last two."""
    kinds = [call_kind(e.call) for e in exchanges]
    yield from kinds
    yield from (f"last:{kind}" for kind in kinds[-1:])
    yield "two:" + " ".join(kinds[-2:])


def call_kind(call: str) -> str:
    """Tool, operation and suffix of a call (JSON text), e.g. `fs.write.py`; `?` for text that is no call."""
    try:
        body: Any = json.loads(call)
        args = body["args"]
        path = str(args.get("path", ""))
        suffix = _SUFFIX.search(path)
        return ".".join(filter(None, (str(body["tool"]), str(args.get("op", "")), suffix[0][1:] if suffix else "")))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return "?"


def _last_observation(exchanges: Sequence[Exchange]) -> Iterator[str]:
    if not exchanges:
        return
    head, _, body = exchanges[-1].obs.partition("\n")
    yield f"head:{head}"
    yield from (f"{head}:{shape}" for shape in _shapes(body[:400])[:OBS_WORDS])
    yield from (f"count:{kind}:{number != '0'}" for number, kind in _COUNTS.findall(body))


def _listing(files: Sequence[str]) -> Iterator[str]:
    for path in files:
        yield _kind_of_path(path)
    yield f"depth:{max((p.rstrip('/').count('/') for p in files), default=0)}"
    yield f"size:{len(files).bit_length()}"


def _kind_of_path(path: str) -> str:
    """A path without its name: folder or suffix, and depth."""
    bare = path.rstrip("/")
    suffix = _SUFFIX.search(bare)
    kind = "/" if path != bare else (suffix[0].lower() if suffix else ".")
    return f"{kind}@{min(bare.count('/'), 3)}"
