"""The agent loop: propose, score, gate, act, observe; then verify before saying done.

It sees only the protocols, so the same loop runs in-process, served, in RL rollouts and in benchmarks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hybrid_agent.agent import window as win
from hybrid_agent.agent.act import Acted
from hybrid_agent.agent.backtrack import Backtrack, certainty
from hybrid_agent.agent.doubt import Doubts
from hybrid_agent.agent.evidence import Evidence
from hybrid_agent.agent.options import EpisodeResult, LoopOptions
from hybrid_agent.agent.select import Selection, Selector, may_change, parse_call, stored_text
from hybrid_agent.agent.tally import Tally
from hybrid_agent.agent.timing import timed
from hybrid_agent.constrain.spans import step_text
from hybrid_agent.errors import HybridAgentError, InputError, SandboxError
from hybrid_agent.protocols import Decoder, Planner, Scheduler, Scorer, Toolbox
from hybrid_agent.types import Control, Effort, Observation, Segment, Step, StepMs, ToolCall, Verdict, Window

VETO = "energy_veto"


class Recorder(Protocol):
    """Stores each step as it happens."""

    def step(self, step: Step) -> None:
        """Store one finished turn, durably."""
        ...


class Episode:
    """One goal on its way to a verified result (or an honest failure)."""

    def __init__(
        self,
        goal: str,
        *,
        decoder: Decoder,
        toolbox: Toolbox,
        recorder: Recorder,
        scorer: Scorer | None = None,
        planner: Planner | None = None,
        scheduler: Scheduler | None = None,
        options: LoopOptions | None = None,
        on_step: Callable[[Window, Step], None] | None = None,
        on_choice: Callable[[int, Control, Selection], None] | None = None,
        changes: Callable[[ToolCall], bool] = may_change,
    ) -> None:
        self.toolbox, self.recorder, self.planner = toolbox, recorder, planner
        self.options, self.on_step, self.on_choice = options or LoopOptions(), on_step, on_choice
        chosen = self.options
        self.selector = Selector(decoder, scorer, scheduler, chosen.select, budget=chosen.budget, changes=changes)
        self.window = win.opening(goal)
        self.evidence = Evidence()
        self.tally = Tally()
        self.backtrack = Backtrack()
        self.doubts = Doubts(chosen.looks if chosen.attempts > 1 else 0)
        self._attempt = 1
        self._start: str | None = None  # the first snapshots of the episode and of the step
        self._step_start: str | None = None
        self._plans = 1
        self._vetoed = False  # this step has had its veto turn
        self._past: Sequence[str] | None = None  # the files as they were, while stored steps are followed

    def run(self, done: Sequence[Step] = ()) -> EpisodeResult:
        """Run to the end. Raises only for bugs of ours; a broken sandbox ends as an infra failure.

        Args:
            done: the steps that an earlier process has stored; the workspace must be as they left it.

        Raises:
            InputError: `done` are not steps of this episode.
        """
        # Some planners remember the episode so far.
        getattr(self.planner, "reset", lambda: None)()
        try:
            over = self._follow(done)
            if over is not None:
                return over
            while self.tally.turns < self.options.max_steps:
                ended = self._turn()
                if ended is not None:
                    return ended
        except SandboxError as error:
            return self._result("failed", False, f"the sandbox failed: {error}", infra=True)
        return self._result("failed", False, f"gave up after {self.tally.turns} calls")

    def _turn(self) -> EpisodeResult | None:
        self.tally.turns += 1
        ms = {"plan": 0.0, "decode": 0.0, "score": 0.0, "gate": 0.0, "tool": 0.0}
        with timed(ms, "plan"):
            control = self.planner.step(self.window) if self.planner else Control()
        wrong = self.backtrack.wrong(self.window)
        chosen = self.selector.choose(self.window, control, wrong=wrong, turn=self.tally.turns)
        ms.update(chosen.ms)
        if self.on_choice:
            self.on_choice(self.tally.turns, control, chosen)
        call = parse_call(chosen.best.text)
        verdict: Verdict | None = None
        snapshot: str | None = None
        if call is None:
            obs = Observation(ok=False, stderr="not a tool call: reply with one JSON object with tool and args")
        else:
            verdict, obs, snapshot = self._gated(call, chosen, ms)
        self.tally.add(chosen.effort, verdict, obs)
        before = self.window
        step = Step(
            action="plan" if call is not None and call.tool == "plan" else "tool",
            content=win.call_text(call) if call else chosen.best.text,
            window=before,
            control=control,
            schedule=chosen.schedule,
            effort=chosen.effort,
            candidates=chosen.candidates,
            verdict=verdict,
            obs=obs,
            ok=obs.ok,
            snapshot=snapshot,
            ms=StepMs(**ms),
        )
        self._note(step, chosen.best)
        kept = self._kept(call, obs)
        step = step.model_copy(update={"kept": kept}) if kept else step
        self.recorder.step(step)
        if self.on_step:
            self.on_step(before, step)
        return self._advance(call or _invalid(chosen.best.text), obs, kept)

    def _follow(self, done: Sequence[Step]) -> EpisodeResult | None:
        """Come to where stored steps lead, without acting; a rollback after the last one is done (again)."""
        for number, step in enumerate(done, 1):
            if step.window != self.window or step.obs is None:
                raise InputError("the stored steps do not follow from each other", field=f"steps[{number - 1}]")
            if self.planner:
                self.planner.step(self.window)
            self.tally.turns += 1
            self.tally.add(step.effort or Effort(), step.verdict, step.obs)
            self._saved(step.snapshot)
            self._vetoed |= step.verdict is not None and step.verdict.rule == VETO and not step.verdict.allow
            call = parse_call(step.content) if step.verdict is not None else None
            self._note(step, _chosen(step))
            later = done[number].window if number < len(done) else None
            self._past = later.files if later else None
            over = self._advance(call or _invalid(step.content), step.obs, step.kept)
            if over is not None and number < len(done):
                raise InputError("the stored steps go on after their end", field=f"steps[{number - 1}]")
            if over is not None:
                return over
        return None

    def _note(self, step: Step, best: Segment) -> None:
        assert step.window is not None
        acted = not step.ok or (step.verdict is not None and step.verdict.state_changing)
        self.backtrack.note(step.window, step.content, acted=acted, certainty=certainty(best))
        if acted or step.action == "plan":
            self.doubts.sure(step.window, certainty(best))

    def _files(self) -> Sequence[str]:
        return self.toolbox.files() if self._past is None else self._past

    def _gated(
        self, call: ToolCall, chosen: Selection, ms: dict[str, float]
    ) -> tuple[Verdict, Observation, str | None]:
        """The gate's verdict, what came of the call, and the snapshot before it; where energy has stopped every
        candidate, one refusal a step comes before the gate."""
        if chosen.refused and not self._vetoed:
            self._vetoed = True
            reason = f"this call looks wrong (estimated chance to be right: {chosen.best.p or 0:.3f}); try another way"
            verdict = Verdict(allow=False, rule=VETO, reason=reason, state_changing=True)
            return verdict, _denied(verdict), None
        begun = time.perf_counter()
        acted = self._acted(call)
        ms["gate"] += acted.gate_ms
        ms["tool"] += (time.perf_counter() - begun) * 1e3 - acted.gate_ms
        verdict, snapshot = acted.verdict, acted.snapshot
        self._saved(snapshot)
        if chosen.replaced and verdict.allow and verdict.rule == "default":
            verdict = verdict.model_copy(update={"rule": VETO, "reason": "a likelier call was vetoed"})
        return verdict, acted.obs or _denied(verdict), snapshot

    def _saved(self, snapshot: str | None) -> None:
        self._start = self._start or snapshot
        self._step_start = self._step_start or snapshot

    def _acted(self, call: ToolCall) -> Acted:
        act: Callable[[ToolCall], Acted] | None = getattr(self.toolbox, "act", None)
        if act is not None:
            return act(call)
        begun = time.perf_counter()
        verdict = self.toolbox.check(call)
        snapshot = self.toolbox.snapshot() if verdict.allow and verdict.state_changing else None
        gate_ms = (time.perf_counter() - begun) * 1e3
        return Acted(verdict, self.toolbox.execute(call) if verdict.allow else None, snapshot, gate_ms)

    def _kept(self, call: ToolCall | None, obs: Observation) -> str | None:
        """The snapshot of a step that has passed its check, if another way is to be tried all the same."""
        done = call is not None and _says_done(call, obs, self.window)
        if not done or not self.doubts.worth_a_look(self.window, self.tally.turns, self.options.max_steps):
            return None
        try:
            return self.toolbox.snapshot()
        except SandboxError:
            raise
        except HybridAgentError:  # what cannot be saved stands as it is
            return None

    def _advance(self, call: ToolCall, obs: Observation, kept: str | None) -> EpisodeResult | None:
        """Move the window on; an EpisodeResult ends the episode."""
        window, op = self.window, call.args.get("op")
        self.evidence.note_changes(obs.changed)
        if obs.infra:
            return self._result("failed", False, obs.stderr, infra=True)
        if call.tool == "finish" and obs.ok:
            if self.doubts.kept is None:
                return self._finish(str(call.args["status"]), str(call.args.get("summary", "")))
            self._look_again()  # there is better to show
            return None
        if self.doubts.kept is not None and win.call_text(call) in self.backtrack.wrong(window):
            self._take_back()  # there is no other way
            return None
        if call.tool == "plan" and obs.ok and op == "set":
            self.evidence = Evidence()
            self.doubts.planned()
            self.window = win.planned(window, call.args["steps"], self._files())
        elif _says_done(call, obs, window):
            check, doubt = call.args["check"], self.doubts.of(window)
            if kept is not None:
                self.doubts.keep(window, doubt, check, self.evidence, kept)
                self._look_again()
            elif self.doubts.better(window, doubt):
                self._step_done(check, doubt)
            else:
                self._look_again()
        else:
            self.doubts.note(call, obs)
            repeated = any(e.call == win.call_text(call) for e in window.exchanges) and not obs.ok
            self.window = win.tried(window, call, obs, self.options.obs_chars)
            failed_check = call.tool == "plan" and op == "done" and not obs.ok
            if repeated or failed_check or len(self.window.exchanges) >= self.options.max_step_calls:
                return self._retry(repeated or not failed_check, obs)
        return None

    def _step_done(self, check: dict[str, Any], doubt: float) -> None:
        changed = self.evidence.close_step(check)
        self.doubts.step_done(self.window, doubt)
        self.window = win.finished_step(self.window, changed, self._files())
        self._attempt, self._step_start, self._vetoed = 1, None, False
        self.backtrack.step_done()

    def _look_again(self) -> None:
        """There is a way that is kept: try another one, or take it back."""
        two, most = self.doubts.may_be_two(self.window), self.options.max_steps
        if not self.doubts.look_again(self.window, self.tally.turns, most):
            self._take_back()
        elif two and self._plans <= self.options.looks:
            self.backtrack.replan(step_text(self.window))
            self._begin_again()
        else:
            self.backtrack.failed(may_plan=False)
            self._restart()
            self._tell_rest()

    def _take_back(self) -> None:
        """Nothing better was found: go on from what was kept."""
        kept = self.doubts.take_back()
        if self._past is None:
            self.toolbox.rollback(kept.snapshot)
        self.window, self.evidence = kept.window, kept.evidence
        self._step_done(kept.check, kept.doubts[-1])
        self._tell_rest()

    def _tell_rest(self) -> None:
        """The toolbox, which goes by calls that said so, may take a step for done that is not, or the other way."""
        rest = list(self.window.steps[self.window.index :])
        if rest and self._past is None:
            self.toolbox.execute(ToolCall(tool="plan", args={"op": "set", "steps": rest}))

    def _restart(self) -> None:
        """Undo the step and begin it again."""
        self._undo(self._step_start)
        self.evidence.drop_changes()
        self.doubts.restarted()
        self.window = win.restarted(self.window)

    def _retry(self, stuck: bool, obs: Observation) -> EpisodeResult | None:
        """Roll back and do the step, or plan, another way; stop when that was the last attempt."""
        if self.doubts.kept is not None:
            self._look_again()
            return None
        may_plan = self._plans < self.options.attempts
        if self._attempt >= self.options.attempts:
            if not stuck:
                return None  # a failed check: the decoder may still repair its work
            if not may_plan:
                return self._result("failed", False, f"stuck on step {self.window.index + 1}: {obs.stderr[-200:]}")
            self.backtrack.replan()
            self._begin_again()
        elif self.backtrack.failed(may_plan=may_plan):
            self._begin_again()
        else:
            self._attempt += 1
            self._restart()
        return None

    def _begin_again(self) -> None:
        """Everything is undone, and planned anew."""
        self._undo(self._start)
        self._attempt, self._plans, self._vetoed = 1, self._plans + 1, False
        self.window = win.opening(self.window.goal, self.backtrack.wrong_steps)

    def _undo(self, snapshot: str | None) -> None:
        if snapshot is not None and self._past is None:
            self.toolbox.rollback(snapshot)
        self._step_start = None

    def _finish(self, status: str, summary: str) -> EpisodeResult:
        """The decoder's word is not enough: every step must be done and its check must still hold."""
        if status != "done":
            return self._result(status, False, summary)
        if self.window.phase != "finish":
            left = len(self.window.steps) - self.window.index
            return self._result("unsure", False, f"said done with {left} step(s) unverified")
        problems = self.evidence.recheck(self.toolbox)
        if problems:
            return self._result("unsure", False, "no longer holds: " + "; ".join(problems))
        return self._result("done", True, summary)

    def _result(self, status: str, verified: bool, summary: str, infra: bool = False) -> EpisodeResult:
        return EpisodeResult(status, verified, summary, infra=infra, **vars(self.tally))


def _chosen(step: Step) -> Segment:
    """The candidate that a stored step took."""
    taken = (c for c in step.candidates if stored_text(c.text) == step.content)
    return next(taken, Segment(text=step.content))


def _says_done(call: ToolCall, obs: Observation, window: Window) -> bool:
    """Whether the step's check was named, and holds."""
    return call.tool == "plan" and call.args.get("op") == "done" and obs.ok and window.phase == "step"


def _denied(verdict: Verdict) -> Observation:
    return Observation(ok=False, stderr=verdict.reason, denied=verdict.rule)


def _invalid(text: str) -> ToolCall:
    """Stands for a text that was no call."""
    return ToolCall(tool="invalid", args={"text": text[:200]})
