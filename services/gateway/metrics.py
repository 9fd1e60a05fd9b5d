"""Figures for Prometheus, in a registry of their own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hybrid_agent.types import Step
from services.gateway.events import RunState

PARTS = ("plan", "decode", "score", "gate", "tool")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
BINS = 10
RECENT = 1024


class Metrics:
    """What the gateway counts. Safe to use from several threads.

    Calibration compares the probability that the scorer gave the call that was taken with whether that call came
    back ok: `hybrid_agent_calibration_error` is the expected calibration error over ten bins (Naeini et al. 2015).
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._recent = {part: deque[float](maxlen=RECENT) for part in PARTS}
        self._sums = [[0.0, 0.0, 0.0] for _ in range(BINS)]  # calls, right ones, sum of p
        self._ended = {"all": 0, "done": 0}
        self._chosen: dict[str, int] = {}
        self._guesses = {"proposed": 0, "accepted": 0}

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"hybrid_agent_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"hybrid_agent_{name}", text, labels, registry=registry)

        self.runs = counter("runs", "Agent runs that came to rest, by state", "state")
        self.success = gauge("success_ratio", "Share of ended runs that were verified")
        self.running = gauge("runs_running", "Runs worked on now")
        self.queued = gauge("runs_queued", "Runs that wait for their turn")
        self.refused = counter("overload", "Requests refused because too much was waiting", "what")
        self.seconds = Histogram(
            "hybrid_agent_part_seconds", "Time of one turn in one part", ["part"], registry=registry, buckets=SECONDS
        )
        self.p95 = gauge("part_p95_seconds", f"95th percentile over the last {RECENT} turns", "part")
        self.k = Histogram(
            "hybrid_agent_candidates",
            "Candidates asked for in a turn (K)",
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32, 64),
        )
        self.vetoed = counter("vetoed_candidates", "Candidates that the energy model stopped")
        self.denied = counter("denied_calls", "Calls that did not run, by rule", "rule")
        self.calls = counter("calls", "Calls by tool and outcome", "tool", "ok")
        self.expert = counter("expert_segments", "Chosen segments by the expert that wrote them", "expert")
        self.share = gauge("expert_share", "Share of chosen segments", "expert")
        self.drafted = counter("draft_tokens", "Speculated tokens: proposed, and accepted among them", "outcome")
        self.accepted = gauge("draft_accept_ratio", "Accepted share of speculated tokens")
        self.calibration = counter("calibration_calls", "Scored calls by bin of p", "bin", "ok")
        self.calibration_error = gauge("calibration_error", "Expected calibration error of p")
        self.approvals = counter("approvals", "Questions to a person by answer", "answer")
        self.chats = counter("chat_completions", "Chat completions by outcome", "outcome")
        self.chat_seconds = Histogram(
            "hybrid_agent_chat_seconds", "Time of one chat completion", registry=registry, buckets=SECONDS
        )
        self.chat_tokens = counter("chat_tokens", "Tokens of chats", "kind")
        self.mistakes = counter("mistakes", "Errors of the server itself")

    def step(self, step: Step, stored_text: Callable[[str], str], waited_s: float = 0.0) -> None:
        """Count one turn. `stored_text` is the form in which a step's content keeps a candidate's text; `waited_s`
        seconds of its gate were a person's."""
        effort = step.effort
        with self._lock:
            for part in PARTS:
                spent = max(0.0, getattr(step.ms, part) / 1e3 - (waited_s if part == "gate" else 0.0))
                self.seconds.labels(part).observe(spent)
                recent = self._recent[part]
                recent.append(spent)
                self.p95.labels(part).set(sorted(recent)[min(len(recent) - 1, int(len(recent) * 0.95))])
            if effort is not None:
                self.k.observe(effort.k)
                self.vetoed.inc(effort.vetoed)
            denied = step.obs.denied if step.obs is not None else None
            if denied is not None:
                self.denied.labels(denied).inc()
            tool = step.content.split('"', 4)[3] if step.verdict is not None else "invalid"
            self.calls.labels(tool, str(step.ok).lower()).inc()
            taken = next((c for c in step.candidates if stored_text(c.text) == step.content), None)
            if taken is None:
                return
            if taken.expert is not None:
                self._count_expert(taken.expert)
            if taken.p is not None and denied is None:
                self._count_p(taken.p, step.ok)

    def ended(self, state: RunState) -> None:
        """Count a run that came to rest."""
        self.runs.labels(state).inc()
        with self._lock:
            self._ended["all"] += 1
            self._ended["done"] += state == "done"
            self.success.set(self._ended["done"] / self._ended["all"])

    def speculated(self, new: Mapping[str, int]) -> None:
        """Add speculated tokens: `proposed` and `accepted`."""
        with self._lock:
            for name, count in new.items():
                self._guesses[name] += count
                self.drafted.labels(name).inc(count)
            if self._guesses["proposed"]:
                self.accepted.set(self._guesses["accepted"] / self._guesses["proposed"])

    def text(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)

    def _count_expert(self, name: str) -> None:
        self.expert.labels(name).inc()
        self._chosen[name] = self._chosen.get(name, 0) + 1
        total = sum(self._chosen.values())
        for each, count in self._chosen.items():
            self.share.labels(each).set(count / total)

    def _count_p(self, p: float, ok: bool) -> None:
        at = min(int(p * BINS), BINS - 1)
        self.calibration.labels(f"{at / BINS:.1f}", str(ok).lower()).inc()
        row = self._sums[at]
        row[0], row[1], row[2] = row[0] + 1, row[1] + ok, row[2] + p
        total = sum(one[0] for one in self._sums)
        self.calibration_error.set(sum(abs(one[1] - one[2]) for one in self._sums) / total)
