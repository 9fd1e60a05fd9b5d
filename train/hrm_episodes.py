"""What the planner learns from: episodes of windows with the answers that are known for each turn.

Three sources, any subset: contexts (labelled candidates; the greedy one tells whether the turn fails), the agent's
own traces, and cached gold episodes. An unknown answer is None and takes no part in any loss.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.errors import InputError
from hybrid_agent.planner.state import PHASES, begins
from hybrid_agent.traces.contexts import Context, read_contexts
from hybrid_agent.traces.episodes import EpisodeEntry, read_index
from hybrid_agent.traces.provenance import EPISODES, PROVENANCE, data_file
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Step, Trace, Window

FAILS = ("plausible_fail", "policy_violation")


@dataclass(frozen=True)
class PlannerTurn:
    """One window and what is known of it.

    Attributes:
        number: position in the whole episode, of which some turns may be missing.
        calls: right calls (JSON text), empty if none is known.
        failed: the agent's greedy call failed here.
        deliberate: it failed, and another candidate or a second pass succeeded.
    """

    window: Window
    number: int
    calls: tuple[str, ...] = ()
    failed: bool | None = None
    deliberate: bool | None = None


@dataclass(frozen=True)
class PlannerEpisode:
    """Turns in order. `group` ties episodes of one task together; `success`: it ended verified."""

    group: str
    turns: tuple[PlannerTurn, ...]
    success: bool
    source: str


@dataclass(frozen=True)
class Sources:
    """The files that a config names. `index` lists the agent's episodes, `entries` what it says of them."""

    contexts: Path | None
    index: Path | None
    entries: tuple[EpisodeEntry, ...]
    gold: tuple[Path, ...]

    @classmethod
    def find(cls, stage: HrmConfig) -> Sources:
        """Look the files up.

        Raises:
            InputError: nothing is given, a given path holds nothing, or was made from a held-out split.
        """
        if not (stage.contexts or stage.episodes or stage.gold):
            fix = "make contexts: hybrid-agent traces build, then stage.contexts=FILE"
            raise InputError("give at least one of contexts, episodes, gold", field="stage.contexts", fix=fix)
        contexts = _contexts_file(Path(stage.contexts)) if stage.contexts else None
        index = Path(stage.episodes) if stage.episodes else None
        if index is not None and index.is_dir():
            index = index / EPISODES
        entries = tuple(read_index(index)) if index is not None else ()
        for entry in entries:
            if entry.split != "train":
                what = f"{entry.task_id} is of the held-out split {entry.split}"
                raise InputError(what, where=str(index), field="stage.episodes", fix="give episodes of split train")
        return cls(contexts, index, entries, tuple(_gold_files(Path(stage.gold)) if stage.gold else ()))

    def all(self) -> list[Path]:
        """Every file that training depends on, in a fixed order."""
        found = [path for path in (self.contexts, self.index) if path is not None]
        return [*found, *self.traces(), *self.gold]

    def traces(self) -> list[Path]:
        """The trace of each entry."""
        return [] if self.index is None else [self.index.parent / entry.trace for entry in self.entries]


def load_episodes(stage: HrmConfig) -> list[PlannerEpisode]:
    """All episodes of a config, none longer than `max_turns`; episodes of one goal share a group.

    Raises:
        InputError: a file is missing or does not fit, or there is no episode.
    """
    sources = Sources.find(stage)
    episodes = list(from_contexts(read_contexts(sources.contexts) if sources.contexts else ()))
    groups = {e.turns[0].window.goal: e.group for e in episodes}
    judged = zip(sources.entries, sources.traces(), strict=True)
    rest = [episode for entry, path in judged for episode in from_trace(read_trace(path), entry)]
    rest += _first(from_gold(sources.gold), stage.max_gold)
    episodes += [replace(e, group=groups.get(e.turns[0].window.goal, e.group)) for e in rest]
    cut = [piece for episode in episodes for piece in _pieces(episode, stage.max_turns)]
    if not cut:
        raise InputError("there is no episode in the data", field="stage.contexts", fix="give other files")
    return cut


def from_contexts(contexts: Iterable[Context]) -> Iterator[PlannerEpisode]:
    """One episode for each task and goal; the gold calls before a turn were right, so all of them end well."""
    tasks: dict[tuple[str, str], list[Context]] = {}
    for context in contexts:
        tasks.setdefault((context.group, context.window.goal), []).append(context)
    for (group, _), found in tasks.items():
        chain: list[PlannerTurn] = []
        for number, context in _in_order(found):
            if chain and begins(chain[-1].window, context.window):
                yield PlannerEpisode(group, tuple(chain), True, "contexts")
                chain = []
            chain.append(_judged(context, number))
        yield PlannerEpisode(group, tuple(chain), True, "contexts")


def from_trace(trace: Trace, entry: EpisodeEntry) -> Iterator[PlannerEpisode]:
    """The agent's own episode, as the judge saw it. Unstable and spoiled ones teach nothing."""
    steps = [step for step in trace.steps if step.window is not None]
    if entry.label in ("flaky", "infra_failure") or not steps:
        return
    success = entry.label == "pass"
    turns = []
    for at, step in enumerate(steps):
        assert step.window is not None
        failed = _went_wrong(step) or (not success and at == len(steps) - 1)
        calls = (step.content,) if success and not failed else ()
        again = _second_pass([s.window for s in steps[at:] if s.window], success) if failed else False
        turns.append(PlannerTurn(step.window, at, calls, failed, again))
    yield PlannerEpisode(entry.group, tuple(turns), success, "traces")


def from_gold(paths: Sequence[Path]) -> Iterator[PlannerEpisode]:
    """Cached gold episodes (train.corpus): right calls, nothing about failure.

    Raises:
        InputError: a line is not a cached episode.
    """
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    data = json.loads(line)
                    turns = [(Window.model_validate(t["window"]), str(t["call"])) for t in data["turns"]]
                    group = f"{path.parent.name.split('-')[0]}:{data['seed']}"
                except (ValueError, KeyError, TypeError) as error:
                    raise InputError(
                        f"not a cached gold episode: {str(error).splitlines()[0]}", where=f"{path}:{number}"
                    ) from None
                kept = tuple(PlannerTurn(w, at, (call,)) for at, (w, call) in enumerate(turns))
                if kept:
                    yield PlannerEpisode(group, kept, True, "gold")


def _judged(context: Context, number: int) -> PlannerTurn:
    """The greedy call is the first that the decoder wrote; right calls are its own passing ones and the gold."""
    known = [c for c in context.candidates if c.label not in ("flaky", "infra_failure")]
    sampled = [c for c in context.candidates if c.stratum == "sampled"]
    right = [c.segment.text for c in known if c.label == "pass" and c.stratum in ("gold", "sampled")]
    failed = deliberate = None
    if sampled and (sampled[0].label == "pass" or sampled[0].label in FAILS):
        failed = sampled[0].label != "pass"
        deliberate = failed and any(c.label == "pass" for c in sampled[1:])
    return PlannerTurn(context.window, number, tuple(dict.fromkeys(right)), failed, deliberate)


def _in_order(contexts: Sequence[Context]) -> list[tuple[int, Context]]:
    """Contexts with their turn numbers: from the ids (`TASK.TURN`), or, if those say nothing, by what came before."""
    tails = [context.id.rpartition(".")[2] for context in contexts]
    if all(tail.isdigit() for tail in tails):
        return sorted(zip(map(int, tails), contexts, strict=True), key=lambda pair: pair[0])

    def place(context: Context) -> tuple[int, int, int]:
        window = context.window
        return PHASES.index(window.phase), window.index, len(window.exchanges)

    return list(enumerate(sorted(contexts, key=place)))


def _went_wrong(step: Step) -> bool:
    """No call, a refused call, or a check that did not hold. (A command that fails may be the right one to run.)"""
    return step.verdict is None or not step.verdict.allow or (step.action == "plan" and not step.ok)


def _second_pass(windows: Sequence[Window], success: bool) -> bool | None:
    """Whether the step of the first window was tried anew later and then done; None if it was not tried anew."""
    here, again = windows[0], False
    for before, after in itertools.pairwise(windows):
        if (after.phase, after.index) != (here.phase, here.index):
            return True if again else None
        again = again or len(after.exchanges) < len(before.exchanges)
    return success if again else None


def _pieces(episode: PlannerEpisode, limit: int) -> Iterator[PlannerEpisode]:
    for start in range(0, len(episode.turns), limit):
        yield replace(episode, turns=episode.turns[start : start + limit])


def _first(episodes: Iterator[PlannerEpisode], limit: int | None) -> list[PlannerEpisode]:
    out: list[PlannerEpisode] = []
    for episode in episodes:
        if limit is not None and len(out) >= limit:
            break
        out.append(episode)
    return out


def _contexts_file(path: Path) -> Path:
    """The contexts file; one that says what it was made from must be of split train."""
    beside = (path if path.is_dir() else path.parent) / PROVENANCE
    return data_file(path, splits=("train",) if beside.is_file() else None)


def _gold_files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(path.rglob("*.jsonl.gz"))
    if not found:
        fix = "give the episodes folder of a corpus"
        raise InputError("no cached gold episodes here", where=str(path), field="stage.gold", fix=fix)
    return found
