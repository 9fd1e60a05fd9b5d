"""Calls as a decoder may write them: the schema for the tiny one, and what stands for a call that did not end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hybrid_agent.types import Segment


def without_policy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The call schema without the optional `policy`."""
    cases = [
        {**case, "properties": {key: part for key, part in case["properties"].items() if key != "policy"}}
        for case in schema["anyOf"]
    ]
    return {**schema, "anyOf": cases}


def gave_up(segment: Segment) -> Segment:
    """A valid call in place of one that did not end within its budget."""
    summary = "the next call did not fit into the token budget"
    call = {"tool": "finish", "args": {"status": "unsure", "summary": summary}}
    return segment.model_copy(update={"text": json.dumps(call, separators=(",", ":"))})
