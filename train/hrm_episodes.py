"""What the planner learns from: episodes of windows with the answers that are known for each turn.

Three sources, any subset: contexts (labelled candidates; the greedy one tells whether the turn fails), the agent's
own traces, and cached gold episodes. An unknown answer is None and takes no part in any loss.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.errors import InputError
from hybrid_agent.planner.state import begins
from hybrid_agent.traces.contexts import Context, read_contexts
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Trace, Window

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


@dataclass
class Sources:
    """The files that a config names, each kind sorted."""

    contexts: list[Path] = field(default_factory=list)
    traces: list[Path] = field(default_factory=list)
    gold: list[Path] = field(default_factory=list)

    @classmethod
    def find(cls, stage: HrmConfig) -> Sources:
        """Look the files up.

        Raises:
            InputError: nothing is given, or a given path holds nothing.
        """
        if not (stage.contexts or stage.episodes or stage.gold):
            fix = "make contexts: hybrid-agent traces build, then stage.contexts=FILE"
            raise InputError("give at least one of contexts, episodes, gold", field="stage.contexts", fix=fix)
        contexts = _files(stage.contexts, "stage.contexts", ("*.jsonl", "*.jsonl.gz"))
        traces = _files(stage.episodes, "stage.episodes", ("trace*.jsonl",))
        return cls(contexts, traces, _files(stage.gold, "stage.gold", ("*.jsonl.gz",)))

    def all(self) -> list[Path]:
        """Every file."""
        return [*self.contexts, *self.traces, *self.gold]


def load_episodes(stage: HrmConfig) -> list[PlannerEpisode]:
    """All episodes of a config, none longer than `max_turns`; episodes of one goal share a group.

    Raises:
        InputError: a file is missing or does not fit, or there is no episode.
    """
    sources = Sources.find(stage)
    episodes = list(from_contexts(c for path in sources.contexts for c in read_contexts(path)))
    groups = {e.turns[0].window.goal: e.group for e in episodes}
    rest = [episode for path in sources.traces for episode in from_trace(read_trace(path))]
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
        for number, context in sorted(((_turn_number(c), c) for c in found), key=lambda pair: pair[0]):
            if chain and begins(chain[-1].window, context.window):
                yield PlannerEpisode(group, tuple(chain), True, "contexts")
                chain = []
            chain.append(_judged(context, number))
        yield PlannerEpisode(group, tuple(chain), True, "contexts")


def from_trace(trace: Trace) -> Iterator[PlannerEpisode]:
    """The agent's own episode. Killed episodes and those that the machinery spoiled teach nothing."""
    steps = [step for step in trace.steps if step.window is not None]
    if trace.result in (None, "infra_failure") or not steps:
        return
    success = trace.result == "success"
    turns = []
    for at, step in enumerate(steps):
        assert step.window is not None
        failed = not step.ok or (not success and at == len(steps) - 1)
        calls = (step.content,) if success and step.ok else ()
        again = _second_pass([s.window for s in steps[at:] if s.window], success) if failed else False
        turns.append(PlannerTurn(step.window, at, calls, failed, again))
    yield PlannerEpisode(trace.task_id or trace.goal, tuple(turns), success, "traces")


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


def _turn_number(context: Context) -> int:
    """From the id (`TASK.TURN`), else from the window itself: plan first, then by step, then by calls made."""
    _, dot, tail = context.id.rpartition(".")
    if dot and tail.isdigit():
        return int(tail)
    window = context.window
    return {"plan": 0, "step": 1, "finish": 2}[window.phase] * 10000 + window.index * 100 + len(window.exchanges)


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


def _files(given: str | None, name: str, patterns: Sequence[str]) -> list[Path]:
    if not given:
        return []
    path = Path(given)
    found = [path] if path.is_file() else sorted({f for pattern in patterns for f in path.rglob(pattern)})
    if not found:
        raise InputError(
            "no such file, and no folder of such files", where=given, field=name, fix="give another path, or null"
        )
    return found
