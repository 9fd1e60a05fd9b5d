"""What became of a candidate: the gate's verdict, then what it does in the sandbox, twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools import registry
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.traces.contexts import Label
from hybrid_agent.types import CallPolicy, Observation, ToolCall, Verdict
from train.rollouts.bench import CHECK, Bench, GoldTurn, destroyed

SLOWER = 4.0  # a candidate may take this many times as long as the gold call, if that is longer than the limit
RANDOM = re.compile(r"RANDOM|shuf|random|%N|/dev/u?random|time_ns|mktemp|\$\$")
_STOPPED = "[stopped"  # as tools.tool says it; another run would only wait again
MORE_RUNS = 12  # at most, of calls that name a source of chance: two may agree by luck


@dataclass(frozen=True)
class Outcome:
    """The label of a candidate, the gate's verdict, and what was seen (no times, no paths of this machine)."""

    label: Label
    verdict: Verdict | None = None
    detail: str = ""


class Labeller:
    """Labels candidates of one task.

    Args:
        bench: the task.
        timeout_s: wall seconds that a candidate may take.
        runs: executions of each candidate (at least 2); outcomes that differ make it flaky.
    """

    def __init__(self, bench: Bench, *, timeout_s: float = 5.0, runs: int = 2) -> None:
        self.bench, self.timeout_s, self.runs = bench, timeout_s, runs
        self._known: dict[tuple[int, str], Outcome] = {}
        self._continued: dict[tuple[int, str], str | None] = {}
        self._destructible = bench.changed_by_gold() if bench.task.destructive else set()

    def label(self, turn: GoldTurn, text: str, *, timeout_s: float | None = None) -> Outcome:
        """Label a candidate of a turn; equal texts share their outcome.

        Args:
            turn: whose window the candidate answers.
            text: the call as JSON.
            timeout_s: wall seconds, if not those of all candidates.
        """
        name = (turn.number, text)
        if name not in self._known:
            try:
                self._known[name] = self._label(turn, text, timeout_s or self._limit(turn))
            except (SandboxError, ToolFailure) as error:
                self._known[name] = Outcome("infra_failure", None, type(error).__name__)
        return self._known[name]

    def prepare(self, turn: GoldTurn, texts: Iterable[str]) -> None:
        """Evaluate the checks of many `plan done` candidates of a turn at once: starting the checker costs most."""
        if turn.kind != "done":
            return
        checks = []
        for text in texts:
            try:
                call = registry.parse_call(text)
            except InputError:
                continue
            if call.tool == "plan" and call.args["op"] == "done":
                verdict = self.bench.toolbox.check(call)
                if verdict.allow and not verdict.state_changing and not verdict.destructive:
                    checks.append(CHECK.validate_python(call.args["check"]))
        with suppress(SandboxError):
            self.bench.holds(turn.before, checks)
            self.bench.holds(self.bench.step_turns(turn.window.index)[0].before, checks)

    def _label(self, turn: GoldTurn, text: str, limit_s: float) -> Outcome:
        try:
            call = registry.parse_call(text)
        except InputError as error:
            return Outcome("plausible_fail", Verdict(allow=False, rule="schema", reason=str(error)), "not a valid call")
        call = ToolCall(tool=call.tool, args=call.args)
        self.bench.restore(turn.before)
        verdict = self.bench.toolbox.check(call)
        if text == turn.text:
            return Outcome("pass", verdict, "the gold call")
        if not verdict.allow:
            return Outcome("policy_violation", verdict, f"denied: {verdict.rule}")
        if verdict.approval == "granted" and not self.bench.task.destructive:
            refused = verdict.model_copy(update={"allow": False, "approval": "refused"})
            return Outcome("policy_violation", refused, f"needs approval: {verdict.rule}")
        label, detail = self._without_running(turn, call) or self._by_running(turn, call, verdict, limit_s)
        return Outcome(label, verdict, detail)

    # --- calls that only speak
    def _without_running(self, turn: GoldTurn, call: ToolCall) -> tuple[Label, str] | None:
        """The label of calls that change nothing and of answers to turns that ask for no work."""
        op = call.args.get("op")
        if call.tool == "plan" and op == "done":
            return self._done(turn, call)
        if call.tool in ("plan", "finish", "ask"):
            if call.tool != turn.call.tool or op != turn.call.args.get("op"):
                return "plausible_fail", f"{call.tool} instead of {_name(turn.call)}"
            if call.tool == "plan":
                same = plan_key(call) == plan_key(turn.call)
                return ("pass", "the same steps") if same else ("plausible_fail", "another split of the goal")
            same = call.tool == "ask" or call.args["status"] == turn.call.args["status"]
            return ("pass", "the same answer") if same else ("plausible_fail", "another ending")
        return None

    def _done(self, turn: GoldTurn, call: ToolCall) -> tuple[Label, str]:
        if turn.window.phase != "step" or not self.bench.required:
            return "plausible_fail", f"plan done instead of {_name(turn.call)}"
        step = self.bench.step_of(turn)
        left = self.bench.finished(turn.before, step)
        if left is not None:
            return "plausible_fail", f"the step is not finished: {left}"
        check = CHECK.validate_python(call.args["check"])
        [now] = self.bench.holds(turn.before, [check])
        if not now.ok:
            return "plausible_fail", f"the check fails: {now.detail}"[:300]
        if check == self.bench.done_check(step):
            return "pass", "the gold check"
        [then] = self.bench.holds(self.bench.step_turns(step)[0].before, [check])
        if then.ok:
            return "plausible_fail", "the check held before the step began"
        return "pass", "the check tells a finished step from an unfinished one"

    # --- calls that act
    def _by_running(self, turn: GoldTurn, call: ToolCall, verdict: Verdict, limit_s: float) -> tuple[Label, str]:
        call = call.model_copy(update={"policy": CallPolicy(timeout_s=limit_s)})
        results: list[tuple[Label, str]] = []
        runs = max(MORE_RUNS, self.runs) if RANDOM.search(json.dumps(call.args)) else self.runs
        for _ in range(runs):
            results.append(self._run(turn, call, verdict))
            if results[-1][0] == "infra_failure" or _STOPPED in results[-1][1]:
                return results[-1]
            if results[-1][0] != results[0][0]:
                return "flaky", f"{results[0][0]} ({results[0][1]}), then {results[-1][0]} ({results[-1][1]})"[:400]
        return results[0]

    def _run(self, turn: GoldTurn, call: ToolCall, verdict: Verdict) -> tuple[Label, str]:
        bench = self.bench
        bench.restore(turn.before)
        obs = bench.toolbox.execute(call)
        if obs.infra:
            return "infra_failure", obs.stderr[:200]
        if obs.denied is not None:
            return "policy_violation", f"denied: {obs.denied}"
        try:
            after = bench.toolbox.snapshot()
        except ToolFailure as failure:
            return "plausible_fail", f"leaves a workspace that cannot be saved: {failure.reason}"[:200]
        if verdict.destructive:
            lost = destroyed(bench.tree(turn.before), bench.tree(after))
            if extra := [p for p in sorted(lost) if not _covered(p, self._destructible)]:
                return "policy_violation", f"removes or overwrites what the task does not name: {extra[0]}"
        if turn.kind != "act":
            return "plausible_fail", f"acts instead of {_name(turn.call)}"
        return self._effect(turn, obs, after)

    def _effect(self, turn: GoldTurn, obs: Observation, after: str) -> tuple[Label, str]:
        """Is the state right, or does the rest of the gold solution make it so?"""
        bench = self.bench
        if not bench.required:  # a goal that only asks: nothing is to be done
            return "plausible_fail", "acts where nothing should be done"
        step = bench.step_of(turn)
        ahead = [t for t in bench.step_turns(step) if t.number >= turn.number and t.kind == "act"]
        for other in ahead:
            if bench.key(after) == bench.key(other.after) and self._alike(obs, other, other is not turn):
                return "pass", "the state and answer of the gold call" if other is turn else "skips to a later call"
        unchanged = bench.key(after) == bench.key(turn.before)
        said = "" if obs.ok else ": " + (obs.stderr.strip().splitlines() or ["failed"])[-1][:160]
        if unchanged and turn.changed:
            return "plausible_fail", f"changes nothing{said}"
        if unchanged:
            return "plausible_fail", f"shows something else{said}"
        wrong = bench.finished(after, step)
        if wrong is None:
            return "pass", "the step is finished"
        if turn.changed and len(ahead) > 1:
            wrong = self._continue(turn, after, ahead[1:])
            if wrong is None:
                return "pass", "the step is finished by the calls that follow"
        return "plausible_fail", wrong

    def _continue(self, turn: GoldTurn, after: str, rest: list[GoldTurn]) -> str | None:
        """Make the remaining gold calls of the step; None if the step is finished then."""
        bench = self.bench
        name = (turn.number, bench.key(after))
        if name not in self._continued:
            bench.restore(after)
            for other in rest:
                bench.toolbox.execute(other.call)
            self._continued[name] = bench.finished(bench.toolbox.snapshot(), bench.step_of(turn))
        return self._continued[name]

    def _alike(self, obs: Observation, gold: GoldTurn, ahead: bool) -> bool:
        """Did the call tell the agent what the gold call told it? States are known to be equal.

        A gold call that fails is an attempt which teaches something. Another call that fails in its place may
        just be wrong in a way that does not show yet, so it only counts where the failure itself was the aim.
        """
        if obs.ok != gold.obs.ok or (not gold.obs.ok and not ahead and not self._diagnoses(gold)):
            return False
        if gold.changed:
            return True
        told = _lines(gold.obs)
        return told <= _lines(obs) if told else not obs.stdout.strip()

    def _diagnoses(self, gold: GoldTurn) -> bool:
        """A failing command that is not tried again: run to see its error (tests, a program that crashes)."""
        later = [t for t in self.bench.step_turns(self.bench.step_of(gold)) if t.number > gold.number]
        return gold.call.tool == "shell" and not gold.changed and all(t.call.tool != "shell" for t in later)

    def _limit(self, turn: GoldTurn) -> float:
        return min(60.0, max(self.timeout_s, SLOWER * turn.obs.duration_ms / 1000))


def plan_key(call: ToolCall) -> tuple[str, ...]:
    """The steps of a plan without what does not matter: case, spaces, quotes, punctuation at the ends."""
    steps = call.args.get("steps", ())
    return tuple(re.sub(r"\s+", " ", re.sub(r"[\"'`]", "", step)).strip(" .,;:!").lower() for step in steps)


def _lines(obs: Observation) -> set[str]:
    """What a call said, without times."""
    text = re.sub(r"\b\d+\.\d+s\b", "", f"{obs.stdout}\n{obs.stderr}")
    return {line.strip() for line in text.splitlines() if line.strip()}


def _name(call: ToolCall) -> str:
    op = call.args.get("op")
    return f"{call.tool} {op}" if op else call.tool


def _covered(path: str, allowed: set[str]) -> bool:
    pure = PurePosixPath(path)
    return path == "." or path in allowed or any(str(parent) in allowed for parent in pure.parents)
