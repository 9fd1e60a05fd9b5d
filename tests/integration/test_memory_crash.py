"""Memory under kill -9 and under several processes at once: always readable, nothing half there."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from hybrid_agent.assemble.memory import open_memory
from hybrid_agent.memory.db import FILE

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from hybrid_agent.assemble.memory import open_memory
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with open_memory(folder) as memory:
    for number in range(count):
        entry = memory.approve(memory.add(f"writer {name} note {number}", {"by": name}).id, by=name)
        memory.outcome(entry.id, True)
        print(entry.id, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    argv = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)


def sound(folder: Path) -> None:
    """SQLite finds no fault, and each entry has its vector and its whole history."""
    link = sqlite3.connect(folder / FILE)
    assert link.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert link.execute("SELECT count(*) FROM entries LEFT JOIN vectors v USING(id) WHERE v.id IS NULL").fetchone() == (
        0,
    )
    assert link.execute("SELECT count(*) FROM vectors LEFT JOIN entries e USING(id) WHERE e.id IS NULL").fetchone() == (
        0,
    )
    histories = "SELECT e.id FROM entries e WHERE e.version != (SELECT count(*) FROM history h WHERE h.entry = e.id)"
    assert link.execute(histories).fetchall() == []
    states = {status for (status,) in link.execute("SELECT DISTINCT status FROM entries")}
    assert states <= {"quarantined", "promoted"}  # taking in is one transaction
    link.close()


def test_kill_9_while_writing_leaves_a_readable_store(tmp_path: Path) -> None:
    rng, told = random.Random(3), 0
    for round_ in range(4):
        process = writer(tmp_path, f"r{round_}", 100_000)
        assert process.stdout is not None
        last = [process.stdout.readline() for _ in range(rng.randint(3, 25))][-1]
        time.sleep(rng.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines()
        process.wait()
        told = int((rest or [last])[-1])
        sound(tmp_path)
        with open_memory(tmp_path, mode="read") as memory:  # what was told to be kept is there
            entry = memory.get(told)
            assert (entry.status, entry.wins) == ("promoted", 1)
            assert memory.search(entry.text, 50)
    with open_memory(tmp_path) as memory:
        assert memory.add("and it goes on", {}).id > told


def test_several_writers_and_a_reader_at_once(tmp_path: Path) -> None:
    with open_memory(tmp_path):
        pass
    writers = [writer(tmp_path, name, 15) for name in ("a", "b")]
    with open_memory(tmp_path, mode="read") as memory:
        while any(process.poll() is None for process in writers):
            seen = memory.search("writer note", 10)
            assert len({hit.entry.id for hit in seen}) == len(seen)
            time.sleep(0.05)
        for process in writers:
            ids = process.communicate()[0].split()
            assert process.returncode == 0 and len(ids) == 15
        assert memory.stats()["entries"]["note"] == {"promoted": 30}
        assert memory.stats()["index"]["note"]["vectors"] == 30
    sound(tmp_path)


def test_a_writer_killed_while_the_index_is_saved_costs_only_the_index(tmp_path: Path) -> None:
    with open_memory(tmp_path) as memory:
        text = memory.approve(memory.add("use tar -xzf", {}).id, by="ada").text
    # What a kill leaves of an index: a stamp without its file, a temporary file.
    (tmp_path / "index-note.json").write_text('{"embedder": "hashed:256:1", "links": 32')
    (tmp_path / ".index-note.faiss.1.tmp").write_bytes(b"half")
    with open_memory(tmp_path, mode="read") as memory:
        assert memory.retrieve("use tar", 1) == [text]
