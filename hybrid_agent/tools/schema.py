"""The JSON schema of a tool call, flattened for constrained decoding.

Pydantic's schema is reshaped: references are put in place, alternatives become `anyOf`, titles, descriptions and
defaults go, constants are required, objects are closed. Properties keep the order of the model's fields, which is
the order the decoder writes them in. `x-span` marks stay.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

Schema = dict[str, Any]
_NOISE = ("title", "description", "default", "discriminator", "$defs", "examples")


def flat_schema(kind: Any) -> Schema:
    """The flattened schema of a pydantic model or annotated union."""
    raw = TypeAdapter(kind).json_schema()
    return _flatten(raw, raw.get("$defs", {}))


def call_object(tool: str, args: Schema, policy: Schema) -> Schema:
    """The schema of a call of one tool: {"tool":const,"args":...} and optionally "policy", in this order."""
    return {
        "type": "object",
        "properties": {"tool": {"type": "string", "const": tool}, "args": args, "policy": policy},
        "required": ["tool", "args"],
        "additionalProperties": False,
    }


def _flatten(node: Schema, defs: dict[str, Schema]) -> Schema:
    if "$ref" in node:
        target = defs[node["$ref"].rsplit("/", 1)[1]]
        return _flatten({**target, **{key: value for key, value in node.items() if key != "$ref"}}, defs)
    out = {key: value for key, value in node.items() if key not in _NOISE}
    options = out.pop("oneOf", None) or out.pop("anyOf", None)
    if options is not None:
        kept = [_flatten(option, defs) for option in options if option.get("type") != "null"]
        if len(kept) == 1:  # an optional value: left out rather than null
            return {**kept[0], **out}
        out["anyOf"] = kept
    if "items" in out:
        out["items"] = _flatten(out["items"], defs)
    if out.get("type") == "object":
        properties = {key: _flatten(value, defs) for key, value in out.get("properties", {}).items()}
        needed = set(out.get("required", ())) | {key for key, value in properties.items() if "const" in value}
        out["properties"] = properties
        out["required"] = [key for key in properties if key in needed]
        out["additionalProperties"] = False
    return out
