"""What batching across sessions gains: concurrent callers of one decoder (and one scorer), against one at a time.

A session is a few turns of one step of a held-out task: the greedy call, three more for the same window, then the
greedy call for the window that has grown by one exchange. Batched, each session is a thread of its own. One at a time,
either the sessions' calls take turns at one decoder, as behind a lock, or each session has the decoder (and its cache)
for itself until it ends. All begin with empty caches and write the same texts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from eval.bench_windows import Example, held_out_examples
from eval.ratio import Ratio
from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.decoder.batch import BatchedDecoder
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.nn.rows import CachedRows
from hybrid_agent.protocols import Decoder, Scorer
from hybrid_agent.scorer.batch import BatchedScorer
from hybrid_agent.scorer.calibration import Calibration, Head
from hybrid_agent.scorer.energy import EnergyScorer, ScorerConfig
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.domains import DOMAINS
from hybrid_agent.types import Budget, Control, Exchange, Segment, Window

SESSIONS = (1, 4, 16)
OBSERVATION = "ok\na.txt\nb.txt\nnotes.md"


@dataclass(frozen=True)
class Cost:
    """Of one run: milliseconds by the clock and of processor time."""

    wall: float
    cpu: float


def turns(example: Example, seed: int) -> list[tuple[Window, Budget]]:
    """What one session asks for, in order."""
    one = Budget(max_tokens=160)
    more = one.model_copy(update={"k": 3, "temperature": 0.8, "seed": seed})
    grown = example.window.model_copy(update={"exchanges": (Exchange(call=example.call, obs=OBSERVATION),)})
    return [(example.window, one), (example.window, more), (grown, one)]


def decoding(folder: Path, rounds: int, sessions: Sequence[int] = SESSIONS) -> list[Ratio]:
    """Sessions that decode at the same time."""
    single = HfDecoder.from_folder(folder, call_schema(), parts={})
    examples = held_out_examples(max(sessions))
    found = []
    with BatchedDecoder.from_folder(folder, call_schema(), parts={}) as batched:
        for count in sessions:
            asked = [turns(example, seed) for seed, example in enumerate(examples[:count])]
            texts: dict[str, Any] = {}

            def together(asked: list[Any] = asked, texts: dict[str, Any] = texts) -> None:
                batched.forget()
                texts["batched"] = at_once([lambda turns=turns: _texts(batched, turns) for turns in asked])

            def in_turn(asked: list[Any] = asked, texts: dict[str, Any] = texts) -> None:
                single.forget()
                written: list[list[str]] = [[] for _ in asked]
                for turn in range(len(asked[0])):
                    for session, turns in enumerate(asked):
                        written[session] += _texts(single, turns[turn : turn + 1])
                texts["single"] = written

            def one_by_one(asked: list[Any] = asked) -> None:
                single.forget()
                for turns in asked:
                    _texts(single, turns)

            steps, rows = batched.loop.steps, batched.loop.row_steps
            costs = measured([together, in_turn, one_by_one], rounds)
            width = (batched.loop.row_steps - rows) / (batched.loop.steps - steps)
            same = "same texts" if texts["batched"] == texts["single"] else "texts differ"
            note = f"{width:.1f} rows a step, {same}"
            found.append(compared(f"decoder, {count} sessions: batched, times faster than in turn", *costs[:2], note))
            found.append(compared(f"decoder, {count} sessions: ... than one by one", costs[0], costs[2], note))
    return found


def scoring(folder: Path, rounds: int, sessions: Sequence[int] = SESSIONS) -> list[Ratio]:
    """Callers who have four candidates of a window scored, twice (an untrained model of the usual size)."""
    decoder = HfDecoder.from_folder(folder, call_schema(), parts={})
    examples = held_out_examples(max(sessions))
    single = _scorer(decoder)
    found = []
    with BatchedScorer(_scorer(decoder)) as batched:
        for count in sessions:
            asked = [
                (e.window.model_copy(update={"notes": (str(n),)}), [Segment(text=o.call) for o in examples[:4]])
                for e in examples[:count]
                for n in range(2)
            ]

            def together(asked: list[Any] = asked) -> None:
                groups = [asked[at : at + 2] for at in range(0, len(asked), 2)]
                at_once([lambda group=group: [_energies(batched, *one) for one in group] for group in groups])

            def in_turn(asked: list[Any] = asked) -> None:
                for one in asked[::2] + asked[1::2]:
                    _energies(single, *one)

            costs = measured([together, in_turn], rounds)
            name = f"scorer, {count} callers: batched, times faster than in turn"
            found.append(compared(name, *costs, f"4 candidates each, {len(asked)} calls"))
    return found


def stock(rounds: int, rows: int = 8) -> Ratio:
    """One step of a model without the lean forward pass (untrained, 60 M parameters), all rows in one pass."""
    shape = {"hidden_size": 640, "intermediate_size": 1920, "num_hidden_layers": 10, "num_attention_heads": 10}
    config = LlamaConfig(**shape, num_key_value_heads=2, head_dim=64, vocab_size=8192, max_position_embeddings=1024)
    with torch.inference_mode():
        held = CachedRows(LlamaForCausalLM(config))
    starts = [80 + 5 * row for row in range(rows)]
    for row, start in enumerate(starts):
        held.forward([row], [list(range(start))], [0])
    step = (range(rows), [[7]] * rows, starts)
    ours, other = measured([lambda: held.forward_together(*step), lambda: held.forward(*step)], rounds)
    return compared(f"stock model, {rows} rows: batched, times faster than in turn", ours, other, "one step")


def measured(sides: Sequence[Callable[[], Any]], rounds: int) -> list[Cost]:
    """Medians of each side; they take turns, after one round to warm up."""
    costs: list[list[Cost]] = [[] for _ in sides]
    for turn in range(rounds + 1):
        for side, run in zip(costs, sides, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            if turn:
                side.append(Cost((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3))
    return [Cost(statistics.median(c.wall for c in side), statistics.median(c.cpu for c in side)) for side in costs]


def compared(name: str, ours: Cost, other: Cost, note: str) -> Ratio:
    """The ratio is that of processor time, which a busy machine disturbs least."""
    clock = f"{other.wall / ours.wall:.2f} by the clock"
    return Ratio(name, ours.cpu, other.cpu, other.cpu / ours.cpu, f"{clock}, {note}")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results of calls made at the same time, a thread each."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [each.result() for each in [threads.submit(run, call) for call in calls]]


def _texts(decoder: Decoder, turns: Sequence[tuple[Window, Budget]]) -> list[str]:
    return [s.text for window, budget in turns for s in decoder.propose(window, budget, Control())]


def _energies(scorer: Scorer, window: Window, candidates: Sequence[Segment]) -> list[float]:
    return [score.energy for score in scorer.score(window, candidates)]


def _scorer(decoder: HfDecoder) -> EnergyScorer:
    torch.manual_seed(0)
    context = int(decoder.model.config.max_position_embeddings)
    model = EnergyModel(decoder.model.model, dropout=0.0).eval()
    config = ScorerConfig(hidden=model.hidden, context=context, trunk=decoder.model.config.to_dict())
    head = Head(energies=(-1.0, 1.0), passes=(0.9, 0.1), threshold=0.3)
    return EnergyScorer(model, config, decoder.tokenizer, Calibration(heads=dict.fromkeys(DOMAINS, head)))


def main() -> None:
    """Measure and print; `--json` prints one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, nargs="+", default=list(SESSIONS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = bundle_folder()
    ratios = []
    for part in (
        lambda: decoding(folder, options.rounds, options.sessions),
        lambda: scoring(folder, options.rounds, options.sessions),
        lambda: [stock(options.rounds)],
    ):
        for ratio in part():
            ratios.append(ratio)
            cost = f"{ratio.ours:.0f}, {ratio.other:.0f} ms"
            print(f"{ratio.name}: {ratio.ratio:.2f} ({cost}; {ratio.note})", flush=True)
    if options.json:
        print(json.dumps({"ratios": [asdict(r) for r in ratios]}))


if __name__ == "__main__":
    main()
