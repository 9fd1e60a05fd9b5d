"""Where a `$ref` points to, within one schema document."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from hybrid_agent.constrain.problem import problem, step

MAX_NODES = 50_000
MAX_DEPTH = 200


def find_anchors(root: Any) -> dict[str, str]:
    """Map each `$anchor` name of the document to the pointer (`#/...`) of its schema."""
    anchors: dict[str, str] = {}
    pending: list[tuple[str, Any, int]] = [("#", root, 0)]
    for _ in range(MAX_NODES):
        if not pending:
            break
        at, node, depth = pending.pop()
        if depth > MAX_DEPTH:
            continue
        if isinstance(node, dict):
            name = node.get("$anchor")
            if isinstance(name, str):
                anchors.setdefault(name, at)
            pending.extend(
                (step(at, key), value, depth + 1) for key, value in node.items() if key not in ("const", "enum")
            )
        elif isinstance(node, list | tuple):
            pending.extend((step(at, index), value, depth + 1) for index, value in enumerate(node))
    return anchors


def resolve(root: Any, reference: Any, at: str, anchors: dict[str, str]) -> tuple[str, Any]:
    """Return (canonical pointer, schema) that `reference` names.

    Raises:
        GrammarError: not a string, remote, or it names nothing in the document.
    """
    if not isinstance(reference, str):
        raise problem(at, "must be a string")
    if not reference.startswith("#"):
        raise problem(at, f"remote reference {reference!r} is not supported", "copy the schema into $defs")
    fragment = unquote(reference[1:])
    if fragment and not fragment.startswith("/"):
        if fragment not in anchors:
            raise problem(at, f"no $anchor named {fragment!r} in this schema")
        fragment = anchors[fragment][1:]
    node, pointer = root, "#"
    for token in fragment.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        pointer = step(pointer, token)
        if isinstance(node, dict) and token in node:
            node = node[token]
        elif isinstance(node, list | tuple) and token.isdecimal() and int(token) < len(node):
            node = node[int(token)]
        else:
            raise problem(at, f"{reference!r} names nothing in this schema")
    return pointer, node
