"""What a patch does in its repository: does it apply, does the code still compile, which tests does it break."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hybrid_agent.protocols import Sandbox
from hybrid_agent.swe.bench.repos import apply_patch, check_patch, git, locate, tree
from hybrid_agent.swe.command import TestCommand
from hybrid_agent.swe.options import RepairOptions
from hybrid_agent.swe.project import copy_project
from hybrid_agent.swe.rerank.diff import PatchView, read_patch
from hybrid_agent.swe.rerank.features import Evidence
from hybrid_agent.swe.testing import GOOD, Tester, TestRun


@dataclass(frozen=True)
class TestSetup:
    """How tests are run: the command, a sandbox on a folder, and options (interpreter, time limits)."""

    __test__ = False

    command: TestCommand
    make_sandbox: Callable[[Path], Sandbox]
    options: RepairOptions


def look(row: Mapping[str, Any], patches: Sequence[str], root: str | None, tests: TestSetup | None) -> list[Evidence]:
    """The evidence on each patch of one instance; equal patches are looked at once.

    Args:
        row: `repo` and `base_commit`, perhaps `test_patch`, which is never used here.
        patches: unified diffs.
        root: where repositories are, as in `bench.repos.locate`.
        tests: run the tests that the base commit has; None: only apply and compile.

    Raises:
        InputError: there is no such repository or commit.
    """
    repository, commit = locate(str(row["repo"]), root), str(row["base_commit"])
    before: TestRun | None = None
    found: dict[str, Evidence] = {"": Evidence()}
    with tree(repository, commit) as base:
        for patch in dict.fromkeys(patches):
            if patch.strip():
                found[patch] = _static(patch, base)
    if tests is not None and any(evidence.applies for evidence in found.values()):
        with tree(repository, commit) as folder:
            before = _run(folder, tests)
        for patch, evidence in found.items():
            if not evidence.applies or not before.outcomes:
                continue
            with tree(repository, commit) as folder:
                _apply_to_code(patch, folder)
                found[patch] = _compared(evidence, before, _run(folder, tests))
    return [found[patch if patch.strip() else ""] for patch in patches]


def _static(patch: str, base: Path) -> Evidence:
    if check_patch(patch, base) is not None:
        return Evidence(applies=False)
    view = read_patch(patch)
    apply_patch(patch, base)
    parses = all(_compiles(base / file.path) for file in view.files if file.path.endswith(".py") and not file.gone)
    found = Evidence(applies=True, parses=parses, symbols=tuple(_symbols(base, view)))
    git(base, "reset", "--quiet", "--hard", "HEAD~1")
    return found


def _compiles(path: Path) -> bool:
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return False
    return True


def _symbols(root: Path, view: PatchView) -> list[str]:
    """Functions and classes around the hunks, in the patched files."""
    names: dict[str, None] = {}
    for file in view.files:
        try:
            module = ast.parse((root / file.path).read_bytes())
        except (SyntaxError, ValueError, OSError, RecursionError):
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                last = node.end_lineno or node.lineno
                if any(h.start <= last and h.start + h.length >= node.lineno for h in file.hunks):
                    names[node.name] = None
    return list(names)


def _apply_to_code(patch: str, folder: Path) -> None:
    """Apply a patch, then put the base commit's tests back: a patch must not vote on itself."""
    apply_patch(patch, folder)
    for file in read_patch(patch).files:
        if file.is_test:
            kept = git(folder, "checkout", "--quiet", "HEAD~1", "--", file.path)
            if kept.returncode:  # a test file that is new
                (folder / file.path).unlink(missing_ok=True)


def _run(folder: Path, tests: TestSetup) -> TestRun:
    with tempfile.TemporaryDirectory(prefix="swe-rerank-", ignore_cleanup_errors=True) as scratch:
        project = copy_project(folder, Path(scratch) / "copy")
        sandbox = tests.make_sandbox(project.root)
        try:
            return Tester(sandbox, tests.command, tests.options, project.import_paths()).run()
        finally:
            sandbox.close()


def _compared(evidence: Evidence, before: TestRun, after: TestRun) -> Evidence:
    passed = [test for test in before.passing if after.outcomes.get(test) not in GOOD]
    failing = before.failing
    fixed = sum(after.outcomes.get(test) == "passed" for test in failing)
    return replace(evidence, broken=len(passed), fixed=fixed, failing=len(failing))
