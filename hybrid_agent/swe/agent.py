"""The patch loop: test, localise, propose, check, rank, test again, until the tests pass or the budget is spent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Decoder, Memory, Sandbox
from hybrid_agent.swe.attempt import Attempt
from hybrid_agent.swe.command import read_command
from hybrid_agent.swe.options import RepairOptions
from hybrid_agent.swe.project import copy_project
from hybrid_agent.swe.result import RepairResult
from hybrid_agent.swe.testing import Tester

MakeSandbox = Callable[[Path], Sandbox]


def repair(
    repo: Path,
    test_cmd: Sequence[str],
    make_sandbox: MakeSandbox,
    *,
    options: RepairOptions | None = None,
    statement: str = "",
    targets: Sequence[str] = (),
    decoder: Decoder | None = None,
    memory: Memory | None = None,
    report: Callable[[str], None] | None = None,
) -> RepairResult:
    """Look for a patch that makes the tests of a repository pass. The repository itself is never written to.

    Args:
        repo: root of the repository (a git work tree or a plain folder); a copy of it is worked on.
        test_cmd: the test command as argv, e.g. ["pytest", "-q"]; run at the root of the copy.
        make_sandbox: called once with the copy; all commands run in what it returns, which is closed at the end.
        options: budget and the rest.
        statement: what is wrong, in words, if known (an issue's text); only used to find the place.
        targets: ids of the tests that must come to pass; empty: all that fail now.
        decoder: also asked for edits, if given.
        memory: asked for edits that helped before, if given.
        report: told one line at each stage.

    Returns:
        The patch and its evidence. Failing to find one is a result, not an error.

    Raises:
        InputError: there is no such folder, or the command is empty.
        SandboxError: the sandbox could not be built.
    """
    options = options or RepairOptions()
    command = read_command(test_cmd)
    if not repo.is_dir():
        raise InputError(f"no such folder: {repo}", field="repo_root", fix="name the root of the repository")
    with tempfile.TemporaryDirectory(prefix="hybrid-agent-fix-", ignore_cleanup_errors=True) as scratch:
        project = copy_project(repo, Path(scratch, "copy"))
        sandbox = make_sandbox(project.root)
        try:
            tester = Tester(sandbox, command, options, project.import_paths())
            attempt = Attempt(project, tester, options, statement, targets, decoder, memory, report or _quiet)
            return attempt.run()
        finally:
            sandbox.close()


def _quiet(text: str) -> None:
    """Say nothing."""
