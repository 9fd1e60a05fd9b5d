"""Chats where the decoder is an OpenAI-compatible server: passed on, with the schema as its `response_format`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from hybrid_agent.decoder.conversation import Completion
from hybrid_agent.decoder.openai import KEY
from hybrid_agent.errors import InfraError, InputError


class UpstreamCompleter:
    """Implements `hybrid_agent.decoder.conversation.Completer`. Text comes in one piece.

    Args:
        target: URL[#MODEL], as in `decoder=openai:URL#MODEL`.
    """

    def __init__(self, target: str, timeout_s: float = 300.0) -> None:
        url, _, self._model = target.partition("#")
        self._url = url.rstrip("/") + ("" if url.rstrip("/").endswith("/v1") else "/v1")
        key = os.environ.get(KEY)
        self._client = httpx.Client(timeout=timeout_s, headers={"Authorization": f"Bearer {key}"} if key else {})

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
        """See `Completer`."""
        body: dict[str, Any] = {
            "model": self._model or self._first_model(),
            "messages": [dict(message) for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        if stop:
            body["stop"] = list(stop)
        if schema is not None:
            named = {"name": "answer", "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        reply = self._ask("POST", "/chat/completions", body)
        try:
            choice, usage = reply["choices"][0], reply.get("usage") or {}
            text = str(choice["message"].get("content") or "")
            end = Completion(
                text,
                choice.get("finish_reason") != "length",
                int(usage.get("prompt_tokens") or 0),
                int(usage.get("completion_tokens") or 0),
            )
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise InfraError(f"the model server's reply is no chat completion ({error!r})") from error
        if told is not None and text:
            told(text)
        return end

    def _first_model(self) -> str:
        listed = self._ask("GET", "/models", None).get("data")
        if not isinstance(listed, list) or not listed:
            raise InfraError("the model server lists no model")
        self._model = str(listed[0]["id"])
        return self._model

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            response = self._client.request(method, self._url + path, json=body)
            data = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise InfraError(f"the model server is away ({type(error).__name__})") from error
        if 400 <= response.status_code < 500 and response.status_code not in (401, 403, 404, 408, 429):
            raise InputError(f"the model server refused it: {str(data)[:300]}")
        if response.status_code >= 400 or not isinstance(data, dict):
            raise InfraError(f"the model server answered {response.status_code}")
        return data
