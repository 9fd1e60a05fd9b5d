"""From a chat request to what a completer is asked, and from its text to a message."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.chat_types import (
    AssistantMessage,
    ChatRequest,
    Content,
    NamedTool,
    ObjectFormat,
    SchemaFormat,
    ToolSpec,
)

ANY_OBJECT = {"type": "object"}


@dataclass(frozen=True)
class Asked:
    """What a completer gets. `wrapped`: the text is `{"name", "arguments"}` or `{"content"}`, not the answer itself."""

    messages: list[dict[str, str]]
    schema: Any
    wrapped: bool


def asked(request: ChatRequest) -> Asked:
    """The conversation, and the schema that the answer must satisfy."""
    tools = _usable(request)
    schema = _format(request)
    if not tools:
        return Asked(_messages(request, ()), schema, False)
    cases: list[Any] = [_call(tool) for tool in tools]
    if request.tool_choice in (None, "auto"):
        content = schema if schema is not None else {"type": "string"}
        cases.append(_object({"content": content}))
    return Asked(_messages(request, tools), {"anyOf": [_moved(c, f"#/anyOf/{i}") for i, c in enumerate(cases)]}, True)


def answer(text: str, complete: bool, wrapped: bool) -> tuple[dict[str, Any], str]:
    """The message and its finish reason."""
    if not wrapped:
        return {"role": "assistant", "content": text, "refusal": None}, "stop" if complete else "length"
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):  # cut off by its budget
        return {"role": "assistant", "content": "", "refusal": None}, "length"
    if "content" in said:
        content = said["content"] if isinstance(said["content"], str) else _compact(said["content"])
        return {"role": "assistant", "content": content, "refusal": None}, "stop"
    function = {"name": said["name"], "arguments": _compact(said["arguments"])}
    call = {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}, "tool_calls"


def _usable(request: ChatRequest) -> tuple[ToolSpec, ...]:
    tools, choice = request.tools or (), request.tool_choice
    if choice == "none":
        return ()
    if isinstance(choice, NamedTool):
        return tuple(tool for tool in tools if tool.function.name == choice.function.name)
    return tools


def _format(request: ChatRequest) -> Any:
    match request.response_format:
        case SchemaFormat(json_schema=named):
            return named.schema_ if named.schema_ is not None else ANY_OBJECT
        case ObjectFormat():
            return ANY_OBJECT
    return None


def _messages(request: ChatRequest, tools: tuple[ToolSpec, ...]) -> list[dict[str, str]]:
    found = [{"role": "system", "content": _about(tools)}] if tools else []
    for message in request.messages:
        role = "system" if message.role == "developer" else message.role
        if isinstance(message, AssistantMessage):
            calls = [_said(call.function.name, call.function.arguments) for call in message.tool_calls or ()]
            spoken = [_text(message.content)] if message.content else []
            found.append({"role": role, "content": "\n".join([*spoken, *calls]) or message.refusal or ""})
        else:
            found.append({"role": role, "content": _text(message.content)})
    return found


def _about(tools: tuple[ToolSpec, ...]) -> str:
    lines = [_compact({"name": t.function.name, "parameters": _parameters(t)}) for t in tools]
    notes = [f"{t.function.name}: {t.function.description}" for t in tools if t.function.description]
    how = 'To call a tool, reply with {"name": NAME, "arguments": {...}}; to answer, with {"content": TEXT}. Tools:'
    return "\n".join([how, *lines, *notes])


def _call(tool: ToolSpec) -> dict[str, Any]:
    return _object({"name": {"const": tool.function.name}, "arguments": _parameters(tool)})


def _parameters(tool: ToolSpec) -> dict[str, Any]:
    given = tool.function.parameters
    return given if given else {"type": "object", "properties": {}, "additionalProperties": False}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    names = list(properties)
    return {"type": "object", "properties": dict(properties), "required": names, "additionalProperties": False}


def _moved(case: dict[str, Any], place: str) -> dict[str, Any]:
    """The case with the pointers inside its schemas as seen from the whole."""
    properties = {
        name: _pointed(schema, f"{place}/properties/{name}") if name in ("arguments", "content") else schema
        for name, schema in case["properties"].items()
    }
    return {**case, "properties": properties}


def _pointed(node: Any, place: str) -> Any:
    if isinstance(node, dict):
        return {
            key: place + value[1:]
            if key == "$ref" and isinstance(value, str) and value.startswith("#") and value[1:2] in ("", "/")
            else _pointed(value, place)
            for key, value in node.items()
        }
    return [_pointed(one, place) for one in node] if isinstance(node, list) else node


def _said(name: str, arguments: str) -> str:
    return f'{{"name":{json.dumps(name)},"arguments":{arguments}}}'


def _text(content: Content) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
