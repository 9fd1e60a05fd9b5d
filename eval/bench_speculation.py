"""What the segment engine's options cost or save, as ratios: several candidates, speculation, shaping.

Windows are starts of steps of held-out tasks; caches are empty at the start of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from eval.bench_windows import Example
from eval.ratio import Ratio, take_turns
from hybrid_agent.assemble.hybrid import load_part
from hybrid_agent.config.hybrid import Thresholds
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DRAFT, DecoderOptions
from hybrid_agent.decoder.shaping import WIDTH, Shaper
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control

SCORER = "scorer"


def write(decoder: HfDecoder, examples: list[Example], *budgets: Budget) -> list[str]:
    """The first call of each example from empty caches, asked for with each budget in turn; the last texts."""
    texts = []
    for example in examples:
        decoder.forget()
        for budget in budgets:
            segments = decoder.propose(example.window, budget, Control())
        texts.append(segments[0].text)
    return texts


def candidates(folder: Path, examples: list[Example], rounds: int, parts: Mapping[str, Path]) -> list[Ratio]:
    """Four candidates against one: samples and branches over one prefix, at once and as the loop asks (a greedy one,
    then three), and what is written with other names; scored by the energy model, if it is there."""
    decoder = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1), parts={})
    asks_twice = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1, greedy_first=False), parts={})
    scorer = load_part(SCORER, parts)
    one = Budget(max_tokens=160)
    sampled = Budget(max_tokens=160, temperature=0.8)
    branched = Budget(k=3, max_tokens=160, temperature=Thresholds().temperature, draw="branch")
    renamed = branched.model_copy(update={"draw": "rename"})

    runs: dict[str, Callable[[], object]] = {
        "K=4 / K=1, samples": lambda: write(decoder, examples, sampled.model_copy(update={"k": 4})),
        "greedy, then 3 samples / K=1": lambda: write(asks_twice, examples, one, sampled.model_copy(update={"k": 3})),
        "greedy, then 3 branches / K=1": lambda: write(asks_twice, examples, one, branched),
        "greedy, then 3 by other names / K=1": lambda: write(asks_twice, examples, one, renamed),
    }
    if scorer is not None:

        def reranked(more: Budget) -> None:
            for example in examples:
                asks_twice.forget()
                found = [*asks_twice.propose(example.window, one, Control())]
                found += asks_twice.propose(example.window, more, Control())
                scorer.score(example.window, found)

        runs["greedy, 3 branches, reranked / K=1"] = lambda: reranked(branched)
        runs["greedy, 3 by other names, reranked / K=1"] = lambda: reranked(renamed)
    found = []
    for name, run in runs.items():
        ours, other = take_turns(run, lambda: write(decoder, examples, one), rounds)
        found.append(Ratio(name, ours / len(examples), other / len(examples), ours / other, "shared prefix"))
    return found


def speculation(folder: Path, examples: list[Example], rounds: int, parts: Mapping[str, Path]) -> list[Ratio]:
    """One greedy segment with and without guesses, from the prompt and from the draft model if there is one."""
    plain = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1), parts={})
    budget = Budget(max_tokens=160)
    kinds = {"prompt lookup": (DecoderOptions(threads=1), {})}
    if DRAFT in parts:
        draft = {DRAFT: parts[DRAFT]}
        kinds["draft model"] = (DecoderOptions(threads=1, lookup=False), draft)
        kinds["lookup, then draft"] = (DecoderOptions(threads=1), draft)
    found = []
    for name, (options, used) in kinds.items():
        fast = HfDecoder.from_folder(folder, call_schema(), options, parts=used)
        fast.speculator.least = 0.0  # measured as it is, never switched off
        guessed = budget.model_copy(update={"speculate": True})
        same = write(fast, examples, guessed) == write(plain, examples, budget)
        ours, other = take_turns(
            lambda fast=fast, guessed=guessed: write(fast, examples, guessed),  # type: ignore[misc]
            lambda: write(plain, examples, budget),
            rounds,
        )
        stats = fast.speculator.stats
        passes = (stats.rounds + stats.plain) / (rounds + 2) / len(examples)
        note = f"{stats.rate:.0%} of guesses accepted, {passes:.1f} passes a segment, "
        note += "same text" if same else "texts differ"
        found.append(Ratio(f"{name} / plain", ours / len(examples), other / len(examples), ours / other, note))
    return found


def shaping(folder: Path, examples: list[Example], rounds: int) -> Ratio:
    """A segment with a bias on its logits (of random steering, so small that it changes no text) and without."""
    decoder = HfDecoder.from_folder(folder, call_schema(), DecoderOptions(threads=1), parts={})
    shaper = Shaper.for_model(decoder.model, decoder.tokenizer)
    shaper.steering = 1e-6 * torch.randn(shaper.steering.shape[0], WIDTH, generator=torch.Generator().manual_seed(0))
    decoder.shaper = shaper
    plain, shaped = Budget(max_tokens=160), Budget(max_tokens=160, shaping=1.0)
    ours, other = take_turns(lambda: write(decoder, examples, shaped), lambda: write(decoder, examples, plain), rounds)
    return Ratio("shaped / plain segment", ours / len(examples), other / len(examples), ours / other, "α = 1")
