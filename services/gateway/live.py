"""One run while it is worked on: the loop's hooks become events, and what people do over HTTP reaches the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from hybrid_agent.agent.options import EpisodeResult
from hybrid_agent.agent.select import Selection, stored_text
from hybrid_agent.assemble.recorder import outcome
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.errors import InfraError, InputError, SandboxError, Suspended
from hybrid_agent.tools.ask import NOBODY
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.sandbox.stop import stoppable
from hybrid_agent.types import Control, Step, ToolCall, Verdict
from services.gateway.checks import step_checks
from services.gateway.events import (
    ApprovalData,
    ApprovalState,
    CandidateData,
    CandidatesData,
    ChecksData,
    RunData,
    RunResult,
    RunState,
)
from services.gateway.history import Progress, finished, progress
from services.gateway.journal import Journal
from services.gateway.metrics import Metrics
from services.gateway.parts import Parts, Worker
from services.gateway.places import Place
from services.gateway.requests import RunRequest
from services.gateway.telemetry import RunSpans, Tracing

LIVES = 3  # how often a run is picked up without getting anywhere


class Cancelled(KeyboardInterrupt):
    """A person stopped the run."""


class LiveRun:
    """A run that is queued or worked on. `work` is called in a thread of its own, all else from any thread."""

    def __init__(
        self,
        folder: RunDir,
        request: RunRequest,
        journal: Journal,
        *,
        approval_s: float,
        metrics: Metrics,
        tracing: Tracing,
        parent: object = None,
    ) -> None:
        self.dir, self.request, self.journal = folder, request, journal
        self.state: RunState = "queued"
        self.result: RunResult | None = None
        self.reason: str | None = None
        self.suspended = False  # the gateway ends, the run does not
        self._approval_s, self._metrics, self._tracing, self._parent = approval_s, metrics, tracing, parent
        self._lock = threading.Condition()
        self._asked: str | None = None
        self._answer: bool | None = None
        self._count = 0
        self._halt: type[BaseException] | None = None
        self._stop: Callable[[], None] | None = None
        self._steps: list[Step] = []
        self._waited = 0.0  # seconds in this turn that a person took

    # --- from outside
    @property
    def open_approvals(self) -> tuple[str, ...]:
        """Questions that wait for an answer."""
        with self._lock:
            return (self._asked,) if self._asked is not None and self._answer is None else ()

    def answer(self, approval: str, allow: bool) -> bool:
        """A person's answer; False if there is no such open question."""
        with self._lock:
            if approval != self._asked or self._answer is not None:
                return False
            self._answer = allow
            self._lock.notify_all()
            return True

    def cancel(self) -> None:
        """Stop it: a running call is killed, a question is answered by no."""
        self._interrupt(Cancelled)

    def suspend(self) -> None:
        """Leave it where it is, for the next gateway: at the end of its turn, or at once where it waits."""
        self._interrupt(Suspended)

    def _interrupt(self, kind: type[BaseException]) -> None:
        with self._lock:
            self._halt = self._halt or kind
            stop = self._stop if kind is Cancelled else None
            self._lock.notify_all()
        if stop is not None:
            stop()

    # --- the run itself
    def say(self, state: RunState, *, result: RunResult | None = None, reason: str | None = None) -> None:
        """Tell of a change of state."""
        self.state, self.result, self.reason = state, result, reason
        self.journal.append("run", RunData(state=state, goal=self.request.goal, result=result, reason=reason))

    def work(self, parts: Parts, worker: Worker) -> None:
        """From wherever the run is to its end. Raises only where that cannot be stored."""
        try:
            with self.dir.lock(), stoppable() as stop:
                with self._lock:
                    self._stop = stop.set
                try:
                    self._work(parts, worker)
                finally:
                    with self._lock:
                        self._stop = None
        except Suspended:
            self.suspended = True
        except Cancelled:
            self.say("cancelled", reason="a person stopped it")
        except (InfraError, SandboxError) as error:
            self.say("failed", reason=f"the machinery failed: {error}")
        except InputError as error:
            self.say("failed", reason=str(error))
        except BaseException as error:  # a mistake of ours must end the run, not the worker
            self._metrics.mistakes.inc()
            self.say("failed", reason=f"a mistake in the server: {type(error).__name__}: {error}")

    def _work(self, parts: Parts, worker: Worker) -> None:
        self._checkpoint()
        before = progress(self.journal.path)
        self._count = before.approvals
        for approval in before.open:
            self.journal.append("approval", approval.model_copy(update={"state": "expired", "expires": None}))
        trace = finished(self.dir)
        if trace is not None:
            self._tell_missing(trace.steps, before)
            return self.say("done" if trace.result == "success" else "failed", reason=trace.summary)
        if before.fruitless >= LIVES:
            return self.say("lost", reason=f"the gateway died {before.fruitless} times at the same step")
        if self.dir.trace.exists() and parts.about(self.request.hybrid).model != self.dir.info().model:
            return self.say("lost", reason="it cannot be picked up: the agent is another one now")
        span = self._tracing.run(self.dir.run_id, self.request.goal, self._parent)
        with span, parts.episode(worker, self.dir, self.request, self) as episode:
            try:
                done = episode.pick_up()
            except InputError as error:
                return self.say("lost", reason=f"it cannot be picked up: {error.what}")
            if done is None:
                self.say("running")
                episode.fill(self.request.files)  # again, if the last gateway was killed here
            else:
                self.say("running", reason=f"picked up after step {len(done)}; a call that was under way was undone")
                self._tell_missing(done, before)
            self._steps = list(done or ())
            span.turn()
            place = parts.place(self.dir)
            result = episode.run(self._chosen, lambda window, step: self._stepped(step, place, span), done)
            self._metrics.speculated(episode.speculation)
        return self._end(result, episode.settle(result))

    def _tell_missing(self, steps: Sequence[Step], before: Progress) -> None:
        for step in steps[before.steps :]:
            self.journal.append("step", step)

    def _end(self, result: EpisodeResult, memory: Sequence[str]) -> None:
        self.journal.append("checks", ChecksData(results=step_checks(self._steps)))
        told = RunResult(
            status=result.status,
            verified=result.verified,
            summary=result.summary,
            infra=result.infra,
            turns=result.turns,
            outcome=outcome(result),
            memory=tuple(memory),
        )
        prefix = "the machinery failed: " if result.infra else ""
        self.say("done" if result.verified else "failed", result=told, reason=prefix + result.summary)

    # --- hooks of the loop
    def _checkpoint(self) -> None:
        with self._lock:
            halt = self._halt
        if halt is not None:
            raise halt()

    def _chosen(self, turn: int, control: Control, chosen: Selection) -> None:
        self._checkpoint()
        at = next(i for i, c in enumerate(chosen.candidates) if c.text == chosen.best.text)
        rows = tuple(
            CandidateData(**c.model_dump(include={"text", "logprob", "energy", "p", "expert"}), vetoed=vetoed)
            for c in chosen.candidates
            for vetoed in (c.text in chosen.vetoed,)
        )
        data = CandidatesData(turn=turn, schedule=chosen.schedule, control=control, candidates=rows, chosen=at)
        self.journal.append("candidates", data)

    def _stepped(self, step: Step, place: Place, span: RunSpans) -> None:
        self._steps.append(step)
        self.journal.append("step", step)
        self._metrics.step(step, stored_text, self._waited)
        self._waited = 0.0
        span.step(step)
        if step.obs is not None and step.obs.changed:
            self._tell_diff(place)
        self._checkpoint()
        span.turn()

    def _tell_diff(self, place: Place) -> None:
        """Tell how the workspace differs from the start of the run."""
        self.journal.append("diff", place.diff())

    # --- assemble.agent.Prompts
    def approve(self, call: ToolCall, verdict: Verdict) -> bool:
        """Ask over HTTP and wait; no answer in time means no."""
        asked = time.time()
        expires = asked + self._approval_s
        with self._lock:
            self._count += 1
            self._asked, self._answer = f"a{self._count}", None
            name = self._asked

        def tell(state: ApprovalState) -> None:
            until = expires if state == "asked" else None
            data = ApprovalData(approval=name, call=call, reason=verdict.reason, state=state, expires=until)
            self.journal.append("approval", data)

        self.say("waiting")
        tell("asked")
        with self._lock:
            self._lock.wait_for(lambda: self._answer is not None or self._halt, max(0.0, expires - time.time()))
            answer, self._asked = self._answer, None
            self._waited += time.time() - asked
        if answer is None:
            if self._halt is Suspended:
                raise Suspended
            tell("expired")
        else:
            tell("allowed" if answer else "denied")
        self._metrics.approvals.labels("expired" if answer is None else "allowed" if answer else "denied").inc()
        self._checkpoint()
        self.say("running")
        return answer is True

    def ask(self, question: str) -> str | None:
        """Questions of the agent itself are not passed on: nobody is there to answer them."""
        raise ToolFailure(NOBODY)
