"""Where an episode keeps what it leaves behind: one directory a run, found again by id, prefix or "last".

<runs>/<run_id>/run.json      written first: what runs, on which workspace
                trace.jsonl   every step as it happens
                state/        snapshots, the audit of writes, the revert script
                workspace/    the fresh workspace, if the person named none
                lock          held while the episode runs (the system frees it even after kill -9)
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from hybrid_agent.config.explain import explain, nearest
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.types import Record

RUNS_VARIABLE = "HYBRID_AGENT_RUNS"
LIST_COMMAND = "hybrid-agent runs"


class RunInfo(Record):
    """run.json. `fresh` says that the workspace was made for this run; `model` is the hash of decoder and parts."""

    run_id: str
    goal: str
    workspace: str
    fresh: bool
    decoder: str
    hybrid: str = "greedy"
    model: str
    sandbox: str
    approve: Literal["ask", "auto", "deny"]
    seed: int
    created: str


@dataclass(frozen=True)
class RunDir:
    """One run directory on disk."""

    path: Path

    @property
    def run_id(self) -> str:
        """The directory's name."""
        return self.path.name

    @property
    def trace(self) -> Path:
        """The trace file (may not exist yet)."""
        return self.path / "trace.jsonl"

    @property
    def state(self) -> Path:
        """Folder of the snapshots, the audit and the revert script."""
        return self.path / "state"

    def info(self) -> RunInfo:
        """run.json, validated.

        Raises:
            InputError: it is missing or damaged.
        """
        file = self.path / "run.json"
        try:
            return RunInfo.model_validate_json(file.read_bytes())
        except OSError as error:
            raise InputError(f"cannot read it: {error.strerror}", where=str(file), fix=LIST_COMMAND) from None
        except ValidationError as error:
            raise explain(error, RunInfo, where=str(file)) from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for writing.

        Raises:
            InputError: another process holds it.
        """
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError("the run is still going", where=self.run_id, fix="stop it first (Ctrl-C)") from None
            yield

    @property
    def running(self) -> bool:
        """True while some process holds the lock."""
        try:
            with self.lock():
                return False
        except (InputError, OSError):
            return True


def runs_root(option: Path | None = None) -> Path:
    """The folder of all runs: the option, $HYBRID_AGENT_RUNS, or the user's state folder."""
    if option is not None:
        return option.absolute()
    named = os.environ.get(RUNS_VARIABLE)
    if named:
        return Path(named).absolute()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "hybrid-agent" / "runs"


def create_run(
    root: Path,
    *,
    goal: str,
    workspace: Path | None,
    decoder: str,
    hybrid: str = "greedy",
    model: str,
    sandbox: str,
    approve: Literal["ask", "auto", "deny"],
    seed: int,
) -> RunDir:
    """Make a run directory with its run.json (and a fresh workspace if none is given).

    Raises:
        InputError: the folder cannot be made.
    """
    now = datetime.now(UTC)
    run = RunDir(root / f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")
    try:
        run.state.mkdir(parents=True)
        folder = workspace if workspace is not None else run.path / "workspace"
        if workspace is None:
            folder.mkdir()
        info = RunInfo(
            run_id=run.run_id,
            goal=goal.encode("utf-8", "replace").decode(),
            workspace=str(folder.absolute()),
            fresh=workspace is None,
            decoder=decoder,
            hybrid=hybrid,
            model=model,
            sandbox=sandbox,
            approve=approve,
            seed=seed,
            created=now.isoformat(timespec="seconds"),
        )
        text = info.model_dump_json(indent=1) + "\n"
        write_text(run.path / "run.json", text)
    except OSError as error:
        raise InputError(
            f"cannot make a run directory: {error.strerror}", where=str(root), fix="name another with --runs-dir"
        ) from None
    return run


def list_runs(root: Path) -> list[RunDir]:
    """All runs, oldest first."""
    if not root.is_dir():
        return []
    return [RunDir(path) for path in sorted(root.iterdir()) if (path / "run.json").is_file()]


def find_run(root: Path, name: str) -> RunDir:
    """The run with this id, unique prefix of an id, or the newest for "last".

    Raises:
        InputError: there is no such run, or the prefix fits several.
    """
    runs = list_runs(root)
    if not runs:
        raise InputError("no runs yet", where=str(root), fix='start one with: hybrid-agent run "GOAL"')
    if name == "last":
        return runs[-1]
    exact = [run for run in runs if run.run_id == name]
    fitting = exact or [run for run in runs if name and run.run_id.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        some = ", ".join(run.run_id for run in fitting[:5])
        raise InputError(f"{len(fitting)} runs start with {name!r}", where=str(root), fix=f"type more of one: {some}")
    close = nearest(name, [run.run_id for run in runs])
    raise InputError(
        f"no run {name!r}", where=str(root), fix=f"did you mean {close}?" if close else f"see: {LIST_COMMAND}"
    )
