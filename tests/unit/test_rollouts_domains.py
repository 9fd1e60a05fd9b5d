"""Which domain and expert a call belongs to."""

from __future__ import annotations

import pytest

from hybrid_agent.traces.domains import domain_of, expert_of
from hybrid_agent.types import ToolCall

CASES = [
    ("shell", {"cmd": "ls"}, "shell", "shell"),
    ("exec_code", {"lang": "python", "code": "1"}, "code", "python"),
    ("fs", {"op": "write", "path": "a/b.py", "text": ""}, "code", "python"),
    ("fs", {"op": "read", "path": "a/b.py"}, "editor", "editor"),
    ("editor", {"path": "x.py", "edits": [{"op": "append", "text": "y"}]}, "code", "python"),
    ("editor", {"path": "notes.txt", "edits": [{"op": "append", "text": "y"}]}, "editor", "editor"),
    ("editor", {"path": "notes.txt", "edits": [{"op": "set", "key": "a", "value": "1"}]}, "editor", "config"),
    ("editor", {"path": "app/Dockerfile", "edits": [{"op": "append", "text": "y"}]}, "editor", "config"),
    ("editor", {"path": "docker-compose.yml", "edits": []}, "editor", "config"),
    ("fs", {"op": "write", "path": ".env", "text": "A=1"}, "editor", "config"),
    ("fs", {"op": "mkdir", "path": "docs"}, "editor", "editor"),
    ("plan", {"op": "done", "check": {"kind": "exists", "path": "a.py"}}, "editor", "generalist"),
    ("finish", {"status": "done", "summary": ""}, "editor", "generalist"),
    ("ask", {"question": "which?"}, "editor", "generalist"),
]


@pytest.mark.parametrize(("tool", "args", "domain", "expert"), CASES)
def test_call_and_its_text_agree(tool: str, args: dict[str, object], domain: str, expert: str) -> None:
    call = ToolCall(tool=tool, args=args)
    assert (domain_of(call), expert_of(call)) == (domain, expert)
    assert (domain_of(call.model_dump_json()), expert_of(call.model_dump_json())) == (domain, expert)


@pytest.mark.parametrize("text", ["", "not json", "[]", "3", '{"tool": 4}', '{"tool": "fs", "args": {"path": 7}}'])
def test_text_that_is_no_call_has_a_domain_too(text: str) -> None:
    assert domain_of(text) == "editor"
    assert expert_of(text) in ("generalist", "editor")
