"""Look-ups in a large memory: how long they take, and what share of the truly best ten they find.

    python -m eval.bench_memory entries=100000            # minutes of CPU
    python -m eval.bench_memory entries=1000000 keep=FOLDER

Entries are notes made from the goals of the task packs with names, numbers and endings of their own. A look-up is the
whole of `ColdMemory.search`: embed the query, find the nearest in the graph, read them from SQLite, score them. What is
true is found by comparing the query with every stored vector; ties count as found.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.ratio import Ratio
from hybrid_agent.assemble.memory import make_scanner
from hybrid_agent.config.memory import IndexConfig, MemoryConfig
from hybrid_agent.memory.db import Database
from hybrid_agent.memory.embed import HashedEmbedder
from hybrid_agent.memory.index import VectorIndex
from hybrid_agent.memory.shape import VALUE
from hybrid_agent.memory.store import ColdMemory
from hybrid_agent.packs.pack import pack_names
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.runs.atomic import write_json

K = 10
SYLLABLES = "ba do fi gu ka lo mi nu pe ra so ta vi wo xe zu bri cla dro fle gri plo ste tri".split()
ENDINGS = "py txt json csv md ini yaml sh log toml".split()
TAILS = (
    "worked with fs {0}, then an equals check",
    "the file lay in {0}/{1}",
    "took {2} calls; {0} had to be made first",
    "use shell and compare with {0}.{3}",
    "needs {0} {1} before {4}",
)


@dataclass(frozen=True)
class Measured:
    """Milliseconds of look-ups (`cpu`: of this thread alone, whatever else the machine does), the share of the best ten
    that they found, and what it cost to get there."""

    entries: int
    queries: int
    p50_ms: float
    p99_ms: float
    p50_cpu_ms: float
    p99_cpu_ms: float
    exact_ms: float
    recall: float
    embed_s: float
    graph_s: float
    load_s: float
    index: str
    search_effort: int
    megabytes: float


def notes(count: int, seed: int) -> Iterator[str]:
    """Texts like those that runs leave behind; the same for the same seed."""
    rng = random.Random(seed)
    goals = [task.goal for pack in pack_names() for task in load_tasks(pack)]

    def name() -> str:
        return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3)))

    for _ in range(count):
        goal = re.sub(VALUE, lambda found: _like(found[0], name(), rng), rng.choice(goals))[:400]
        tail = rng.choice(TAILS).format(name(), name(), rng.randint(2, 30), rng.choice(ENDINGS), name())
        yield f"{goal}\n{tail}"


def _like(value: str, name: str, rng: random.Random) -> str:
    if value.isdigit():
        return str(rng.randint(1, 9999))
    return f"{name}.{value.rpartition('.')[2]}" if "." in value else name


def fill(folder: Path, count: int) -> float:
    """Store so many promoted notes; returns the seconds spent on embedding."""
    embedder, now, spent = HashedEmbedder(), time.time(), 0.0
    with ColdMemory.open(folder, MemoryConfig(), scan=make_scanner()):
        pass  # makes the tables
    database = Database(folder, "write")
    written, texts = 0, notes(count, 0)
    while written < count:
        part = [text for _, text in zip(range(min(10_000, count - written)), texts, strict=False)]
        began = time.perf_counter()
        vectors = embedder.embed(part).astype(np.float16)
        spent += time.perf_counter() - began
        with database.writing():
            for number, (text, vector) in enumerate(zip(part, vectors, strict=True), written + 1):
                values = (
                    number,
                    "note",
                    str(number),
                    text,
                    "os",
                    "promoted",
                    4,
                    now,
                    now,
                    now + 3e7,
                    1.0,
                    "{}",
                    number,
                )
                database.run(
                    "INSERT INTO entries(id, kind, digest, text, domain, status, version, created, used, expires,"
                    " strength, provenance, seq) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    values,
                )
                database.run("INSERT INTO vectors VALUES(?, ?)", (number, vector.tobytes()))
            database.set_meta("seq", str(written + len(part)))
        written += len(part)
    database.close()
    return spent


def measure(folder: Path, entries: int, queries: int, index: IndexConfig) -> Measured:
    """Fill an empty folder and look things up in it; a folder that was filled before is used as it is."""
    config = MemoryConfig(least_score=0.0, index=index)
    full = folder / "filled.json"
    embed_s = json.loads(full.read_text())["embed_s"] if full.is_file() else fill(folder, entries)
    if not full.is_file():
        write_json(full, {"entries": entries, "embed_s": embed_s})
    asked = list(notes(queries + 20, 1))
    began = time.perf_counter()
    memory = ColdMemory.open(folder, config, scan=make_scanner())
    memory.search(asked[0], K)
    graph_s = time.perf_counter() - began
    memory.close()
    began = time.perf_counter()
    with ColdMemory.open(folder, config, mode="read", scan=make_scanner()) as memory:
        for query in asked[:20]:
            memory.search(query, K)
        load_s = time.perf_counter() - began
        times, cpu, found = [], [], []
        for query in asked[20:]:
            start, busy = time.perf_counter(), time.thread_time()
            hits = memory.search(query, K, domain="os")
            cpu.append((time.thread_time() - busy) * 1e3)
            times.append((time.perf_counter() - start) * 1e3)
            found.append([hit.similarity for hit in hits])
        kind = memory.stats()["index"]["note"]["kind"]
        recall, exact_ms = _against_all(folder, asked[20:], found)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    return Measured(
        entries=entries,
        queries=queries,
        p50_ms=float(np.percentile(times, 50)),
        p99_ms=float(np.percentile(times, 99)),
        p50_cpu_ms=float(np.percentile(cpu, 50)),
        p99_cpu_ms=float(np.percentile(cpu, 99)),
        exact_ms=exact_ms,
        recall=recall,
        embed_s=embed_s,
        graph_s=graph_s,
        load_s=load_s,
        index=kind,
        search_effort=index.search_effort,
        megabytes=size,
    )


def _against_all(folder: Path, queries: list[str], found: list[list[float]]) -> tuple[float, float]:
    """Share of hits that are as near as the tenth nearest of all, and the milliseconds of comparing one with all."""
    database = Database(folder, "read")
    rows = database.each("SELECT vector FROM vectors ORDER BY id")
    stored = np.frombuffer(b"".join(row[0] for row in rows), np.float16).reshape(-1, HashedEmbedder().dim)
    database.close()
    every = VectorIndex(stored.shape[1], IndexConfig(exact_below=10**9))
    for begin in range(0, len(stored), 50_000):
        part = stored[begin : begin + 50_000].astype(np.float32)
        every.add(np.arange(begin, begin + len(part)), part)
    good, times = 0, []
    for query, similar in zip(queries, found, strict=True):
        vector = HashedEmbedder().embed([query])[0]
        start = time.perf_counter()
        best = every.search(vector, K)
        times.append((time.perf_counter() - start) * 1e3)
        tenth = float(stored[best[-1]].astype(np.float32) @ vector)
        good += sum(each >= tenth - 1e-4 for each in similar)
    return good / (K * len(queries)), float(np.median(times))


def memory_lookup(entries: int = 10_000, queries: int = 200) -> Ratio:
    """The line of `make bench`: a look-up through the graph against comparing the query with all."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), entries, queries, IndexConfig())
    note = f"p99 {found.p99_ms:.1f} ms, recall@10 {found.recall:.3f}, {entries} entries"
    return Ratio("memory look-up / comparing all", found.p50_ms, found.exact_ms, found.p50_ms / found.exact_ms, note)


def main() -> None:
    """Fill a memory, look things up in it, print one line and a JSON object. Exit 1 below recall 0.95."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="entries, queries, search_effort, keep=FOLDER")
    given = dict(each.partition("=")[::2] for each in parser.parse_args().settings)
    unknown = set(given) - {"entries", "queries", "search_effort", "keep"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    entries, queries = int(given.get("entries", 50_000)), int(given.get("queries", 500))
    index = IndexConfig(search_effort=int(given.get("search_effort", IndexConfig().search_effort)))
    folder = Path(given["keep"]) if "keep" in given else Path(tempfile.mkdtemp(prefix="bench-memory-"))
    try:
        found = measure(folder, entries, queries, index)
    finally:
        if "keep" not in given:
            shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{found.entries} entries: p50 {found.p50_ms:.2f} ms, p99 {found.p99_ms:.2f} ms"
        f" (CPU: {found.p50_cpu_ms:.2f}, {found.p99_cpu_ms:.2f}), recall@{K} {found.recall:.3f};"
        f" comparing all {found.exact_ms:.2f} ms; embedding {found.embed_s:.0f} s, graph {found.graph_s:.0f} s"
    )
    print(json.dumps(vars(found)))
    sys.exit(0 if found.recall >= 0.95 else 1)


if __name__ == "__main__":
    main()
