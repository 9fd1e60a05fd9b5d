"""POST /v1/chat/completions and GET /v1/models, as OpenAI's clients expect them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from services.gateway.answers import AsciiJSON
from services.gateway.chat_types import ChatRequest
from services.gateway.chats import Chats, Piece
from services.gateway.conversation import Asked, answer, asked
from services.gateway.problems import ApiError

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])
OK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a chat completion, or with stream=true its chunks as server-sent events",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}


@router.get("/models")
async def models(request: Request) -> dict[str, Any]:
    """The one model that this server has."""
    return {"object": "list", "data": [_model(request)]}


@router.get("/models/{name}")
async def model(request: Request, name: str) -> dict[str, Any]:
    """The model of that name."""
    found = _model(request)
    if name != found["id"]:
        raise ApiError(404, f"the model {name[:100]!r} does not exist", param="model", code="model_not_found")
    return found


@router.post("/chat/completions", responses=OK, response_class=Response)
async def chat(request: Request, body: ChatRequest) -> Response:
    """Continue a conversation. Answers under a schema always satisfy it, unless their budget cut them off."""
    chats: Chats = request.app.state.chats
    question = asked(body)
    pieces = chats.pieces(body, question)
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    head["system_fingerprint"] = f"fp_{request.app.state.model[:10]}"
    if body.stream:
        first = await anext(pieces, None)  # errors up to here still have a status of their own
        return StreamingResponse(_chunks(body, question, head, first, pieces), media_type="text/event-stream")
    ends = [(piece.index, piece.end) async for piece in pieces if piece.end is not None]
    choices = []
    for index, end in ends:
        message, reason = answer(end.text, end.complete, question.wrapped)
        choices.append({"index": index, "message": message, "logprobs": None, "finish_reason": reason})
    usage = _usage(ends[0][1].prompt_tokens, sum(end.tokens for _, end in ends))
    return AsciiJSON({**head, "object": "chat.completion", "choices": choices, "usage": usage})


async def _chunks(
    body: ChatRequest, question: Asked, head: dict[str, Any], first: Piece | None, rest: AsyncIterator[Piece]
) -> AsyncIterator[bytes]:
    shown = bool(body.stream_options and body.stream_options.include_usage)
    head = {**head, "object": "chat.completion.chunk"}
    begun: set[int] = set()
    tokens, prompt = 0, 0

    def chunk(index: int, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _data({**head, "choices": [choice], **({"usage": None} if shown else {})})

    async def pieces() -> AsyncIterator[Piece]:
        if first is not None:
            yield first
        async for piece in rest:
            yield piece

    try:
        async for piece in pieces():
            if piece.index not in begun:
                begun.add(piece.index)
                yield chunk(piece.index, {"role": "assistant", "content": None if question.wrapped else ""})
            if piece.text and not question.wrapped:
                yield chunk(piece.index, {"content": piece.text})
            if piece.end is not None:
                tokens, prompt = tokens + piece.end.tokens, piece.end.prompt_tokens
                message, reason = answer(piece.end.text, piece.end.complete, question.wrapped)
                if question.wrapped:
                    yield chunk(piece.index, _whole(message))
                yield chunk(piece.index, {}, reason)
    except ApiError as error:  # the status is sent already
        yield _data({"error": error.detail.model_dump()})
        return
    if shown:
        yield _data({**head, "choices": [], "usage": _usage(prompt, tokens)})
    yield b"data: [DONE]\n\n"


def _whole(message: dict[str, Any]) -> dict[str, Any]:
    """A message as one delta."""
    calls = message.get("tool_calls")
    if calls is None:
        return {"content": message["content"]}
    return {"tool_calls": [{"index": at, **call} for at, call in enumerate(calls)]}


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n\n"


def _model(request: Request) -> dict[str, Any]:
    state = request.app.state
    return {"id": state.config.gateway.chat.model, "object": "model", "created": state.started, "owned_by": "local"}
