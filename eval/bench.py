"""`make bench`: what the parts cost, as ratios measured side by side in one run.

Machines are noisy, so the two sides of a ratio take turns and the median of each is compared. Absolute times
are printed for orientation only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from eval.bench_batching import decoding, scoring, stock
from eval.bench_memory import memory_lookup
from eval.bench_speculation import SCORER, candidates, shaping, speculation
from eval.bench_windows import Example, held_out_examples
from eval.ratio import Ratio, take_turns
from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.constrain import CallGrammar, find_spans
from hybrid_agent.constrain.matcher import ConstraintError
from hybrid_agent.decoder.choose import choices
from hybrid_agent.decoder.engine import Sampling, SegmentEngine
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DRAFT, DecoderOptions
from hybrid_agent.runs.layout import find_run
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.types import Budget, Control
from services.bench.hops import measure


def mask_cost(decoder: HfDecoder, examples: list[Example]) -> Ratio:
    """Filling and applying the grammar's mask, against one forward pass of a decode step."""
    calls = CallGrammar(decoder.schema, decoder.tokenizer, eos_token=int(decoder.tokenizer.eos_token_id))
    mask_ms: list[float] = []
    step_ms: list[float] = []
    engine = decoder.engine
    rng = np.random.default_rng(0)
    for example in examples:
        prompt = decoder.prompt.encode(example.window, 700)
        answer = decoder.tokenizer.backend_tokenizer.encode(example.call, add_special_tokens=False).ids
        matcher = calls.narrowed(find_spans(example.window), decoder.lexicon).matcher()
        mask = np.zeros(matcher.words, np.int32)
        engine.forget()
        engine.model.forward([0], [prompt], [0])
        for at, token in enumerate(answer):
            began = time.perf_counter()
            logits = engine.model.forward([0], [[token]], [len(prompt) + at]).numpy()
            middle = time.perf_counter()
            if at and not matcher.forced():
                started = time.perf_counter()
                matcher.mask(mask)
                masked = time.perf_counter()
                choice = choices(logits[0], mask)
                choice.picked(choice.draw(0.0, rng))
                picked = time.perf_counter()
                choice = choices(logits[0], None)
                choice.picked(choice.draw(0.0, rng))
                mask_ms.append((masked - started + (picked - masked) - (time.perf_counter() - picked)) * 1e3)
                step_ms.append((middle - began) * 1e3)
            try:
                matcher.advance([token])
            except ConstraintError:  # a rare gold call that the narrowed grammar does not write
                break
    ours, other = statistics.median(mask_ms), statistics.median(step_ms)
    return Ratio("mask / forward pass, per decode step", ours, other, ours / other, f"{len(mask_ms)} choices")


def constrained_against_free(folder: Path, examples: list[Example], rounds: int) -> Ratio:
    """The same calls written with and without the grammar."""
    constrained = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1))
    free = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(constrained=False, threads=1))
    budget, control = Budget(max_tokens=160), Control()

    def write(decoder: HfDecoder) -> None:
        for example in examples:
            decoder.forget()
            decoder.propose(example.window, budget, control)

    ours, other = take_turns(lambda: write(constrained), lambda: write(free), rounds)
    note = "grammar, spans and fast-forward against free decoding"
    return Ratio("constrained / free, wall time", ours, other, ours / other, note)


def engine_against_generate(folder: Path, rounds: int, tokens: int = 128) -> Ratio:
    """Greedy, unconstrained, batch 1, cache on: our loop against `transformers.generate`, same model and text."""
    from transformers import AutoModelForCausalLM

    decoder = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1))
    model = AutoModelForCausalLM.from_pretrained(str(folder / "decoder"), dtype=torch.float32).eval()
    prompt = decoder.tokenizer.backend_tokenizer.encode("copy the file notes.txt to the folder old. ").ids
    engine = SegmentEngine(decoder.engine.model, end_id=-1)
    written: dict[str, list[int]] = {}

    def ours() -> None:
        engine.forget()
        written["ours"] = engine.write(prompt, Sampling(max_tokens=tokens))[0].tokens

    def other() -> None:
        ids = torch.tensor([prompt])
        with torch.inference_mode():
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=tokens,
                min_new_tokens=tokens,
                do_sample=False,
                eos_token_id=None,
                pad_token_id=0,
            )
        written["other"] = out[0, len(prompt) :].tolist()

    mine, theirs = take_turns(ours, other, rounds)
    same = "same text" if written["ours"] == written["other"] else "texts differ"
    return Ratio("engine over transformers.generate, times faster", mine, theirs, theirs / mine, same)


def sandbox_against_subprocess(rounds: int) -> list[Ratio]:
    """One `true`, in a fresh jail and in a standing one, against a bare subprocess."""
    found = []
    for session in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            box = make_sandbox("bubblewrap", Path(folder), Limits(), session=session)
            try:
                ours, other = take_turns(
                    lambda box=box: box.run(["/bin/true"]),  # type: ignore[misc]
                    lambda: subprocess.run(["/bin/true"], check=True),
                    rounds,
                )
            finally:
                box.close()
        name = "standing jail" if session else "fresh jail"
        found.append(Ratio(f"{name} / bare subprocess, `true`", ours, other, ours / other, f"+{ours - other:.1f} ms"))
    return found


def snapshots(rounds: int, files: int = 500) -> list[Ratio]:
    """First snapshot, snapshot after one change, and rollback, each against `cp -a` of the same tree."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as root:
        workspace = Path(root) / "workspace"
        for index in range(files):
            path = workspace / f"d{index % 20}" / f"f{index}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rng.bytes(4096))
        changed, copies, states = workspace / "d0" / "f0.bin", iter(range(10**6)), iter(range(10**6))

        def copy() -> None:
            target = Path(root) / f"copy{next(copies)}"
            subprocess.run(["/bin/cp", "-a", str(workspace), str(target)], check=True)

        def first() -> None:
            SnapshotStore(Path(root) / f"state{next(states)}", workspace).take()

        store = SnapshotStore(Path(root) / "state", workspace)
        start = store.take()

        def again() -> None:
            changed.write_bytes(rng.bytes(4096))
            store.take()

        def rollback() -> None:
            changed.write_bytes(rng.bytes(4096))
            shutil.rmtree(workspace / "d1")
            store.restore(start)

        note = f"{files} files of 4 KiB"
        cases = (("first snapshot", first), ("snapshot after one change", again), ("rollback", rollback))
        measured = [(name, *take_turns(run, copy, rounds)) for name, run in cases]
    return [Ratio(f"{name} / cp -a", ours, other, ours / other, note) for name, ours, other in measured]


def services_against_process(rounds: int) -> list[Ratio]:
    """Whole episodes with the parts at their services, and in one process: with the shipped decoder, and with one of
    107 million parameters that writes the same."""
    ratios = []
    for times, wide in ((rounds, 1), (1, 10)):
        found = measure(times, wide=wide)
        name = "episode served / in-process" + (f", decoder of {found.parameters / 1e6:.0f} M" if wide > 1 else "")
        note = f"{found.episodes} pairs, half within {found.low:.2f} to {found.high:.2f}; goal 1.03"
        ratios.append(Ratio(name, found.served_ms, found.local_ms, found.ratio, note))
    return ratios


def _draft(folder: Path, given: str | None) -> dict[str, Path]:
    """Where the draft model lies, if there is one."""
    path = Path(given) if given and Path(given).is_dir() else find_run(Path("runs"), given) if given else None
    path = path or (folder / DRAFT if (folder / DRAFT).is_dir() else None)
    return {DRAFT: path} if path else {}


def main() -> None:
    """Measure everything and print a table; `--json` prints one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--draft", help="a draft model's run or folder, instead of the bundle's own")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = bundle_folder()
    examples = held_out_examples(24)
    decoder = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1))
    ratios = [
        mask_cost(decoder, examples),
        constrained_against_free(folder, examples, options.rounds),
        engine_against_generate(folder, options.rounds),
        *candidates(folder, examples, options.rounds, {SCORER: folder / SCORER} if (folder / SCORER).is_dir() else {}),
        *speculation(folder, examples, options.rounds, _draft(folder, options.draft)),
        shaping(folder, examples, options.rounds),
        *decoding(folder, max(1, options.rounds // 2)),
        *scoring(folder, max(1, options.rounds // 2)),
        stock(options.rounds),
        *sandbox_against_subprocess(options.rounds * 3),
        *snapshots(options.rounds),
        memory_lookup(),
        *services_against_process(max(1, options.rounds // 2)),
    ]
    table = Table("what", "ours ms", "other ms", "ratio", "note")
    for r in ratios:
        table.add_row(r.name, f"{r.ours:.3f}", f"{r.other:.3f}", f"{r.ratio:.2f}", r.note)
    Console().print(table)
    if options.json:
        print(json.dumps({"ratios": [asdict(r) for r in ratios]}))


if __name__ == "__main__":
    main()
