"""One episode with memory: a skill that surely fits is offered, and what worked is kept.

    recall = Recall(memory, goal)
    with assemble_agent(run, hybrid=recall.into(hybrid), ...) as agent:
        result = agent.run(goal)
    recall.settle(run, result)          # strengthens or weakens the skill; learns from a verified episode

Nothing is written where the memory is read-only (evaluation).
"""

from __future__ import annotations

import contextlib
import dataclasses

from hybrid_agent.agent.options import EpisodeResult
from hybrid_agent.assemble.hybrid import Hybrid
from hybrid_agent.assemble.replay import Lesson, lesson_of, replay
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.assemble.skilled import PREFIX, SkilledDecoder
from hybrid_agent.errors import HybridAgentError, InputError
from hybrid_agent.memory.binding import Bound, bind
from hybrid_agent.memory.rank import strength_now
from hybrid_agent.memory.records import Entry
from hybrid_agent.memory.store import ColdMemory
from hybrid_agent.traces.reader import read_trace


class Recall:
    """What memory has for one goal.

    Attributes:
        skill: the skill that will be offered, or None.
    """

    def __init__(self, memory: ColdMemory, goal: str) -> None:
        self.memory, self.goal = memory, goal
        self.skill, self._bound = _confident(memory, goal)
        self._decoder: SkilledDecoder | None = None

    def into(self, hybrid: Hybrid) -> Hybrid:
        """The hybrid with this episode's decoder."""
        number = self.skill.id if self.skill is not None else 0
        self._decoder = SkilledDecoder(hybrid.decoder, self._bound, number, self.memory.config.hot_chars)
        return dataclasses.replace(hybrid, decoder=self._decoder)

    def settled(self, run: RunDir, result: EpisodeResult) -> list[str]:
        """As `settle`, but trouble with memory is one more line: the run itself is over."""
        try:
            return self.settle(run, result)
        except HybridAgentError as error:
            return [f"memory: {error}"]

    def settle(self, run: RunDir, result: EpisodeResult) -> list[str]:
        """Learn from how it ended; returns what to tell a person, a line each."""
        if not self.memory.writable or result.infra:
            return []
        said = []
        used = self._decoder
        if self.skill is not None and used is not None and used.offered:
            ok = result.verified and not used.failed
            now = self.memory.outcome(self.skill.id, ok, result.summary[:200])
            said.append(f"memory: used skill {now.id}, strength now {now.strength:.2f}")
            if ok:
                return said
        if result.verified:
            said.append(learn(self.memory, run))
        return said


def learn(memory: ColdMemory, run: RunDir) -> str:
    """Keep what a verified run did: a skill and a note, promoted if a replay in the sandbox works.

    Returns what to tell a person. What cannot be learned is said, not raised: the run itself was fine.

    Raises:
        InputError: the run was not verified, its trace is damaged, or the memory is read-only.
    """
    if not memory.writable:
        raise InputError("the memory is read-only here", field="memory", fix="evaluation never writes")
    trace = read_trace(run.trace)
    if trace.result != "success":
        what = f"it ended as {trace.result or 'not at all'}"
        raise InputError(what, where=run.run_id, field="run", fix="only verified runs can be learned from")
    info = run.info()
    provenance = {
        "run": run.run_id,
        "result": "success",
        "decoder": info.decoder,
        "hybrid": info.hybrid,
        "model": info.model,
    }
    try:
        lesson = lesson_of(trace)
        entry = memory.teach(lesson.goal, lesson.calls, provenance, seen=lesson.seen)
    except InputError as error:
        return f"memory: nothing to keep: {error.what}"
    if entry.status == "promoted":  # known, but not sure enough to be used: it has proved itself again
        entry = memory.outcome(entry.id, True, run.run_id)
        return f"memory: skill {entry.id} worked again, strength now {entry.strength:.2f}"
    if entry.status != "quarantined":
        return _told(entry)
    if entry.held:
        return f"memory: skill {entry.id} is {entry.reason}; look at it: hybrid-agent memory show {entry.id}"
    entry = _tested(memory, entry, lesson, run, provenance)
    note = memory.add(lesson.note, provenance)
    if entry.status == "promoted" and note.status == "quarantined" and not note.held:
        memory.tested(note.id, True, f"with skill {entry.id}")
    return _told(entry)


def forget_run(memory: ColdMemory, run: RunDir) -> list[Entry]:
    """The person took a run back, so what it taught is archived, and a skill it used has failed."""
    gone = [e for e in memory.entries(run=run.run_id, limit=1000) if e.status in ("quarantined", "promoted")]
    archived = [memory.archive(entry.id, why=f"run {run.run_id} was rolled back") for entry in gone]
    with contextlib.suppress(HybridAgentError):  # a trace that cannot be read names no skill
        for number in sorted(_skills_in(run)):
            memory.outcome(number, False, f"run {run.run_id} was rolled back")
    return archived


def _confident(memory: ColdMemory, goal: str) -> tuple[Entry | None, Bound | None]:
    """The strongest promoted skill of this very shape."""
    rules = memory.config.skills
    for hit in memory.search(goal, rules.tried, kind="skill"):
        skill = hit.entry.skill
        now = strength_now(hit.entry.strength, memory.now() - hit.entry.used, rules)
        bound = bind(skill, goal) if skill is not None and now >= rules.confident else None
        if bound is not None:
            return hit.entry, bound
    return None, None


def _tested(memory: ColdMemory, entry: Entry, lesson: Lesson, run: RunDir, provenance: dict[str, str]) -> Entry:
    """Replay the skill as it was and with other values; one that works only as it was is kept for that goal alone."""
    assert entry.skill is not None
    try:
        again = replay(run, lesson, None)
        if not again.ok:
            return memory.tested(entry.id, False, again.detail)
        if not entry.skill.slots:
            return memory.tested(entry.id, True, again.detail)
        other = replay(run, lesson, entry.skill)
    except HybridAgentError as error:  # the machinery failed or the workspace is too large: nothing is known
        return memory.get(entry.id).model_copy(update={"reason": f"not tested: {error}"})
    if other.ok:
        return memory.tested(entry.id, True, f"{again.detail}, and {other.detail}")
    memory.tested(entry.id, False, other.detail)
    exact = memory.teach(lesson.goal, lesson.calls, provenance, seen=lesson.seen, exact=True)
    return memory.tested(exact.id, True, again.detail) if exact.status == "quarantined" and not exact.held else exact


def _told(entry: Entry) -> str:
    if entry.status == "promoted":
        shape = entry.skill.shape if entry.skill is not None else entry.text
        return f"memory: learned skill {entry.id}: {shape}"
    return f"memory: skill {entry.id} is {entry.status}: {entry.reason}"


def _skills_in(run: RunDir) -> set[int]:
    found: set[int] = set()
    for step in read_trace(run.trace).steps:
        for each in step.candidates:
            if each.expert and each.expert.startswith(PREFIX) and each.text == step.content:
                found.add(int(each.expert.removeprefix(PREFIX)))
    return found
