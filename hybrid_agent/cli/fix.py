"""`hybrid-agent fix`: look for a patch that makes a repository's tests pass.

Exit codes: 0 the tests pass with the patch, or did before; 1 no patch (or one that is not enough); 2 bad input, which
includes a test command that runs no test; 3 the sandbox failed; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid_agent.errors import InputError

if TYPE_CHECKING:
    from hybrid_agent.protocols import Decoder
    from hybrid_agent.swe.result import RepairResult

OK, NO_PATCH, BAD_INPUT = 0, 1, 2
CODES = {"fixed": OK, "already_passing": OK, "improved": NO_PATCH, "not_fixed": NO_PATCH,
         "no_tests": BAD_INPUT, "cannot_run": BAD_INPUT}  # fmt: skip


def fix(
    repo_root: Annotated[
        Path, typer.Option("--repo_root", "--repo-root", help="Root of the repository; it is copied, not changed.")
    ] = Path(),
    test_cmd: Annotated[str, typer.Option("--test_cmd", "--test-cmd", help="How its tests are run.")] = "pytest -q",
    budget: Annotated[int, typer.Option(min=1, help="Most test runs.")] = 60,
    out: Annotated[Path | None, typer.Option(help="Write the patch here.", show_default=False)] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the patch to the repository (git apply).")] = False,
    issue: Annotated[
        str, typer.Option(help="What is wrong, in words; helps to find the place.", show_default=False)
    ] = "",
    target: Annotated[
        list[str] | None, typer.Option(help="Id of a test that must come to pass; default: all that fail.")
    ] = None,
    include: Annotated[list[str] | None, typer.Option(help="Glob of files that may be edited; default: all.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Glob of tests, build or configuration files that may be edited.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="Interpreter of the tests. Default: the repository's .venv, else the system's.")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="Folder of modules inside the sandbox, for PYTHONPATH.")
    ] = None,
    decoder: Annotated[
        str | None, typer.Option(help="Also ask a decoder: tiny, hf:PATH or openai:URL[#MODEL].", show_default=False)
    ] = None,
    order: Annotated[str, typer.Option(help="energy, operator or random.")] = "energy",
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one test run.")] = 120.0,
    test_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for one test; more is an endless loop.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Find a patch that makes the tests pass. Works on a copy, in the sandbox; never edits tests."""
    from hybrid_agent.assemble.swe import repair_sandbox
    from hybrid_agent.swe.agent import repair
    from hybrid_agent.swe.command import split_command
    from hybrid_agent.swe.options import RepairOptions

    if order not in ("energy", "operator", "random"):
        raise InputError(f"unknown order {order!r}", where="--order", fix="use energy, operator or random")
    if not repo_root.is_dir():
        raise InputError(f"no such folder: {repo_root}", where="--repo_root", fix="name the root of the repository")
    repo = repo_root.resolve()
    box = repair_sandbox(python, repo)
    options = RepairOptions(
        budget=budget, order=order, include=tuple(include or ()), allow=tuple(allow or ()), python=box.python,  # type: ignore[arg-type]
        paths=(*box.paths, *(path or ())), timeout_s=timeout, per_test_s=test_timeout, seed=seed,
    )  # fmt: skip
    result = repair(
        repo,
        split_command(test_cmd),
        box.make,
        options=options,
        statement=issue,
        targets=target or (),
        decoder=_decoder(decoder),
        report=None if as_json else lambda line: print(line, file=sys.stderr, flush=True),
    )
    if out is not None:
        _write(out, result)
    applied = apply and result.resolved and _applied(repo, result)
    if as_json:
        print(json.dumps({**result.model_dump(), "resolved": result.resolved, "applied": bool(applied)}))
    else:
        _show(result, out, applied=bool(applied))
    raise typer.Exit(CODES[result.status])


def _decoder(text: str | None) -> Decoder | None:
    if text is None:
        return None
    from hybrid_agent.assemble.decoders import make_decoder, parse_decoder

    return make_decoder(parse_decoder(text))


def _write(out: Path, result: RepairResult) -> None:
    """Write the patch, in one piece; an empty file says that there is none."""
    part = out.with_name(out.name + ".part")
    try:
        part.write_bytes(result.patch.encode(result.encoding))
        part.replace(out)
    except OSError as error:
        raise InputError(
            f"the patch cannot be written: {error}", where="--out", fix="name a file you may write"
        ) from None


def _applied(repo: Path, result: RepairResult) -> bool:
    """Apply the patch to the repository with git.

    Raises:
        InputError: git is missing, or the files changed meanwhile.
    """
    import os
    import shutil
    import subprocess

    if shutil.which("git") is None:
        raise InputError("git is needed to apply the patch", where="--apply", fix="install git, or use --out")
    # A repository around this folder must not change which files the patch names.
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(repo.parent)}
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"], cwd=repo, input=result.patch.encode(result.encoding),
        capture_output=True, env=env, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise InputError(f"the patch does not apply: {said}", where="--apply", fix="use --out and look at it")
    return True


def _show(result: RepairResult, out: Path | None, *, applied: bool) -> None:
    from hybrid_agent.cli.text import safe

    print(f"{result.status.replace('_', ' ')} after {result.runs} test runs")
    print(safe(result.explanation))
    for row in result.tests[:20]:
        print(f"  {row.before:>7} -> {row.after:<7} {safe(row.test)}")
    if len(result.tests) > 20:
        print(f"  ... {len(result.tests) - 20} more")
    for note in result.evidence.get("notes", ()):
        print(f"note: {safe(note)}")
    if result.patch and out is None:
        print(safe(result.patch), end="")
    elif result.patch:
        print(f"patch: {out}")
    if applied:
        print("applied")
