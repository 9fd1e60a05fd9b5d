"""The loop behind a batched decoder: one thread that brings on the rows of all jobs, a token or a few at a step.

A job joins when its rows fit and leaves when its last one has ended. What a job writes depends on nothing but the job:
its rows draw from generators of their own, its matcher and biases are its own, and a candidate's end is told before
the job's other rows go on.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

import numpy as np

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.job import Done, Ended, Failed, Job, Line, Partial
from hybrid_agent.decoder.live import Abandoned, Live
from hybrid_agent.decoder.pool import RowPool, Work
from hybrid_agent.decoder.row import Draft, Row
from hybrid_agent.decoder.slots import Slots
from hybrid_agent.errors import InfraError, InputError, Overloaded

IDLE_S = 0.05  # between two looks at whether waiting callers are still there
Message = Callable[[], None]


class BatchLoop:
    """Writes the texts of many jobs together.

    Args:
        pool: the rows.
        end_id: the token that ends a text.
        context: tokens that fit a row.
        rows: how many rows the cache has.
        together: rows written at once, at most.
        waiting: jobs that may wait to be begun; one more is refused.
        prompt_tokens: of new jobs in one step, unless one alone has more: they hold up everybody else.
    """

    def __init__(
        self, pool: RowPool, end_id: int, context: int, *, rows: int, together: int, waiting: int, prompt_tokens: int
    ) -> None:
        self.pool, self.end_id, self.context = pool, end_id, context
        self.together, self.most_waiting, self.prompt_tokens = min(together, rows), waiting, prompt_tokens
        self.slots = Slots(rows)
        self.steps = self.row_steps = 0  # forward passes, and rows in them
        self.prompt_read = 0  # tokens of beginnings that were not in the cache
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._jobs: list[Job] = []
        self._lock = threading.Lock()
        self._pending = 0  # jobs that were submitted and have not begun
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="batched decoder", daemon=True)
        self._thread.start()

    # --- called in callers' threads
    def submit(self, job: Job) -> None:
        """Add a job; what happens to it comes to its mailbox.

        Raises:
            ValueError: the prompt leaves no room in the context.
            InputError: more candidates than rows.
            Overloaded: too many jobs are waiting.
            InfraError: the loop is closed.
        """
        if not 0 < len(job.prompt) < self.context:
            raise ValueError(f"a prompt of {len(job.prompt)} tokens does not fit a context of {self.context}")
        if job.how.k > self.together:
            what = f"{job.how.k} candidates do not fit into {self.together} rows"
            raise InputError(what, field="budget.k", fix="ask for fewer, or give the decoder more rows and cache")
        with self._lock:
            if self._closed:
                raise InfraError("the decoder is closed")
            if self._pending >= self.most_waiting:
                raise Overloaded(f"the decoder has {self._pending} calls waiting; try again later")
            self._pending += 1
            self._inbox.put(lambda: self._waiting.append(job))

    def answer(self, job: Job, stop: bool) -> None:
        """The caller has seen what ended; with `stop` it does not want the rest."""
        self._inbox.put(lambda: self._answered(job, stop))

    def abandon(self, job: Job) -> None:
        """The caller is gone."""
        self._inbox.put(lambda: self._fail(job, Abandoned("the segment was given up")))

    def forget(self) -> None:
        """Drop the cached rows that are not in use."""
        done = threading.Event()

        def run() -> None:
            self.slots.forget()
            done.set()

        self._inbox.put(run)
        while not done.wait(1.0) and self._thread.is_alive():
            pass

    def close(self) -> None:
        """End all jobs and the thread; idempotent."""
        with self._lock:
            self._closed = True
        self._inbox.put(lambda: None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # --- called in the loop's thread only
    def _run(self) -> None:
        while not self._closed:
            try:
                self._listen()
                if not self._closed:
                    self._step()
            except Exception as error:  # not one job's fault: everybody in the batch hears of it
                for job in list(self._jobs):
                    self._fail(job, error)
        self._hear()
        for job in [*self._jobs, *self._waiting]:
            self._fail(job, InfraError("the decoder is closed"))

    def _listen(self) -> None:
        """Hear what callers say; sleep while there is nothing to do."""
        self._hear()
        while not self._closed and not any(not job.held for job in self._jobs) and not self._fitting():
            # Callers who wait, or whose answer is awaited, may go away without a word.
            with contextlib.suppress(Empty):
                self._inbox.get(timeout=IDLE_S if self._waiting else None)()
            self._hear()

    def _hear(self) -> None:
        while True:
            try:
                self._inbox.get_nowait()()
            except Empty:
                break
        for job in [*self._jobs, *self._waiting]:
            if not job.held and job.live is not None:
                self._guarded(job, lambda job=job: self._look(job, job.live))  # type: ignore[misc]

    def _look(self, job: Job, live: Live) -> None:
        if live.over():
            self._fail(job, Abandoned("the segment was given up"))

    def _fitting(self) -> bool:
        """Can the job that waits longest begin?"""
        if not self._waiting:
            return False
        promised = sum(job.needs for job in self._jobs)
        busy = len(self.slots.slots) - self.slots.free
        return self._waiting[0].needs <= min(self.slots.free, self.together - busy) - promised

    def _step(self) -> None:
        """One forward pass of all rows that are not held, with the beginnings of new jobs."""
        work: list[tuple[Job, Line, Work]] = []
        for job in list(self._jobs):
            if not job.held:
                work += self._next(job)
        tokens = 0
        while self._fitting() and (tokens == 0 or tokens < self.prompt_tokens):
            begun = self._begin(self._waiting.popleft())
            work += begun
            tokens += sum(len(each.tokens) for _, _, each in begun)
        if not work:
            return
        self.steps += 1
        self.row_steps += len(work)
        logits = self.pool.forward([each for _, _, each in work]).cpu().numpy()
        of: dict[Job, list[tuple[Line, np.ndarray]]] = {}
        for (job, line, each), scores in zip(work, logits, strict=True):
            self.slots.slots[each.row].text += each.tokens
            of.setdefault(job, []).append((line, scores))
        for job, scored in of.items():
            self._guarded(job, lambda job=job, scored=scored: self._choose(job, scored))  # type: ignore[misc]

    def _next(self, job: Job) -> list[tuple[Job, Line, Work]]:
        """What the job's rows have to read."""
        found = []
        for line in job.lines:
            at = len(self.slots.slots[line.slot].text)
            if at + len(line.row.pending) > self.context:
                line.row.ended = True
            else:
                line.row.draft.forwards += 1
                found.append((job, line, Work(job.model, line.slot, list(line.row.pending), at)))
        if not found:
            self._tell(job)
        return found

    def _begin(self, job: Job) -> list[tuple[Job, Line, Work]]:
        """Give a new job its first row; what of its beginning is not in the cache is to be read."""
        self._entered()
        self._jobs.append(job)
        work: list[tuple[Job, Line, Work]] = []
        self._guarded(job, lambda: work.extend(self._first(job)))
        return work

    def _first(self, job: Job) -> list[tuple[Job, Line, Work]]:
        if job.start and job.constraint is not None:
            return self._going_on(job, job.constraint)
        row = Row([], 0, None, None) if job.only_logits else Row.first(job.how, job.constraint, self.end_id)
        begun = [*job.prompt, *row.pending]
        row.ended |= len(begun) > self.context
        job.begun = True
        if row.ended:
            job.ended.append(row)
            self._finish(job, [(c.index, row.draft) for c in row.candidates])
            return []
        found = self.slots.take(job.owner, begun)
        line = Line(row, found.row)
        job.lines = [line]
        if found.source != found.row:
            self.pool.copy(job.model, found.source, found.row, found.known)
        if found.head is not None:
            self._choose(job, [(line, found.head)])
            return [] if job.held or job.over else self._next(job)
        self.prompt_read += len(begun) - found.known
        return [(job, line, Work(job.model, found.row, begun[found.known :], found.known))]

    def _going_on(self, job: Job, constraint: Callable[[], Matcher]) -> list[tuple[Job, Line, Work]]:
        """The rows of a job that goes on with begun texts."""
        job.begun = True
        for index, draft in enumerate(job.start):
            row = Row.going_on(index, job.how, draft, constraint, self.end_id)
            text = [*job.prompt, *row.draft.tokens][: self.context]
            found = self.slots.take(job.owner, text[:-1])
            job.lines.append(Line(row, found.row))
            if found.source != found.row:
                self.pool.copy(job.model, found.source, found.row, found.known)
            row.pending = text[found.known :]
            row.ended |= len(job.prompt) + len(row.draft.tokens) > self.context
        self._tell(job)
        return [] if job.held or job.over else self._next(job)

    def _choose(self, job: Job, scored: list[tuple[Line, np.ndarray]]) -> None:
        """Draw the next tokens of a job's rows; rows that part get places of their own."""
        for line, scores in scored:
            slot = self.slots.slots[line.slot]
            if not line.row.draft.forwards:  # the first choice: what follows the beginning is worth keeping
                slot.head = (len(slot.text), scores.copy())
            if job.only_logits:
                self._close_line(job, line)
                self._finish(job, [], scores)
                return
            for row in line.row.draw(scores, job.bias, job.shift, self.end_id):
                place = self.slots.fork(line.slot, job.owner)
                job.lines.append(Line(row, place.row))
                if place.known < len(slot.text):
                    self.pool.copy(job.model, line.slot, place.row, len(slot.text), place.known)
        self._tell(job)
        if job.live is not None and not job.over:
            for number, tokens in job.live.due([line.row for line in job.lines]):
                job.mailbox.put(Partial(number, tokens))

    def _tell(self, job: Job) -> None:
        """Set aside the rows that have ended; the caller hears of them."""
        new = [line for line in job.lines if line.row.ended]
        for line in new:
            self._close_line(job, line)
        told = sorted(((c.index, line.row.draft) for line in new for c in line.row.candidates), key=lambda end: end[0])
        if not job.lines:
            self._finish(job, told)
        elif told and job.told:
            job.held = True
            job.mailbox.put(Ended(told))

    def _answered(self, job: Job, stop: bool) -> None:
        job.held = False
        if stop and not job.over:
            for line in list(job.lines):
                self._close_line(job, line, dropped=True)
            self._finish(job, [])

    def _close_line(self, job: Job, line: Line, dropped: bool = False) -> None:
        job.lines.remove(line)
        (job.dropped if dropped else job.ended).append(line.row)
        self.slots.give_back(line.slot, spare=bool(line.row.candidates) and line.row.index > 0)

    def _finish(self, job: Job, told: list[tuple[int, Draft]], logits: np.ndarray | None = None) -> None:
        drafts = [] if job.only_logits else job.drafts()
        self._leave(job)
        job.mailbox.put(Done(told, drafts, job.spent(), logits))

    def _fail(self, job: Job, error: BaseException) -> None:
        if job.over:
            return
        if job in self._waiting:
            self._waiting.remove(job)
            self._entered()
        for line in list(job.lines):
            self._close_line(job, line, dropped=True)
        self._leave(job)
        job.mailbox.put(Failed(error))

    def _leave(self, job: Job) -> None:
        job.over = True
        if job in self._jobs:
            self._jobs.remove(job)

    def _entered(self) -> None:
        with self._lock:
            self._pending -= 1

    def _guarded(self, job: Job, run: Callable[[], None]) -> None:
        """What goes wrong with one job's grammar or bias is that job's trouble."""
        try:
            run()
        except Exception as error:
            self._fail(job, error)
