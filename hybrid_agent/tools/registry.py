"""All tools, the schema of a call, and the parser of calls (from the model or from a person).

Loads without torch and quickly: constrained decoding, the command line and the services import it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.tools import ask, editor, exec_code, finish, fs, plan, shell
from hybrid_agent.tools.complaint import complaint, shown
from hybrid_agent.tools.schema import Schema, call_object, flat_schema
from hybrid_agent.tools.tool import Tool
from hybrid_agent.types import CallPolicy, ToolCall

TOOLS: dict[str, Tool] = {
    tool.name: tool for tool in (fs.TOOL, editor.TOOL, exec_code.TOOL, shell.TOOL, plan.TOOL, ask.TOOL, finish.TOOL)
}
MAX_CALL = 200_000  # characters of a call's JSON


@functools.cache
def adapter(tool: str) -> TypeAdapter[Any]:
    """The validator of one tool's args."""
    return TypeAdapter(TOOLS[tool].args)


@functools.cache
def _call_schema(tools: tuple[str, ...]) -> Schema:
    policy = flat_schema(CallPolicy)
    return {"anyOf": [call_object(name, flat_schema(TOOLS[name].args), policy) for name in tools]}


def call_schema(tools: Iterable[str] | None = None) -> Schema:
    """One JSON schema that accepts exactly the calls of the given tools (all by default).

    Raises:
        InputError: a tool does not exist.
    """
    names = tuple(TOOLS if tools is None else tools)
    for name in names:
        _known(name)
    fresh: Schema = json.loads(json.dumps(_call_schema(names)))
    return fresh


def parse_call(call: str | bytes | Mapping[str, Any]) -> ToolCall:
    """Read one call and check it against its tool.

    Raises:
        InputError: one line that names the field and what to write there.
    """
    data = _decode(call) if isinstance(call, str | bytes) else call
    if not isinstance(data, Mapping):
        raise InputError(f"a call is a JSON object, not {shown(data)}", where="call", fix='{"tool":...,"args":{...}}')
    for key in data:
        if key not in ("tool", "args", "policy"):
            raise InputError("unknown field", where="call", field=shown(key), fix="only tool, args and policy")
    for key in ("tool", "args"):
        if key not in data:
            raise InputError("is missing", where="call", field=key, fix='{"tool":...,"args":{...}}')
    tool = data["tool"]
    if not isinstance(tool, str):
        raise InputError(f"must be a string, not {shown(tool)}", where="call", field="tool", fix=_tool_list())
    _known(tool)
    args = dump_args(tool, parse_args(tool, data["args"]))
    try:
        policy = CallPolicy.model_validate(data["policy"]) if "policy" in data else TOOLS[tool].policy
    except ValidationError as error:
        raise complaint(error, field="policy", value=data["policy"]) from None
    return ToolCall(tool=tool, args=args, policy=policy)


def parse_args(tool: str, args: Any) -> Any:
    """The tool's args model for a plain dict.

    Raises:
        InputError: names the field, as `parse_call` does.
    """
    _known(tool)
    if not isinstance(args, Mapping):
        raise InputError(f"must be an object, not {shown(args)}", where=f"{tool} call", field="args", fix="{...}")
    try:
        parsed = adapter(tool).validate_python(dict(args))
    except ValidationError as error:
        raise complaint(error, where=f"{tool} call", field="args", value=args) from None
    except RecursionError:
        raise InputError("is nested too deeply", where=f"{tool} call", field="args", fix="flat values") from None
    _no_bad_characters(tool, args)
    return parsed


def dump_args(tool: str, args: Any) -> dict[str, Any]:
    """Args as a plain dict in schema order, unset and empty optional fields left out."""
    plain: dict[str, Any] = adapter(tool).dump_python(args, mode="json", exclude_unset=True, exclude_none=True)
    return plain


def call_json(call: ToolCall) -> str:
    """The canonical text of a call: compact, fixed key order, the policy only when it is not the tool's default."""
    body: dict[str, Any] = {"tool": call.tool, "args": call.args}
    if call.policy not in (CallPolicy(), TOOLS[call.tool].policy):
        body["policy"] = call.policy.model_dump()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _tool_list() -> str:
    return "one of " + ", ".join(TOOLS)


def _known(tool: str) -> None:
    if tool not in TOOLS:
        raise InputError(f"there is no tool {shown(tool)}", where="call", field="tool", fix=_tool_list())


def _decode(text: str | bytes) -> Any:
    fix = '{"tool":...,"args":{...}}'
    try:
        text = text.decode() if isinstance(text, bytes) else text
        if len(text) > MAX_CALL:
            raise InputError(f"is longer than {MAX_CALL} characters", where="call", fix="a shorter call")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 at byte {error.start}", where="call", fix="UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg} at character {error.pos}", where="call", fix=fix) from None
    except RecursionError:
        raise InputError("is nested too deeply", where="call", fix=fix) from None
    except ValueError:  # an integer of thousands of digits
        raise InputError("holds a number that is too long", where="call", fix="a shorter number") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise InputError("is given twice", where="call", field=shown(key), fix="give it once")
        out[key] = value
    return out


def _no_constant(name: str) -> Any:
    raise InputError(f"{name} is not JSON", where="call", fix="a finite number")


def _no_bad_characters(tool: str, value: Any, field: str = "args") -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _no_bad_characters(tool, item, f"{field}.{key}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _no_bad_characters(tool, item, f"{field}.{place}")
    elif isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise InputError("holds half of a character pair", where=f"{tool} call", field=field, fix="valid Unicode")
        if "\0" in value and field.rsplit(".", 1)[-1] != "text":
            raise InputError("holds a zero byte", where=f"{tool} call", field=field, fix="remove it")
