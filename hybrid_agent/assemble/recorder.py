"""Turning an episode's steps and outcome into a stored trace."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from hybrid_agent.agent.options import EpisodeResult
from hybrid_agent.types import CodeArtifact, Outcome, Step, TestCounts

LANGUAGES = {".py": "python", ".sh": "bash", ".js": "javascript", ".c": "c", ".go": "go", ".rs": "rust"}


def outcome(result: EpisodeResult) -> Outcome:
    """How the trace calls the end of an episode (the agent's own view; a judge may disagree)."""
    if result.infra:
        return "infra_failure"
    if result.verified:
        return "success"
    return "partial" if result.status == "unsure" else "fail"


def count_checks(steps: Iterable[Step]) -> TestCounts:
    """How many of the agent's own step checks passed and failed."""
    passed = failed = 0
    logs: list[str] = []
    for step in steps:
        if step.action != "plan" or step.obs is None or not _is_done_call(step.content):
            continue
        if step.obs.ok:
            passed += 1
        else:
            failed += 1
            logs.append(step.obs.stderr[:200])
    return TestCounts(passed=passed, failed=failed, logs="\n".join(logs))


def code_artifacts(changed: Iterable[str], read: Callable[[str], bytes | None]) -> tuple[CodeArtifact, ...]:
    """The source files among the changed paths that still exist, with a hash of their syntax tree or text."""
    found = []
    for path in sorted(set(changed)):
        lang = LANGUAGES.get(PurePosixPath(path).suffix)
        data = read(path) if lang else None
        if lang and data is not None:
            found.append(CodeArtifact(path=path, lang=lang, ast=_fingerprint(data, lang)))
    return tuple(found)


def _fingerprint(data: bytes, lang: str) -> str:
    if lang == "python":
        # If it does not parse, its text stands for it.
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            data = ast.dump(ast.parse(data)).encode()
    return hashlib.sha256(data).hexdigest()


def _is_done_call(content: str) -> bool:
    try:
        call = json.loads(content)
    except ValueError:
        return False
    return isinstance(call, dict) and call.get("tool") == "plan" and call.get("args", {}).get("op") == "done"
