"""Where runs live: `<root>/<stage>/<name>/<attempt>/`. Attempts are numbered and never reused."""

from __future__ import annotations

import re
from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.runs.manifest import MANIFEST

_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*$")


def attempts(root: Path, stage: str, name: str) -> list[Path]:
    """The attempt directories of a run, oldest first."""
    folder = root / stage / name
    if not folder.is_dir():
        return []
    return sorted((d for d in folder.iterdir() if d.is_dir() and d.name.isdigit()), key=lambda d: int(d.name))


def new_attempt(root: Path, stage: str, name: str) -> Path:
    """Make the next attempt's directory.

    Raises:
        InputError: the stage or name cannot be a folder name.
    """
    for field, value in (("stage", stage), ("name", name)):
        if not _NAME.match(value):
            raise InputError(f"{value!r} cannot name a folder", field=field, fix="use letters, digits, - _ .")
    last = attempts(root, stage, name)
    number = int(last[-1].name) + 1 if last else 1
    while True:
        folder = root / stage / name / f"{number:03d}"
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:  # another process took the number
            number += 1


def open_attempt(root: Path, stage: str, name: str) -> Path | None:
    """The newest attempt that has not finished, to be resumed; None if there is none or the newest is complete."""
    last = attempts(root, stage, name)
    return last[-1] if last and not (last[-1] / MANIFEST).is_file() else None


def find_run(root: Path, reference: str) -> Path:
    """The directory of a complete run.

    Args:
        root: the runs folder.
        reference: `stage/name` (newest complete attempt), `stage/name/attempt`, or a path to a directory.

    Raises:
        InputError: nothing complete is there; says what is.
    """
    direct = Path(reference)
    for folder in (direct, root / reference):
        if (folder / MANIFEST).is_file():
            return folder
    parts = reference.strip("/").split("/")
    if len(parts) == 2:
        all_attempts = attempts(root, *parts)
        complete = [a for a in all_attempts if (a / MANIFEST).is_file()]
        if complete:
            return complete[-1]
        if all_attempts:
            raise InputError(
                f"none of the {len(all_attempts)} attempts has finished", where=str(root / reference), fix="finish one"
            )
    known = sorted(
        {str(m.parent.parent.relative_to(root)) for m in root.glob(f"*/*/*/{MANIFEST}")} if root.is_dir() else set()
    )
    raise InputError(
        f"no complete run {reference!r} under {root}",
        fix="use one of " + ", ".join(known) if known else "train one first: make train-stage STAGE=sft",
    )
