"""Manifest of the results of an evaluation."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hybrid_agent.runs.manifest import Manifest, git_state, library_versions, write_manifest
from hybrid_agent.types import Record

HERE = Path(__file__).resolve().parents[1]


def seal(
    folder: Path,
    command: str,
    config: Record,
    files: Iterable[str],
    *,
    metrics: dict[str, Any],
    versions: Iterable[str] = (),
    **facts: Any,
) -> None:
    """Say what an attempt is and how to make it again, as its last act.

    Args:
        folder: OUT/STAGE/NAME/ATTEMPT.
        command: the module that was run.
        config: as it was used.
        files: the results, relative to the folder.
        metrics: what was measured.
        versions: libraries that the results depend on.
        facts: other fields of the manifest: seed, parents, data_hash.
    """
    sha, dirty = git_state(HERE)
    manifest = Manifest(
        stage=folder.parent.parent.name,
        name=folder.parent.name,
        attempt=int(folder.name),
        command=" ".join([f"python -m {command}", *sys.argv[1:]]),
        config=config.model_dump(mode="json"),
        git_sha=sha,
        git_dirty=dirty,
        metrics=metrics,
        versions=dict(library_versions(versions)),
        **facts,
    )
    write_manifest(folder, manifest, files)
