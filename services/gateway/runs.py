"""All runs of this gateway: a bounded queue, a few workers, and what is on disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import datetime
from pathlib import Path

from hybrid_agent.assemble.rundir import RunDir, create_run
from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.errors import InputError
from services.gateway.events import ENDED, DiffData, RollbackData
from services.gateway.journal import JOURNAL, Journal, read_events
from services.gateway.live import LiveRun
from services.gateway.metrics import Metrics
from services.gateway.parts import Parts
from services.gateway.places import Place
from services.gateway.problems import LOG, ApiError
from services.gateway.requests import RunDetail, RunRequest, RunRow
from services.gateway.shelf import own, store_request, stored_request, stored_runs
from services.gateway.telemetry import Tracing


class Runs:
    """Starts, keeps and finds runs. Safe to use from several threads.

    Args:
        root: the folder of runs; only one gateway at a time may have it.

    Raises:
        InputError: another gateway has the folder, or it cannot be made.
    """

    def __init__(self, root: Path, config: ServeConfig, parts: Parts, metrics: Metrics, tracing: Tracing) -> None:
        self.root, self.config, self.parts = root, config, parts
        self.metrics, self.tracing = metrics, tracing
        self._lock = threading.Condition()
        self._queue: deque[LiveRun] = deque()
        self._live: dict[str, LiveRun] = {}  # queued or worked on
        self._rows: dict[str, RunRow] = {}  # at rest
        self._busy = 0
        self._open = True
        self._threads: list[threading.Thread] = []
        self._owned = own(root)

    # --- life
    def start(self) -> int:
        """Pick up what an earlier gateway left, start the workers; returns how many runs were picked up."""
        for run, row in stored_runs(self.root):
            if row.state in ENDED:
                self._rows[run.run_id] = row
            else:
                live = self._made(run, stored_request(run), None)
                self._live[run.run_id] = live
                self._queue.append(live)
        found = len(self._queue)
        for number in range(self.config.gateway.runs.concurrent):
            thread = threading.Thread(target=self._work, name=f"run-worker-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return found

    def close(self, wait_s: float) -> None:
        """Stop working: turns under way may end within `wait_s`; unfinished runs are left for the next gateway."""
        with self._lock:
            self._open = False
            self._queue.clear()
            live = list(self._live.values())
            self._lock.notify_all()
        for run in live:
            run.suspend()
        until = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for run in live:
            run.journal.close()
        self._owned.close()

    def _work(self) -> None:
        worker = self.parts.worker()
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._queue or not self._open)
                if not self._open:
                    return
                live = self._queue.popleft()
                self._busy += 1
                self._count()
            try:
                live.work(self.parts, worker)
            except Exception as error:  # not even its end could be stored: it is left for the next gateway
                LOG.error("run %s stands still", live.dir.run_id, exc_info=error)
                live.suspended = True
            with self._lock:
                self._busy -= 1
                self._count()
            self._rest(live)

    def _rest(self, live: LiveRun) -> None:
        """Put a run that has ended aside; its journal says all there is."""
        if live.suspended:
            return
        self.metrics.ended(live.state)
        row = self._row(live)
        with self._lock:
            self._rows[row.id] = row
            self._live.pop(row.id, None)
        live.journal.close()
        live.journal.wake()

    def _count(self) -> None:
        self.metrics.running.set(self._busy)
        self.metrics.queued.set(len(self._queue))

    # --- one run
    def create(self, request: RunRequest, parent: object = None) -> str:
        """Queue a run; it is on disk before its id is known to anybody.

        Raises:
            ApiError: too many are waiting, or they cannot be stored.
            InputError: there is no such preset.
        """
        limits = self.config.gateway.runs
        if len(request.files) > limits.files:
            raise ApiError(400, f"at most {limits.files} files", param="files")
        about = self.parts.about(request.hybrid)
        with self._lock:
            self._admit(limits.concurrent + limits.queue)
            try:
                run = create_run(
                    self.root,
                    goal=request.goal,
                    workspace=None,
                    decoder=about.decoder,
                    hybrid=about.hybrid,
                    model=about.model,
                    sandbox=self.config.sandbox,
                    approve=request.approve,
                    seed=request.seed,
                )
                store_request(run, request)
                live = self._made(run, request, parent)
                live.say("queued")
            except (OSError, InputError) as error:
                raise ApiError.away(f"the run cannot be stored: {error}") from error
            self._live[run.run_id] = live
            self._queue.append(live)
            self._count()
            self._lock.notify()
        return run.run_id

    def _admit(self, most: int) -> None:
        if not self._open:
            raise ApiError.away("the server is being stopped")
        if len(self._live) >= most:
            self.metrics.refused.labels("runs").inc()
            raise ApiError.overloaded(f"{len(self._live)} runs are worked on or waiting already")

    def live(self, run_id: str) -> LiveRun | None:
        """The run, if it is queued or worked on."""
        with self._lock:
            return self._live.get(run_id)

    def folder(self, run_id: str) -> RunDir:
        """Its directory.

        Raises:
            ApiError: there is no such run.
        """
        with self._lock:
            known = run_id in self._live or run_id in self._rows
        if not known:
            raise ApiError(404, f"there is no run {run_id!r}", param="id", code="not_found")
        return RunDir(self.root / run_id)

    def row(self, run_id: str) -> RunRow:
        """What is known of a run now.

        Raises:
            ApiError: there is no such run.
        """
        self.folder(run_id)
        with self._lock:
            live = self._live.get(run_id)
            return self._row(live) if live is not None else self._rows[run_id]

    def detail(self, run_id: str) -> RunDetail:
        """All that is known of a run now.

        Raises:
            ApiError: there is no such run.
        """
        row, run, live = self.row(run_id), self.folder(run_id), self.live(run_id)
        info = run.info()
        steps = (event.data for event in read_events(run.path / JOURNAL) if event.type == "step")
        snapshots = dict.fromkeys(step["snapshot"] for step in steps if step["snapshot"] is not None)
        return RunDetail(
            **dict(row),
            seed=info.seed,
            approve=info.approve,
            hybrid=info.hybrid,
            approvals=live.open_approvals if live is not None else (),
            snapshots=tuple(snapshots),
        )

    def rows(self, before: str | None, limit: int) -> tuple[list[RunRow], bool]:
        """Runs, newest first, and whether there are older ones."""
        with self._lock:
            ids = sorted({*self._live, *self._rows}, reverse=True)
        ids = [run_id for run_id in ids if before is None or run_id < before]
        return [self.row(run_id) for run_id in ids[:limit]], len(ids) > limit

    def journal(self, run_id: str) -> Journal:
        """The run's journal, to read and wait on.

        Raises:
            ApiError: there is no such run.
        """
        folder, live = self.folder(run_id), self.live(run_id)
        return live.journal if live is not None else Journal(folder.path, run_id)

    def cancel(self, run_id: str) -> None:
        """Stop a run; one that waits in the queue ends at once.

        Raises:
            ApiError: there is no such run, or it has ended.
        """
        self.folder(run_id)
        with self._lock:
            live = self._live.get(run_id)
            if live is None:
                raise ApiError(409, "the run has ended", code="ended")
            waiting = live in self._queue
            if waiting:
                self._queue.remove(live)
                self._count()
        if waiting:
            live.say("cancelled", reason="a person stopped it")
            self._rest(live)
        else:
            live.cancel()

    def rollback(self, run_id: str, to: str | None) -> tuple[str | None, DiffData]:
        """Put the workspace of a run that has ended back; returns the snapshot and what differs from the start now.

        Raises:
            ApiError: there is no such run, it has not ended, or the workspace is gone.
            InfraError: the service that has the workspace is away.
            InputError: there is no such snapshot.
        """
        run = self.folder(run_id)
        if self.live(run_id) is not None:
            raise ApiError(409, "the run is still going: cancel it first", code="running")
        place = self.parts.place(run)
        with run.lock():
            snapshot = place.roll_back(to)
            if to is None:
                self.parts.forget(run)
        journal = Journal(run.path, run_id)
        journal.append("rollback", RollbackData(to=snapshot))
        diff = place.diff()
        count = journal.append("diff", diff).id
        journal.close()
        with self._lock:
            self._rows[run_id] = self._rows[run_id].model_copy(update={"events": count})
        return snapshot, diff

    def place(self, run_id: str) -> Place:
        """The run's workspace.

        Raises:
            ApiError: there is no such run.
        """
        return self.parts.place(self.folder(run_id))

    def diff(self, run_id: str) -> DiffData:
        """What the run has changed, as last told.

        Raises:
            ApiError: there is no such run.
        """
        told = [event for event in read_events(self.folder(run_id).path / JOURNAL) if event.type == "diff"]
        return DiffData.model_validate(told[-1].data) if told else DiffData(files=())

    def _made(self, run: RunDir, request: RunRequest, parent: object) -> LiveRun:
        journal = Journal(run.path, run.run_id)
        journal.open()
        return LiveRun(
            run,
            request,
            journal,
            approval_s=self.config.gateway.runs.approval_s,
            metrics=self.metrics,
            tracing=self.tracing,
            parent=parent,
        )

    @staticmethod
    def _row(live: LiveRun) -> RunRow:
        created = datetime.fromisoformat(live.dir.info().created).timestamp()
        return RunRow(
            id=live.dir.run_id,
            goal=live.request.goal,
            state=live.state,
            created=created,
            events=live.journal.count,
            result=live.result,
            reason=live.reason,
        )
