"""The planner service: control and schedule, with the state of each session's episode. `python -m services.planner`."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc

from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Planner, Scheduler
from hybrid_agent.types import Control, Schedule, Segment, Window
from services import wire
from services.status import Missing, NeedsHistory
from services.wire import planner_pb2 as pb

NAME = "hybrid.v1.Planner"
MOST_HISTORY = 1000


@dataclass
class _Episode:
    planner: Planner
    lock: threading.Lock = field(default_factory=threading.Lock)
    steps: int = 0
    last: tuple[str, Control] | None = None  # the last window as it came, and what was said to it


class PlannerService(wire.planner_pb2_grpc.PlannerServicer):  # type: ignore[misc]
    """Answers for `hybrid.v1.Planner`.

    Args:
        planner: makes the planner of a new episode (they may share weights); None: there is no planner.
        scheduler: without state; None: turns have a fixed number of candidates.
        most: episodes remembered; of others the callers send the history again.
        about: what `About` says.
    """

    def __init__(
        self,
        planner: Callable[[], Planner] | None,
        scheduler: Scheduler | None,
        *,
        most: int = 256,
        about: dict[str, Any] | None = None,
    ) -> None:
        self._make, self._scheduler, self._most, self.about = planner, scheduler, most, about or {}
        self._episodes: OrderedDict[str, _Episode] = OrderedDict()
        self._lock = threading.Lock()

    def Step(self, request: pb.StepRequest, context: grpc.ServicerContext) -> pb.StepReply:
        if self._make is None:
            raise Missing("this service has no planner")
        session, number = wire.session_of(request.session), request.number
        if not 0 <= number <= MOST_HISTORY:
            raise InputError("not the number of a step", field="number", fix=f"count from 0 to {MOST_HISTORY}")
        window = wire.load(Window, request.window, "window")
        history = wire.load_all(Window, request.history, "history", MOST_HISTORY)
        if history and len(history) != number:
            fix = "send the windows of all steps before this one, or none"
            raise InputError(f"{len(history)} steps before step {number}", field="history", fix=fix)
        episode = self._episode(session, make=number == 0 or bool(history))
        with episode.lock:
            if episode.steps == number + 1 and episode.last is not None and episode.last[0] == request.window:
                return pb.StepReply(control=wire.dump(episode.last[1]))  # asked again
            if number == 0 or history:
                episode.planner = self._make()
                for before in history:
                    episode.planner.step(before)
            elif episode.steps != number:
                raise NeedsHistory(f"the {number} steps before this one are not known here")
            episode.steps, episode.last = number, None
            control = episode.planner.step(window)
            episode.steps, episode.last = number + 1, (request.window, control)
            return pb.StepReply(control=wire.dump(control))

    def Schedule(self, request: pb.ScheduleRequest, context: grpc.ServicerContext) -> pb.ScheduleReply:
        if self._scheduler is None:
            raise Missing("this service has no scheduler")
        kind = request.WhichOneof("question")
        if kind == "first":
            found = self._scheduler.first(wire.load(Control, request.first.control, "first.control"))
        elif kind == "more":
            control = wire.load(Control, request.more.control, "more.control")
            found = self._scheduler.more(control, wire.load(Segment, request.more.greedy, "more.greedy"))
        elif kind == "again":
            found = self._scheduler.again(wire.load(Schedule, request.again.schedule, "again.schedule"))
        else:
            raise InputError("nothing is asked", field="question", fix="set first, more or again")
        return pb.ScheduleReply(schedule=wire.dump(found))

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        has = {"plans": self._make is not None, "schedules": self._scheduler is not None}
        return wire.common_pb2.AboutReply(about=json.dumps({**self.about, **has}))

    def _episode(self, session: str, *, make: bool) -> _Episode:
        with self._lock:
            known = self._episodes.get(session)
            if known is None and not make:
                raise NeedsHistory("this episode is not known here")
            if known is None:
                assert self._make is not None
                known = _Episode(self._make())
            self._episodes[session] = known
            self._episodes.move_to_end(session)
            while len(self._episodes) > self._most:
                self._episodes.popitem(last=False)
            return known


def register(service: PlannerService, server: grpc.Server) -> Sequence[str]:
    """Add the service to a server; returns what it serves."""
    wire.planner_pb2_grpc.add_PlannerServicer_to_server(service, server)
    return [NAME]


if __name__ == "__main__":
    from services.load import main

    main("planner")
