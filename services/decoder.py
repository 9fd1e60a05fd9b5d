"""The decoder service: candidates as they are written, with energies from the scorer. `python -m services.decoder`."""

from __future__ import annotations

import contextvars
import json
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import grpc

from hybrid_agent.agent.draw import Draw
from hybrid_agent.agent.select import SelectOptions
from hybrid_agent.decoder.batch import BatchedDecoder
from hybrid_agent.decoder.conversation import Completer
from hybrid_agent.decoder.live import Live, watched
from hybrid_agent.errors import Cancelled, InputError
from hybrid_agent.protocols import Decoder, Scorer
from hybrid_agent.types import Budget, Control, Score, Segment, Window
from services import wire
from services.call import Call, current_call
from services.status import Missing, OutOfTime
from services.wire import decoder_pb2 as pb

NAME = "hybrid.v1.Decoder"
MOST_KNOWN = 128
MOST_TOKENS, MOST_MESSAGES, MOST_STOPS = 8192, 256, 16
ROLES = ("system", "user", "assistant", "tool")
WAIT_S = 1.0

Scorers = Callable[[str], Scorer]  # a scorer for a session of the tools service


class DecoderService(wire.decoder_pb2_grpc.DecoderServicer):  # type: ignore[misc]
    """Answers for `hybrid.v1.Decoder`.

    Args:
        decoder: writes candidates; a `BatchedDecoder` for many callers at once, any other for one after the other.
        scorers: makes the scorer of a session; None: candidates cannot be scored here.
        completer: answers chats, one at a time; None: there are none.
        about: what `About` says.
    """

    def __init__(
        self,
        decoder: Decoder,
        scorers: Scorers | None = None,
        completer: Completer | None = None,
        about: dict[str, Any] | None = None,
    ) -> None:
        self.decoder, self.scorers, self.completer, self.about = decoder, scorers, completer, about or {}
        self._batched = isinstance(decoder, BatchedDecoder)
        self._lock, self._chats = threading.Lock(), threading.Lock()

    def Propose(self, request: pb.ProposeRequest, context: grpc.ServicerContext) -> Iterator[pb.ProposeEvent]:
        window = wire.load(Window, request.window, "window")
        budget = wire.load(Budget, request.budget, "budget")
        if budget.max_tokens > MOST_TOKENS:
            raise InputError(f"more than {MOST_TOKENS} tokens", field="budget.max_tokens", fix="ask for fewer")
        control = wire.load(Control, request.control, "control") if request.control else Control()
        scoring = request.scoring if request.HasField("scoring") else None
        known = wire.load_all(Segment, scoring.known, "scoring.known", MOST_KNOWN) if scoring else []
        options = _options(scoring) if scoring else SelectOptions(margin=None)
        scorer: Scorer | None = None
        if scoring is not None:
            if self.scorers is None:
                raise Missing("this service has no scorer; send no `scoring`")
            scorer = self.scorers(wire.session_of(request.session) if request.session else "")

        def work(tell: Callable[[pb.ProposeEvent], None]) -> pb.ProposeEvent:
            told = self._told(tell, request.partials)
            draw = Draw(told, _ScoringTold(scorer, tell) if scorer else None, options, window)
            draw.candidates = list(known)
            with nullcontext() if self._batched else _Turn(self._lock):
                draw.add(budget, control)
            done = pb.ProposeDone(
                candidates=[wire.dump(c) for c in draw.candidates],
                effort=wire.dump(draw.effort),
                score_ms=draw.score_ms,
            )
            return pb.ProposeEvent(done=done)

        if request.quiet:
            yield _given_up(work)
        else:
            yield from _streamed(work)

    def Complete(self, request: pb.CompleteRequest, context: grpc.ServicerContext) -> Iterator[pb.CompleteEvent]:
        completer = self.completer
        if completer is None:
            raise Missing("this decoder does not answer chats")
        asked = _chat(request)
        call = current_call()

        def work(tell: Callable[[pb.CompleteEvent], None]) -> pb.CompleteEvent:
            def told(text: str) -> bool:
                tell(pb.CompleteEvent(text=text))
                return call is not None and call.over

            with _Turn(self._chats):
                found = completer.complete(**asked, told=told)
            done = pb.CompleteDone(
                text=found.text, complete=found.complete, prompt_tokens=found.prompt_tokens, tokens=found.tokens
            )
            return pb.CompleteEvent(done=done)

        yield from _streamed(work)

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        return wire.common_pb2.AboutReply(about=json.dumps({**self.about, "scores": self.scorers is not None}))

    def _told(self, tell: Callable[[pb.ProposeEvent], None], partials: bool) -> Decoder:
        """The decoder, which tells of finished candidates (and unfinished ones), and stops when nobody waits."""
        call = current_call()

        def partial(candidate: int, text: str) -> None:
            tell(pb.ProposeEvent(partial=pb.Partial(candidate=candidate, text=text)))

        shown = partial if partials else None
        return _Told(self.decoder, tell, lambda: call is not None and call.over, shown)


class _Turn(AbstractContextManager[None]):
    """Holds a lock; waits for it only while the caller waits too."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        call = current_call()
        while not self._lock.acquire(timeout=WAIT_S):
            if call is not None:
                call.check()
        if call is not None and call.over:
            self._lock.release()
            call.check()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class _Told:
    """A decoder as one call sees it."""

    def __init__(
        self,
        decoder: Decoder,
        tell: Callable[[pb.ProposeEvent], None],
        over: Callable[[], bool],
        partial: Callable[[int, str], None] | None,
    ) -> None:
        self._decoder, self._tell, self._over, self._partial = decoder, tell, over, partial

    @property
    def spent(self) -> tuple[int, int] | None:
        """Of the last call, if the decoder counts."""
        found: tuple[int, int] | None = getattr(self._decoder, "spent", None)
        return found

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """See `protocols.Decoder`."""

        def seen(segment: Segment) -> bool:
            self._tell(pb.ProposeEvent(candidate=wire.dump(segment)))
            return watch is not None and watch(segment)

        if isinstance(self._decoder, BatchedDecoder):
            return self._decoder.propose(window, budget, control, seen, partial=self._partial, cancel=self._over)
        with watched(Live(self._over, self._decoded())):
            return self._decoder.propose(window, budget, control, seen)

    def _decoded(self) -> Callable[[int, Sequence[int]], None] | None:
        partial, text = self._partial, getattr(self._decoder, "text_so_far", None)
        if partial is None or text is None:
            return None
        return lambda candidate, tokens: partial(candidate, text(tokens))


class _ScoringTold:
    """The scorer, whose scores are told."""

    def __init__(self, scorer: Scorer, tell: Callable[[pb.ProposeEvent], None]) -> None:
        self._scorer, self._tell = scorer, tell

    def score(self, window: Window, candidates: Sequence[Segment]) -> Sequence[Score]:
        scores = self._scorer.score(window, candidates)
        for segment, score in zip(candidates, scores, strict=True):
            scored = segment.model_copy(update={"energy": score.energy, "p": score.p})
            self._tell(pb.ProposeEvent(scored=wire.dump(scored)))
        return scores


def _options(scoring: pb.Scoring) -> SelectOptions:
    margin = scoring.margin if scoring.HasField("margin") else None
    if margin is not None and not 0 <= margin < 1e9:
        raise InputError("not a margin", field="scoring.margin", fix="leave it out, or give an energy of at least 0")
    for field, value, least in (("min_scored", scoring.min_scored, 2), ("batch", scoring.batch, 1)):
        if not least <= value <= 64:
            raise InputError("out of range", field=f"scoring.{field}", fix=f"use {least} to 64")
    return SelectOptions(margin=margin, min_scored=scoring.min_scored, batch=scoring.batch)


def _chat(request: pb.CompleteRequest) -> dict[str, Any]:
    """The arguments of `Completer.complete`."""
    if not 1 <= len(request.messages) <= MOST_MESSAGES:
        raise InputError("no messages, or too many", field="messages", fix=f"send 1 to {MOST_MESSAGES}")
    if not 1 <= request.max_tokens <= MOST_TOKENS:
        raise InputError("out of range", field="max_tokens", fix=f"use 1 to {MOST_TOKENS}")
    if not 0 <= request.temperature <= 5:
        raise InputError("out of range", field="temperature", fix="use 0 to 5")
    if len(request.stop) > MOST_STOPS:
        raise InputError("too many", field="stop", fix=f"send {MOST_STOPS} at most")
    for at, message in enumerate(request.messages):
        if message.role not in ROLES:
            raise InputError("not a role", field=f"messages.{at}.role", fix=f"use one of {', '.join(ROLES)}")
    try:
        schema = json.loads(request.schema) if request.schema else None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", field="schema") from None
    return {
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "schema": schema,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "stop": list(request.stop),
    }


def _given_up(work: Callable[[Callable[[Any], None]], Any]) -> Any:
    """Do the work in this thread, telling nobody; say why it was given up, if it was."""
    try:
        return work(lambda event: None)
    except Cancelled:
        raise _why(current_call()) from None


def _streamed(work: Callable[[Callable[[Any], None]], Any]) -> Iterator[Any]:
    """Do the work in a thread of its own, and yield what it tells while it goes on, then what it returns."""
    events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    call = current_call()

    def run() -> None:
        try:
            events.put(("last", work(lambda event: events.put(("event", event)))))
        except Cancelled:
            events.put(("error", _why(call)))
        except BaseException as error:
            events.put(("error", error))

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="propose", daemon=True).start()
    while True:
        kind, value = events.get()
        if kind == "error":
            raise value
        yield value
        if kind == "last":
            return


def _why(call: Call | None) -> Exception:
    """What ended a call that was given up."""
    left = call.time_left() if call is not None else None
    return OutOfTime("the deadline has passed") if left == 0 else Cancelled("the caller has gone")


def register(service: DecoderService, server: grpc.Server) -> Sequence[str]:
    """Add the service to a server; returns what it serves."""
    wire.decoder_pb2_grpc.add_DecoderServicer_to_server(service, server)
    return [NAME]


__all__ = ["NAME", "DecoderService", "register"]


if __name__ == "__main__":
    from services.load import main

    main("decoder")
