"""The scorer service: energies and calibrated probabilities of candidate calls. `python -m services.scorer`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import grpc
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Scorer
from hybrid_agent.scorer.batch import BatchedScorer
from hybrid_agent.types import Score, Segment, ToolCall, Verdict, Window
from services import wire
from services.call import current_call
from services.status import Missing
from services.wire import scorer_pb2 as pb

NAME = "hybrid.v1.Scorer"
MOST_CANDIDATES = 128

Judge = Callable[[ToolCall], Verdict]
Judges = Callable[[str, Sequence[Segment]], Judge]  # for a session: what its gate says of these candidates


class Shaping(Protocol):
    """hybrid_agent.decoder.shaping.Shaper."""

    def bias(self, window: Window) -> NDArray[np.float32]:
        """Float32 (vocab,)."""
        ...


class ScorerService(wire.scorer_pb2_grpc.ScorerServicer):  # type: ignore[misc]
    """Answers for `hybrid.v1.Scorer`.

    Args:
        scorer: a `BatchedScorer` for many callers at once; any other is used by one after the other, and has an
            attribute `judge` if the gate's verdicts are features of it.
        judges: asks the tools service about a session's candidates; None: no session has a gate.
        shaper: for `Shape`; None: there is none.
        about: what `About` says.
    """

    def __init__(
        self,
        scorer: Scorer,
        judges: Judges | None = None,
        shaper: Shaping | None = None,
        about: dict[str, Any] | None = None,
    ) -> None:
        self.scorer, self.judges, self.shaper, self.about = scorer, judges, shaper, about or {}
        self._lock = threading.Lock()

    def Score(self, request: pb.ScoreRequest, context: grpc.ServicerContext) -> pb.ScoreReply:
        window = wire.load(Window, request.window, "window")
        candidates = wire.load_all(Segment, request.candidates, "candidates", MOST_CANDIDATES)
        judge: Judge | None = None
        if request.session:
            if self.judges is None:
                fix = "send no session, or give the service the tools' address"
                raise InputError("this scorer knows no sessions", field="session", fix=fix)
            judge = self.judges(wire.session_of(request.session), candidates)
        scores = self._scored(window, candidates, judge)
        return pb.ScoreReply(scores=[pb.Score(energy=score.energy, p=score.p) for score in scores])

    def Shape(self, request: pb.ShapeRequest, context: grpc.ServicerContext) -> pb.ShapeReply:
        if self.shaper is None:
            raise Missing("this scorer has no shaping")
        window = wire.load(Window, request.window, "window")
        with self._lock:
            bias = self.shaper.bias(window)
        tokens = np.flatnonzero(bias)
        return pb.ShapeReply(vocab_size=len(bias), tokens=tokens.tolist(), bias=bias[tokens].tolist())

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        return wire.common_pb2.AboutReply(about=json.dumps({**self.about, "shapes": self.shaper is not None}))

    def _scored(self, window: Window, candidates: Sequence[Segment], judge: Judge | None) -> Sequence[Score]:
        """The one place where the model is used."""
        scorer: Any = self.scorer
        call = current_call()
        if isinstance(scorer, BatchedScorer):
            return scorer.score(window, candidates, judge=judge, cancel=lambda: call is not None and call.over)
        with self._lock:
            if hasattr(scorer, "judge"):
                scorer.judge = judge
            return self.scorer.score(window, candidates)


def call_of(text: str) -> ToolCall | None:
    """The call that a candidate is, or None."""
    try:
        return ToolCall.model_validate_json(text)
    except ValidationError:
        return None


def register(service: ScorerService, server: grpc.Server) -> Sequence[str]:
    """Add the service to a server; returns what it serves."""
    wire.scorer_pb2_grpc.add_ScorerServicer_to_server(service, server)
    return [NAME]


if __name__ == "__main__":
    from services.load import main

    main("scorer")
