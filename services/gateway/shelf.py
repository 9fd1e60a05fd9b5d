"""The folder of runs as a gateway finds and leaves it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_text
from services.gateway.history import progress
from services.gateway.journal import JOURNAL
from services.gateway.requests import RunRequest, RunRow

REQUEST = "request.json"
LOCK = "gateway.lock"


def own(root: Path) -> IO[str]:
    """Take the folder for this process; it is free again when the file is closed, however the process ends.

    Raises:
        InputError: another gateway has it, or it cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / LOCK).open("w")
    except OSError as error:
        raise InputError(f"cannot keep runs here: {error.strerror}", where=str(root), field="runs") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        fix = "stop it, or give each its own: runs=FOLDER"
        raise InputError("another gateway has these runs", where=str(root), fix=fix) from None
    return file


def store_request(run: RunDir, request: RunRequest) -> None:
    """Keep what was asked for, for a gateway that picks the run up."""
    write_text(run.path / REQUEST, request.model_dump_json())


def stored_request(run: RunDir) -> RunRequest:
    """What was asked for."""
    return RunRequest.model_validate_json((run.path / REQUEST).read_bytes())


def stored_runs(root: Path) -> Iterator[tuple[RunDir, RunRow]]:
    """The runs that gateways have begun, oldest first. Damaged ones are left out, and those of which a gateway that
    was killed has told nobody."""
    for path in sorted(root.iterdir()):
        if not (path / JOURNAL).is_file() or not (path / "run.json").is_file():
            continue
        run = RunDir(path)
        try:
            found = progress(path / JOURNAL)
            run.info()
            stored_request(run)
        except (InputError, ValueError, OSError):
            continue
        if found.last is not None:
            yield (
                run,
                RunRow(
                    id=run.run_id,
                    goal=found.last.goal,
                    state=found.last.state,
                    created=found.created,
                    events=found.events,
                    result=found.last.result,
                    reason=found.last.reason,
                ),
            )
