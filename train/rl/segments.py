"""Groups of single calls: at a turn of the gold solution, what the policy would do there, done in the sandbox."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.decoder.engine import Draft
from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.protocols import Sandbox, Scorer
from hybrid_agent.tools import registry
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.types import Task, Window
from train.rl.audit import stray_of_call
from train.rl.policy import Policy
from train.rl.records import Group, Piece, Rollout
from train.rollouts.bench import Bench, GoldTurn, on_bench
from train.rollouts.label import Labeller
from train.rollouts.scrub import scrub


def segment_groups(
    task: Task, sandbox: Sandbox, policy: Policy, scorer: Scorer | None, stage: RlConfig, level: int, seed: int
) -> Iterator[Group]:
    """A group for each turn of the gold solution that is drawn.

    Turns at which all tries are the gold call are told without running anything: most are, and they teach nothing.

    Raises:
        train.gold.GoldError: the gold solution is wrong.
    """
    rng = random.Random(f"{seed}:{task.id}:{task.template}")
    with on_bench(task, sandbox) as bench:
        labeller = Labeller(bench, timeout_s=stage.call_timeout_s, runs=stage.executions)
        for turn in bench.turns:
            draws = rng.randrange(1 << 30)
            if rng.random() < getattr(stage.turns, turn.kind):
                drafts = policy.draw(turn.window, stage.group, draws)
                greedy = policy.greedy(turn.window)
                tried = _Tried(bench, labeller, turn, stage)
                yield Group(
                    id=f"{task.id}.{turn.number}",
                    task_id=task.id,
                    pack=task.pack,
                    level=level,
                    intents=task.intents,
                    unit="segment",
                    kind=turn.kind,
                    windows=(turn.window,),
                    rollouts=_rollouts(tried, drafts, policy, scorer),
                    greedy=tried.passes(policy.text(greedy.tokens)) if greedy.complete else False,
                )


class _Tried:
    """Labels tries of one turn, the held-out check included."""

    def __init__(self, bench: Bench, labeller: Labeller, turn: GoldTurn, stage: RlConfig) -> None:
        self.bench, self.labeller, self.turn, self.stage = bench, labeller, turn, stage
        self._known: dict[str, Rollout] = {}

    def passes(self, text: str) -> bool | None:
        """Whether a text passes; None if it cannot be told."""
        rollout = self.rollout(text)
        return None if rollout.masked else rollout.passed

    def rollout(self, text: str) -> Rollout:
        """Label, own and held-out check of a text; no pieces yet."""
        if text not in self._known:
            self._known[text] = self._labelled(text)
        return self._known[text]

    def _labelled(self, text: str) -> Rollout:
        if text == self.turn.text:
            return Rollout(pieces=(), label="pass", own=True, held_out=True, detail="the gold call")
        found = self.labeller.label(self.turn, text)
        own = found.label == "pass"
        held_out: bool | None = None
        detail = found.detail
        if own:
            try:
                beyond = self._beyond(text)
            except (SandboxError, ToolFailure, InputError) as error:
                return Rollout(pieces=(), label="infra_failure", detail=type(error).__name__)
            held_out = not beyond
            detail = f"{detail}; touches {sorted(beyond)[0]}" if beyond else detail
        return Rollout(pieces=(), label=found.label, own=own, held_out=held_out, detail=scrub(detail)[:200])

    def _beyond(self, text: str) -> set[str]:
        call = registry.parse_call(text)
        if call.tool in ("plan", "finish", "ask"):
            return set()
        return stray_of_call(self.bench, self.turn, call, self.stage.call_timeout_s)


def _rollouts(tried: _Tried, drafts: Sequence[Draft], policy: Policy, scorer: Scorer | None) -> tuple[Rollout, ...]:
    """Equal texts once, with their number. Written in another way (other tokens) they are tries of their own."""
    counts = Counter(tuple(draft.tokens) for draft in drafts)
    distinct = {tuple(draft.tokens): draft for draft in drafts}
    texts = {tokens: policy.text(tokens) for tokens in distinct}
    tried.labeller.prepare(tried.turn, [texts[t] for t, draft in distinct.items() if draft.complete])
    energies = _energies(tried, list(distinct.values()), policy, scorer) if len(distinct) > 1 else [None]
    rollouts = []
    for (tokens, draft), energy in zip(distinct.items(), energies, strict=True):
        # A text that was cut short is masked: there is nothing to run.
        made = tried.rollout(texts[tokens]) if draft.complete else Rollout(pieces=(), label="plausible_fail")
        piece = Piece(window=0, tokens=tokens, logprob=draft.logprob, complete=draft.complete)
        cost = float(len(draft.tokens) - draft.forced)
        update = {"pieces": (piece,), "count": counts[tokens], "cost": cost, "energy": energy}
        rollouts.append(made.model_copy(update=update))
    return tuple(rollouts)


def _energies(tried: _Tried, drafts: Sequence[Draft], policy: Policy, scorer: Scorer | None) -> Sequence[float | None]:
    if scorer is None:
        return [None] * len(drafts)
    window: Window = tried.turn.window
    tried.bench.restore(tried.turn.before)
    if hasattr(scorer, "judge"):
        scorer.judge = tried.bench.toolbox.preview
    return [score.energy for score in scorer.score(window, [policy.segment(draft) for draft in drafts])]
