"""The manifest of a run: written last, so that a directory without one does not exist for readers.

It is the only hand-off between stages and into serving.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.types import Record

MANIFEST = "manifest.json"
FORMAT = 1


class Manifest(Record):
    """What a finished run is, and how to make it again. `files` maps relative paths to SHA-256."""

    format: int = FORMAT
    stage: str
    name: str
    attempt: int = 1
    command: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    git_sha: str | None = None
    git_dirty: bool | None = None
    seed: int = 0
    parents: dict[str, str] = Field(default_factory=dict)
    data_hash: str | None = None
    tokenizer_hash: str | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


def write_manifest(folder: Path, manifest: Manifest, files: Iterable[str | Path]) -> Manifest:
    """Hash the files (relative to `folder`) and write the manifest, as the last act of a run.

    Raises:
        FileNotFoundError: a listed file is missing; then nothing is written.
    """
    names = sorted(str(Path(f).relative_to(folder) if Path(f).is_absolute() else f) for f in files)
    full = manifest.model_copy(update={"files": {name: file_hash(folder / name) for name in names}})
    write_json(folder / MANIFEST, full.model_dump(mode="json"))
    return full


def read_manifest(folder: Path, *, verify: bool = True) -> Manifest:
    """Read a run's manifest and check that its files are the ones it was written for.

    Raises:
        InputError: no manifest (the run is not complete), an unknown format, a missing or changed file.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise InputError("no such run directory", where=str(folder))
    if not path.is_file():
        raise InputError(
            "no manifest.json: this run is not complete", where=str(folder), fix="finish it, or name another run"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and data.get("format") != FORMAT:
            raise InputError(
                f"manifest format {data.get('format')!r} is not known here (this version reads {FORMAT})",
                where=str(path),
                field="format",
                fix="use the version of hybrid-agent that wrote it",
            )
        manifest = Manifest.model_validate(data)
    except (ValueError, ValidationError) as error:
        raise InputError(f"not a valid manifest: {str(error).splitlines()[0]}", where=str(path)) from error
    if verify:
        for name, digest in manifest.files.items():
            file = folder / name
            if not file.is_file():
                raise InputError("file is missing", where=str(folder), field=name, fix="restore it or retrain")
            if file_hash(file) != digest:
                raise InputError(
                    "file is not the one the manifest was written for",
                    where=str(folder),
                    field=name,
                    fix="restore it or retrain",
                )
    return manifest


def git_state(root: Path) -> tuple[str | None, bool | None]:
    """(commit, are there uncommitted changes), or (None, None) outside a repository."""
    try:
        head = _git(root, "rev-parse", "HEAD")
        return head, bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.strip()


def library_versions(names: Iterable[str]) -> Mapping[str, str]:
    """Installed versions of packages that can change the result."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
