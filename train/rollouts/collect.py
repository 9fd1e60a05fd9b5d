"""The contexts of one task: at each turn of its gold solution, candidates from several sources, labelled."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence

from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.protocols import Decoder, Sandbox
from hybrid_agent.traces.contexts import Candidate, Context, Stratum
from hybrid_agent.traces.domains import domain_of
from hybrid_agent.types import Budget, Control, Segment, Task, ToolCall, Window
from train.rollouts import near
from train.rollouts.bench import Bench, GoldTurn, on_bench
from train.rollouts.hazards import hazards
from train.rollouts.label import Labeller
from train.rollouts.scrub import scrub_record
from train.rollouts.wrong_state import other_episodes, other_turns

Proposed = tuple[Segment, Stratum, str]
BRANCHING = 0.3  # temperature: mostly the likeliest branches
HOSTILE_S = 1.0  # many hostile calls never end
TRIES = 4  # mutants looked at for each one that is wanted: some repeat, some happen to be right


def task_contexts(
    task: Task, sandbox: Sandbox, decoder: Decoder | None, settings: RolloutsConfig, others: Sequence[Task] = ()
) -> Iterator[Context]:
    """All contexts of a task.

    Args:
        task: with a gold solution.
        sandbox: a standing jail; its workspace is emptied first.
        decoder: proposes candidates; None leaves them out.
        settings: how many of what.
        others: tasks whose calls serve as right calls in the wrong place.

    Raises:
        train.gold.GoldError: the gold solution is wrong.
    """
    rng = random.Random(f"{settings.seed}:{task.id}:{task.template}")
    with on_bench(task, sandbox) as bench:
        labeller = Labeller(bench, timeout_s=settings.call_timeout_s, runs=settings.executions)
        for turn in bench.turns:
            if rng.random() >= getattr(settings.turns, turn.kind):
                continue
            proposed = list(_proposed(bench, turn, decoder, settings, others, rng))
            yield scrub_record(_context(task, turn, proposed, labeller))


def sample(decoder: Decoder, window: Window, settings: RolloutsConfig, seed: int) -> list[Segment]:
    """Candidates of the decoder: samples at a few of the temperatures, drawn by the seed, and branches of the greedy
    text; equal texts once.

    All rows of a temperature are written in one batch over the shared prompt, which is what makes them cheap. The
    decoder should write the first of several rows greedily (`DecoderOptions.greedy_first`) if that is asked for.
    """
    found: list[Segment] = []
    temperatures = settings.temperatures if settings.k else ()
    chosen = random.Random(seed).sample(temperatures, min(settings.at_once, len(temperatures)))
    for at, temperature in enumerate(chosen):
        share = settings.k // len(chosen) + (at < settings.k % len(chosen))
        if share:
            budget = Budget(k=share + settings.greedy, temperature=temperature, seed=seed + at)
            found += decoder.propose(window, budget, Control())
    if settings.branches:
        branching = Budget(k=settings.branches + settings.greedy, temperature=BRANCHING, seed=seed, draw="branch")
        found += decoder.propose(window, branching, Control())
    if settings.greedy and not found:
        found += decoder.propose(window, Budget(k=1, temperature=0.0), Control())
    return list({segment.text: segment for segment in reversed(found)}.values())[::-1]


def _context(task: Task, turn: GoldTurn, proposed: Sequence[Proposed], labeller: Labeller) -> Context:
    candidates = []
    labeller.prepare(turn, [segment.text for segment, _, _ in proposed])
    for segment, stratum, how in proposed:
        hostile = stratum == "hazard"
        outcome = labeller.label(turn, segment.text, timeout_s=HOSTILE_S if hostile else None)
        if outcome.label == "pass" and _doubtful(stratum, turn):
            continue
        detail = f"{how}: {outcome.detail}" if how else outcome.detail
        candidates.append(
            Candidate(
                segment=segment, label=outcome.label, stratum=stratum, verdict=outcome.verdict, detail=detail[:500]
            )
        )
    return Context(
        id=f"{task.id}.{turn.number}",
        task_id=task.id,
        pack=task.pack,
        intents=task.intents,
        group=task.id,
        domain=domain_of(turn.call),
        window=turn.window,
        candidates=tuple(candidates),
    )


def _doubtful(stratum: Stratum, turn: GoldTurn) -> bool:
    """Whether a pass of a candidate that was made to be wrong says little; it is then neither right nor wrong.

    A hostile call that did no harm where it ran is not safe. A code mutant that the checks let through need not mean
    what the task says. A later call of the gold solution, made before the look that it rests on, knows what the window
    does not show.
    """
    looks = turn.obs.ok and not turn.changed
    return stratum in ("hazard", "code_mutant") or (stratum == "wrong_state" and turn.kind == "act" and looks)


def _proposed(
    bench: Bench,
    turn: GoldTurn,
    decoder: Decoder | None,
    settings: RolloutsConfig,
    others: Sequence[Task],
    rng: random.Random,
) -> Iterator[Proposed]:
    """Candidates of a turn, each text once; what the decoder wrote counts as sampled, the gold call too."""
    seen: set[str] = set()

    def fresh(stream: Iterable[tuple[Segment, Stratum, str]], limit: int, tries: int = TRIES) -> Iterator[Proposed]:
        left = limit
        for proposed in itertools.islice(stream, limit * tries):
            if left and proposed[0].text not in seen:
                seen.add(proposed[0].text)
                left -= 1
                yield proposed

    counts, call = settings.counts, turn.call
    seed = rng.randrange(1 << 30)
    if decoder is not None:
        sampled = sample(decoder, turn.window, settings, seed)
        yield from fresh(((segment, "sampled", "") for segment in sampled), len(sampled))
    yield from fresh([(Segment(text=turn.text), "gold", "")], 1)
    yield from fresh(_made(_mutants(call, turn.window, rng), "near_miss"), counts.near)
    yield from fresh(_made(near.code_changes(call, rng), "code_mutant"), counts.code)
    if call.tool == "plan":
        yield from fresh(_made(near.plan_changes(call, turn.window, rng), "plan"), counts.plan)
    elsewhere = itertools.chain(
        itertools.islice(other_turns([t.text for t in bench.turns], turn.number, rng), (counts.wrong_state + 1) // 2),
        other_episodes(others, turn.window, rng),
    )
    yield from fresh(_made(elsewhere, "wrong_state"), counts.wrong_state)
    yield from fresh(_made(hazards(call, near.names_of(turn.window), rng), "hazard"), counts.hazard)
    if rng.random() < counts.flaky and (text := near.flaky_call(call, rng)):
        kind: Stratum = "near_miss" if call.tool == "shell" else "code_mutant"
        yield from fresh([(Segment(text=text), kind, "left to chance")], 1)


def _mutants(call: ToolCall, window: Window, rng: random.Random) -> Iterator[tuple[str, str]]:
    if call.tool == "finish":
        for status in ("done", "failed", "unsure"):
            if status != call.args["status"]:
                other = ToolCall(tool="finish", args={**call.args, "status": status})
                yield other.model_dump_json(exclude_defaults=True), "another ending"
    elif call.tool != "plan":
        yield from near.near_misses(call, window, rng)


def _made(stream: Iterable[tuple[str, str]], stratum: Stratum) -> Iterator[Proposed]:
    for text, how in stream:
        yield Segment(text=text), stratum, how
