"""A decoder on any OpenAI-compatible server (vLLM, SGLang, llama.cpp, Ollama, ...)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from hybrid_agent.decoder.chat import messages
from hybrid_agent.decoder.watching import told
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.types import Budget, Control, Segment, Window

KEY = "HYBRID_AGENT_API_KEY"


class OpenAIDecoder:
    """Implements `hybrid_agent.protocols.Decoder` over HTTP.

    The server is asked to hold its reply to the call schema (`response_format`). The key, if one is needed, comes
    from the environment variable HYBRID_AGENT_API_KEY.

    Args:
        url: base address, with or without /v1.
        model: the model's name there; None takes the first that the server lists.
        schema: JSON schema of the calls (hybrid_agent.tools.registry.call_schema).
        timeout_s: for one request.
    """

    def __init__(self, url: str, model: str | None, schema: Mapping[str, Any], timeout_s: float = 120.0) -> None:
        self.url = url.rstrip("/") + ("" if url.rstrip("/").endswith("/v1") else "/v1")
        self.schema = schema
        key = os.environ.get(KEY)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(timeout=timeout_s, headers=headers)
        self._model = model

    @property
    def model(self) -> str:
        """The model's name; asks the server if none was given."""
        if self._model is None:
            listed = self._request("GET", "/models").get("data")
            if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict) or "id" not in listed[0]:
                raise InputError("the server lists no model", where=self.url, fix="name one: openai:URL#MODEL")
            self._model = str(listed[0]["id"])
        return self._model

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """Ask for budget.k replies; equal ones are given once.

        Raises:
            InfraError: the server is away, failed, or answered with something else than a chat completion.
            InputError: the server refused the request (key, model name, schema).
        """
        body = {
            "model": self.model,
            "messages": messages(window, self.schema),
            "max_tokens": budget.max_tokens,
            "temperature": budget.temperature,
            "seed": budget.seed,
            "n": budget.k if budget.temperature > 0 else 1,
            "logprobs": True,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "tool_call", "schema": _standard(self.schema), "strict": True},
            },
        }
        reply = self._request("POST", "/chat/completions", body)
        try:
            segments = [_segment(choice) for choice in reply["choices"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InfraError(f"{self.url}: the reply is no chat completion ({error!r})") from error
        if not segments:
            raise InfraError(f"{self.url}: the reply holds no choice")
        unique = list({segment.text: segment for segment in segments}.values())
        return told(unique, watch)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = self._client.request(method, self.url + path, json=body)
        except httpx.TimeoutException as error:
            raise InfraError(f"{self.url}: no answer within the time limit") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise InputError(f"not a usable address: {error}", where=self.url, fix="http://HOST:PORT/v1") from error
        except httpx.HTTPError as error:
            raise InfraError(f"{self.url}: cannot be reached ({error})") from error
        if response.status_code in (401, 403):
            raise InputError("the server refused the key", where=self.url, field=KEY, fix=f"export {KEY}=...")
        if response.status_code == 404:
            fix = "check the address and the model's name (openai:URL#MODEL)"
            raise InputError(f"not found: {_complaint(response)}", where=self.url + path, fix=fix)
        if 400 <= response.status_code < 500 and response.status_code not in (408, 429):
            raise InputError(f"the server refused the request: {_complaint(response)}", where=self.url + path)
        if response.status_code >= 400:
            raise InfraError(f"{self.url}: HTTP {response.status_code}: {_complaint(response)}")
        try:
            data = response.json()
        except ValueError as error:
            raise InfraError(f"{self.url}: the reply is not JSON") from error
        if not isinstance(data, dict):
            raise InfraError(f"{self.url}: the reply is not a JSON object")
        return data


def _segment(choice: Mapping[str, Any]) -> Segment:
    """One choice of the reply."""
    tokens = (choice.get("logprobs") or {}).get("content") or []
    return Segment(
        text=_bare(str(choice["message"]["content"] or "")),
        logprob=float(sum(token["logprob"] for token in tokens)),
        tokens=len(tokens),
        complete=choice.get("finish_reason") != "length",
    )


def _bare(text: str) -> str:
    """Without the code fence that servers lacking `response_format` let models write."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    return text


def _complaint(response: httpx.Response) -> str:
    """What the server says is wrong, in one line."""
    try:
        error = response.json().get("error", response.text)
        text = error.get("message", json.dumps(error)) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError):
        text = response.text
    return " ".join(text.split())[:300] or response.reason_phrase


def _standard(node: Any) -> Any:
    """The schema without our own `x-span` marks."""
    if isinstance(node, Mapping):
        return {key: _standard(value) for key, value in node.items() if key != "x-span"}
    return [_standard(item) for item in node] if isinstance(node, list) else node
