"""One turn's choice: candidates from the decoder, energies from the scorer, and how many the scheduler allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from hybrid_agent.agent.draw import Draw
from hybrid_agent.agent.window import call_text
from hybrid_agent.protocols import Decoder, Scheduler, Scorer
from hybrid_agent.types import Budget, Control, Effort, Schedule, Segment, ToolCall, Window

Rank = Literal["energy", "logprob", "mean_logprob"]
HARMLESS = ("plan", "finish", "ask")


@dataclass(frozen=True)
class SelectOptions:
    """How candidates are ranked, and when to stop.

    Attributes:
        rank: by energy - `lm_weight` * log-probability (without a scorer: by log-probability), by log-probability,
            or by log-probability per choice.
        lm_weight: share of the decoder's own opinion when ranking by energy.
        margin: the lead in energy at which the rest is cancelled; None never cancels.
        min_scored: how many must be scored before that.
        batch: how many finished candidates are scored at once while others are still being written.
        veto: a call that may change something and whose calibrated probability is below is vetoed: one limit, or
            one for each call's text; None: no veto.
        temperature_high: of the second round, after all candidates were vetoed or known to be wrong, when there is no
            scheduler.
    """

    rank: Rank = "energy"
    lm_weight: float = 0.0
    margin: float | None = None
    min_scored: int = 2
    batch: int = 2
    veto: float | Callable[[str], float] | None = None
    temperature_high: float = 1.0


@dataclass(frozen=True)
class Selection:
    """What was chosen, from what, and at what cost.

    `replaced` says that the call which would have been taken was vetoed; `refused` that every candidate was, in two
    rounds (`best` is then the best of the vetoed). `vetoed` are the texts that the energy model stopped. `ms` has the
    milliseconds of `decode` and `score`.
    """

    best: Segment
    candidates: tuple[Segment, ...]
    schedule: Schedule
    effort: Effort
    ms: dict[str, float]
    replaced: bool = False
    refused: bool = False
    vetoed: frozenset[str] = frozenset()


def parse_call(text: str) -> ToolCall | None:
    """The call that the text is, or None."""
    try:
        return ToolCall.model_validate_json(text)
    except ValidationError:
        return None


def stored_text(text: str) -> str:
    """A candidate's text in the form in which a step stores the call that was taken."""
    call = parse_call(text)
    return call_text(call) if call is not None else text


def may_change(call: ToolCall) -> bool:
    """Could this call change the workspace? Without the rules at hand all but plans, questions and endings could."""
    return call.tool not in HARMLESS


class Selector:
    """Chooses the next call.

    Args:
        decoder: writes candidates.
        scorer: gives them energies; without one the decoder's log-probability decides.
        scheduler: decides after the greedy candidate whether to go on; without one every turn draws `budget.k`.
        options: ranking, early exit and veto.
        budget: seed, token limit, and without a scheduler the number of candidates and their temperature.
        changes: could this call change anything? (assemble gives the rules' own answer)
    """

    def __init__(
        self,
        decoder: Decoder,
        scorer: Scorer | None = None,
        scheduler: Scheduler | None = None,
        options: SelectOptions | None = None,
        *,
        budget: Budget | None = None,
        changes: Callable[[ToolCall], bool] = may_change,
    ) -> None:
        self.decoder, self.scorer, self.scheduler = decoder, scorer, scheduler
        self.options, self.budget, self.changes = options or SelectOptions(), budget or Budget(), changes

    def choose(
        self, window: Window, control: Control, *, wrong: frozenset[str] = frozenset(), turn: int = 0
    ) -> Selection:
        """Draw, score and pick. Calls of the same turn draw the same candidates.

        Args:
            window: what the decoder sees.
            control: what the planner says.
            wrong: calls, as stored, that have failed here: taken only if nothing else is found in a second round.
            turn: gives the seed.
        """
        draw = Draw(self.decoder, self.scorer, self.options, window)
        begun = time.perf_counter()
        if self.scheduler is None:
            schedule = self._fixed()
            draw.add(self._budget(schedule, schedule.k, turn), _told(control, schedule))
        else:
            schedule = self._adaptive(draw, self.scheduler, control, turn)
        ranked = self.options.rank == "energy" and len(draw.candidates) > 1
        if ranked or self.options.veto is not None:
            draw.score()
        wanted = min(draw.candidates, key=self.cost)
        stopped = self._vetoed(draw)
        if len(stopped) == len(draw.candidates) or (wrong and stored_text(wanted.text) in wrong):
            schedule = self._second_round(schedule)
            draw.add(self._budget(schedule, schedule.k - 1, turn + 500), _told(control, schedule))
            draw.score()
            stopped = self._vetoed(draw)
        free = [c for c in draw.candidates if c.text not in stopped]
        new = [c for c in free if stored_text(c.text) not in wrong] if wrong else free
        best = min(new or free or draw.candidates, key=self.cost)
        total = (time.perf_counter() - begun) * 1e3
        return Selection(
            best=best,
            candidates=tuple(draw.candidates),
            schedule=schedule,
            effort=draw.effort.model_copy(update={"vetoed": len(stopped)}),
            ms={"decode": total - draw.score_ms, "score": draw.score_ms},
            replaced=bool(free) and wanted.text in stopped,
            refused=not free,
            vetoed=frozenset(stopped),
        )

    def cost(self, segment: Segment) -> tuple[bool, float, float]:
        """Least is best: whole calls first, then the ranking, then log-probability."""
        options = self.options
        if options.rank == "energy" and segment.energy is not None:
            value = segment.energy - options.lm_weight * segment.logprob
        elif options.rank == "mean_logprob":
            value = -segment.logprob / max(1, segment.tokens - segment.forced)
        else:
            value = -segment.logprob
        return not segment.complete, value, -segment.logprob

    def _adaptive(self, draw: Draw, scheduler: Scheduler, control: Control, turn: int) -> Schedule:
        first = scheduler.first(control)
        draw.add(self._budget(first, 1, turn), _told(control, first))
        schedule = scheduler.more(control, draw.candidates[0])
        # The score is asked for only where it may still decide.
        if schedule.k == 1 and self.scorer is not None and self.options.rank == "energy":
            draw.score()
            schedule = scheduler.more(control, draw.candidates[0])
        if schedule.k > 1:
            draw.add(self._budget(schedule, schedule.k - 1, turn), _told(control, schedule))
        return schedule

    def _fixed(self) -> Schedule:
        kept = self.budget.model_dump(include={"k", "speculate", "shaping", "expert_depth", "temperature"})
        return Schedule(**kept)

    def _second_round(self, schedule: Schedule) -> Schedule:
        if self.scheduler is not None:
            return self.scheduler.again(schedule)
        change = {"k": 2 * max(schedule.k, 2), "temperature": self.options.temperature_high, "why": "again"}
        return schedule.model_copy(update={**change, "deliberate": True, "speculate": False})

    def _budget(self, schedule: Schedule, k: int, turn: int) -> Budget:
        seed = self.budget.seed + (1000 + turn if schedule.temperature else 0)
        kept = schedule.model_dump(include={"speculate", "shaping", "expert_depth", "temperature"})
        return self.budget.model_copy(update={**kept, "k": max(1, k), "seed": seed})

    def _vetoed(self, draw: Draw) -> set[str]:
        veto = self.options.veto
        if veto is None:
            return set()
        limit = veto if callable(veto) else lambda text: veto
        low = [c.text for c in draw.candidates if c.p is not None and c.p < limit(c.text)]
        return {text for text in low if (call := parse_call(text)) is not None and self.changes(call)}


def _told(control: Control, schedule: Schedule) -> Control:
    """The control as the decoder gets it: the scheduler may ask for deliberation too."""
    return control.model_copy(update={"deliberate": True}) if schedule.deliberate else control
