"""Chat completions with a bound on how many are written and how many wait."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hybrid_agent.config.gateway import GatewayChat
from hybrid_agent.decoder.conversation import Completer, Completion
from hybrid_agent.errors import InputError
from services.gateway.chat_types import ChatRequest
from services.gateway.conversation import Asked
from services.gateway.metrics import Metrics
from services.gateway.parts import Parts
from services.gateway.problems import ApiError, explained

DEFAULT_TEMPERATURE = 1.0  # as documented by the API


@dataclass(frozen=True)
class Piece:
    """New text of answer number `index`; with `end` it is whole."""

    index: int
    text: str = ""
    end: Completion | None = None


class Chats:
    """Writes answers. Threads have a completer of their own each, made when it is first needed."""

    def __init__(self, config: GatewayChat, parts: Parts, metrics: Metrics) -> None:
        self.config, self.parts, self.metrics = config, parts, metrics
        self._pool = ThreadPoolExecutor(config.concurrent, thread_name_prefix="chat")
        self._own = threading.local()
        self._open = 0

    def close(self) -> None:
        """Take no more; answers under way are left to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def pieces(self, request: ChatRequest, question: Asked) -> AsyncIterator[Piece]:
        """The answers, piece by piece. Leaving the loop stops the writing.

        Raises:
            ApiError: the request cannot be answered, or too many are waiting.
        """
        self._check(request)
        loop = asyncio.get_running_loop()
        news: asyncio.Queue[Piece | Exception | None] = asyncio.Queue()
        gone = threading.Event()

        def put(what: Piece | Exception | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.put_nowait, what)

        self._open += 1
        begun, outcome = time.monotonic(), "left"
        try:
            self._pool.submit(self._write, request, question, put, gone.is_set)
            while (piece := await news.get()) is not None:
                if isinstance(piece, Exception):
                    outcome = "refused" if isinstance(piece, InputError | ApiError) else "failed"
                    raise explained(piece)
                yield piece
            outcome = "ok"
        finally:
            gone.set()
            self._open -= 1
            self.metrics.chats.labels(outcome).inc()
            self.metrics.chat_seconds.observe(time.monotonic() - begun)

    def _check(self, request: ChatRequest) -> None:
        if request.model != self.config.model:
            message = f"the model {request.model[:100]!r} does not exist; use {self.config.model!r}"
            raise ApiError(404, message, param="model", code="model_not_found")
        total = (request.n or 1) * self._limit(request)
        if total > self.config.most_tokens:
            message = f"{total} tokens are asked for, at most {self.config.most_tokens} are given"
            raise ApiError(400, message, param="max_tokens")
        if self._open >= self.config.concurrent + self.config.queue:
            self.metrics.refused.labels("chats").inc()
            raise ApiError.overloaded(f"{self._open} answers are being written or waiting already")

    def _limit(self, request: ChatRequest) -> int:
        given = request.max_completion_tokens or request.max_tokens
        return given or min(self.config.max_tokens, self.config.most_tokens // (request.n or 1))

    def _write(
        self,
        request: ChatRequest,
        question: Asked,
        put: Callable[[Piece | Exception | None], None],
        gone: Callable[[], bool],
    ) -> None:
        try:
            completer = self._completer()
            seed = request.seed if request.seed is not None else secrets.randbits(31)
            stop = (request.stop,) if isinstance(request.stop, str) else request.stop or ()
            heat = DEFAULT_TEMPERATURE if request.temperature is None else request.temperature
            for index in range(request.n or 1):

                def told(text: str, index: int = index) -> bool:
                    put(Piece(index, text))
                    return gone()

                end = completer.complete(
                    question.messages,
                    schema=question.schema,
                    max_tokens=self._limit(request),
                    temperature=heat,
                    seed=seed + index,
                    stop=stop,
                    told=told,
                )
                if gone():
                    return
                self.metrics.chat_tokens.labels("prompt").inc(end.prompt_tokens)
                self.metrics.chat_tokens.labels("completion").inc(end.tokens)
                put(Piece(index, end=end))
            put(None)
        except Exception as error:  # of any kind: it must reach the client's coroutine
            put(error)

    def _completer(self) -> Completer:
        found: Completer | None = getattr(self._own, "completer", None)
        if found is None:
            found = self._own.completer = self.parts.completer()
        return found
