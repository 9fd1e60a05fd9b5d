"""The decoder at a service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hybrid_agent.agent.draw import Drawn
from hybrid_agent.decoder.conversation import Completion
from hybrid_agent.errors import InfraError
from hybrid_agent.types import Budget, Control, Effort, Segment, Window
from services import wire
from services.channel import Channel
from services.wire import decoder_pb2

OnPartial = Callable[[int, str], None]


class DecoderClient:
    """`protocols.Decoder` (and `agent.draw.DrawingDecoder`) at a service.

    Args:
        channel: to the decoder service.
        session: of the tools service, for the scorer's sake.
        scores: candidates can be scored where they are written.
        on_partial: shown what unfinished candidates say so far.
    """

    def __init__(
        self, channel: Channel, *, session: str = "", scores: bool = False, on_partial: OnPartial | None = None
    ) -> None:
        self._channel, self._session, self._on_partial = channel, session, on_partial
        self._stub = wire.decoder_pb2_grpc.DecoderStub(channel.grpc)
        self.spent: tuple[int, int] | None = None
        if scores:
            self.draw = self._draw

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """See `protocols.Decoder`; the service stops writing once `watch` says so."""
        request = self._request(window, budget, control)
        # With one candidate there is nothing left to stop when it is seen.
        request.quiet = self._on_partial is None and (watch is None or budget.k == 1)

        def once() -> Sequence[Segment]:
            told: list[Segment] = []
            for event in self._events(request):
                if event.WhichOneof("event") == "candidate":
                    told.append(wire.load(Segment, event.candidate, "candidate"))
                    if watch is not None and watch(told[-1]):
                        return told
                elif event.WhichOneof("event") == "done":
                    effort = wire.load(Effort, event.done.effort, "effort")
                    self.spent = (effort.tokens, effort.forced)
                    written = [wire.load(Segment, text, "candidates") for text in event.done.candidates]
                    if watch is not None and request.quiet and written:
                        watch(written[0])
                    return written
            raise InfraError("the decoder service ended its answer too early")

        self.spent = None
        return self._channel.again(once)

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Any = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        told: Callable[[str], bool] | None = None,
    ) -> Completion:
        """See `decoder.conversation.Completer`."""
        request = decoder_pb2.CompleteRequest(
            messages=[decoder_pb2.ChatMessage(role=m["role"], content=m["content"]) for m in messages],
            schema="" if schema is None else json.dumps(schema),
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=list(stop),
        )
        sent = ""

        def once() -> Completion:
            nonlocal sent
            written = ""
            for event in self._channel.stream(self._stub.Complete, request, self._channel.config.propose_s):
                if event.WhichOneof("event") == "done":
                    done = event.done
                    return Completion(done.text, done.complete, done.prompt_tokens, done.tokens)
                written += event.text
                if len(written) > len(sent):  # of a second try, only what the first had not told
                    new, sent = written[len(sent) :], written
                    if told is not None and told(new):
                        return Completion(sent, True, 0, 0)
            raise InfraError("the decoder service ended its answer too early")

        return self._channel.again(once)

    def _draw(
        self,
        window: Window,
        budget: Budget,
        control: Control,
        known: Sequence[Segment],
        *,
        margin: float,
        min_scored: int,
        batch: int,
    ) -> Drawn:
        request = self._request(window, budget, control)
        request.session, request.quiet = self._session, self._on_partial is None
        request.scoring.CopyFrom(
            decoder_pb2.Scoring(
                margin=margin, min_scored=min_scored, batch=batch, known=[wire.dump(segment) for segment in known]
            )
        )

        def once() -> Drawn:
            for event in self._events(request):
                if event.WhichOneof("event") == "done":
                    done = event.done
                    segments = [wire.load(Segment, text, "candidates") for text in done.candidates]
                    return Drawn(segments, wire.load(Effort, done.effort, "effort"), done.score_ms)
            raise InfraError("the decoder service ended its answer too early")

        return self._channel.again(once)

    def _request(self, window: Window, budget: Budget, control: Control) -> decoder_pb2.ProposeRequest:
        return decoder_pb2.ProposeRequest(
            window=wire.dump(window),
            budget=wire.dump(budget),
            control=wire.dump(control),
            partials=self._on_partial is not None,
        )

    def _events(self, request: decoder_pb2.ProposeRequest) -> Iterator[Any]:
        for event in self._channel.stream(self._stub.Propose, request, self._channel.config.propose_s):
            if event.WhichOneof("event") == "partial" and self._on_partial is not None:
                self._on_partial(event.partial.candidate, event.partial.text)
            yield event
