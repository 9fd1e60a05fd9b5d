"""Planner and scheduler at a service."""

from __future__ import annotations

from typing import Any

from hybrid_agent.types import Control, Schedule, Segment, Window
from services import wire
from services.channel import Channel
from services.status import NeedsHistory
from services.wire import planner_pb2


class PlannerClient:
    """`protocols.Planner` at a service; sends the episode again where the service has lost it."""

    def __init__(self, channel: Channel, session: str) -> None:
        self._channel, self._session = channel, session
        self._stub = wire.planner_pb2_grpc.PlannerStub(channel.grpc)
        self._windows: list[str] = []

    def reset(self) -> None:
        """Forget the episode."""
        self._windows = []

    def step(self, window: Window) -> Control:
        """See `protocols.Planner`."""
        number, text = len(self._windows), wire.dump(window)
        request = planner_pb2.StepRequest(session=self._session, number=number, window=text)
        try:
            reply = self._channel.ask(self._stub.Step, request)
        except NeedsHistory:
            request.history.extend(self._windows)
            reply = self._channel.ask(self._stub.Step, request)
        self._windows.append(text)
        return wire.load(Control, reply.control, "control")


class SchedulerClient:
    """`protocols.Scheduler` at the planner service."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._stub = wire.planner_pb2_grpc.PlannerStub(channel.grpc)

    def first(self, control: Control) -> Schedule:
        """See `protocols.Scheduler`."""
        return self._ask(first=planner_pb2.ScheduleRequest.First(control=wire.dump(control)))

    def more(self, control: Control, greedy: Segment) -> Schedule:
        """See `protocols.Scheduler`."""
        question = planner_pb2.ScheduleRequest.More(control=wire.dump(control), greedy=wire.dump(greedy))
        return self._ask(more=question)

    def again(self, schedule: Schedule) -> Schedule:
        """See `protocols.Scheduler`."""
        return self._ask(again=planner_pb2.ScheduleRequest.Again(schedule=wire.dump(schedule)))

    def _ask(self, **question: Any) -> Schedule:
        reply = self._channel.ask(self._stub.Schedule, planner_pb2.ScheduleRequest(**question))
        return wire.load(Schedule, reply.schedule, "schedule")
