"""Whole builds with the shipped model: complete, resumable, equal for equal seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from hybrid_agent.traces.contexts import read_contexts
from hybrid_agent.traces.episodes import read_index
from hybrid_agent.traces.provenance import CONTEXTS, PROVENANCE, read_provenance
from hybrid_agent.traces.reader import read_trace

ROOT = Path(__file__).parents[2]
SMALL = (
    "packs.os=2",
    "packs.code=0",
    "first_seed=4000041",  # two short tasks
    "workers=1",
    "shard=1",
    "k=2",
    "turns.plan=1",
    "turns.done=1",
    "counts={near: 2, hazard: 1, wrong_state: 1, plan: 2}",
)


def traces(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hybrid_agent.cli", "traces", *arguments]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=900, check=False)


def test_a_build_is_complete_resumes_and_repeats_itself(tmp_path: Path) -> None:
    out = tmp_path / "a"
    built = traces("build", *SMALL, f"out={out}")
    assert built.returncode == 0, built.stderr
    contexts = list(read_contexts(out / CONTEXTS))
    made = read_provenance(out)
    assert made.records == len(contexts) > 3
    assert made.split == "train" and made.seeds == {"os": (4_000_041, 4_000_043)} and made.decoder_hash
    assert {c.group for c in contexts} <= {"os-train-4000041", "os-train-4000042"}
    for context in contexts:
        texts = [candidate.segment.text for candidate in context.candidates]
        assert len(set(texts)) == len(texts)
        assert any(c.stratum == "sampled" and c.segment.tokens for c in context.candidates)
        assert any(c.label == "pass" and c.detail == "the gold call" for c in context.candidates)

    counted = json.loads(traces("stats", str(out), "--json").stdout)
    assert sum(sum(row.values()) for rows in counted["counts"].values() for row in rows.values()) == sum(
        len(context.candidates) for context in contexts
    )
    shown = traces("show", str(out), contexts[0].id)
    assert contexts[0].id in shown.stdout and "the gold call" in shown.stdout

    # A killed build: one shard is missing, the other one is not made again; the result is the same.
    data = (out / CONTEXTS).read_bytes()
    first, second = sorted(out.glob("shards/*/*.jsonl.gz"))
    kept = first.stat().st_mtime_ns
    for lost in (second, out / CONTEXTS, out / PROVENANCE):
        lost.unlink()
    assert traces("stats", str(out)).returncode == 2
    assert traces("build", *SMALL, f"out={out}").returncode == 0
    assert first.stat().st_mtime_ns == kept
    assert list(read_contexts(out / CONTEXTS)) == contexts
    assert (out / CONTEXTS).read_bytes() == data


def test_episodes_are_stored_judged_and_replayed(tmp_path: Path) -> None:
    out = tmp_path / "episodes"
    built = traces("build", *SMALL[:4], "packs.os=1", "what=episodes", "temperatures=[1.5]", f"out={out}")
    assert built.returncode == 0, built.stderr
    entries = list(read_index(out))
    assert entries and entries[0].how == "greedy" and entries[0].label in ("pass", "plausible_fail")
    for entry in entries:
        trace = read_trace(out / entry.trace)
        assert trace.task_id == entry.task_id and len(trace.steps) == entry.turns and trace.result
        assert "episode-" not in (out / entry.trace).read_text()
    assert "greedy" in traces("stats", str(out)).stdout


def test_mistakes_are_answered_before_work_begins(tmp_path: Path) -> None:
    wrong = traces("build", "packs.os=1", "splitt=val", f"out={tmp_path}")
    assert wrong.returncode == 2 and "splitt" in wrong.stderr
    missing = traces("show", str(tmp_path / "nothing.jsonl.gz"), "x")
    assert missing.returncode == 2 and "traces build" in missing.stderr


def test_another_decoder_reads_what_is_there(tmp_path: Path) -> None:
    built, out = tmp_path / "built", tmp_path / "read"
    assert traces("build", *SMALL, "packs.os=1", f"out={built}").returncode == 0
    old = list(read_contexts(built / CONTEXTS))
    assert all(c.segment.logprob < 0 for context in old for c in context.candidates if c.stratum == "near_miss")
    done = traces("reread", str(built), f"out={out}", "workers=1")
    assert done.returncode == 0, done.stderr
    new = list(read_contexts(out / CONTEXTS))
    assert [c.id for c in new] == [c.id for c in old]
    for before, after in zip(old, new, strict=True):  # it is the same decoder, so it says the same
        for one, other in zip(before.candidates, after.candidates, strict=True):
            assert (one.segment.text, one.label, one.detail) == (other.segment.text, other.label, other.detail)
            if one.stratum != "sampled":
                assert abs(one.segment.logprob - other.segment.logprob) < 1e-3
    assert read_provenance(out).decoder_hash == read_provenance(built).decoder_hash
    assert json.loads(traces("stats", str(out), "--json").stdout)["counts"]
    refused = traces("reread", str(built), f"out={built}")
    assert refused.returncode == 2 and "another folder" in refused.stderr
