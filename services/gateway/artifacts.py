"""The files of a run's workspace, to be looked at from outside; no link is followed out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybrid_agent.errors import SandboxError
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.workspace import Workspace
from services.gateway.problems import ApiError
from services.gateway.requests import Artifact, ArtifactList

LISTED = 2000
DEPTH = 40


def list_artifacts(folder: Path) -> ArtifactList:
    """All regular files, sorted by path. Folders behind links are not entered.

    Raises:
        ApiError: the workspace is gone.
    """
    found: list[Artifact] = []
    with _opened(folder) as workspace:
        try:
            for artifact in _below(workspace, "", 0):
                if len(found) == LISTED:
                    return ArtifactList(files=tuple(found), cut=True)
                found.append(artifact)
        except ToolFailure:
            return ArtifactList(files=tuple(found), cut=True)
    return ArtifactList(files=tuple(found))


def read_artifact(folder: Path, path: str, cap: int) -> bytes:
    """One file's bytes.

    Raises:
        ApiError: there is none at that path, it lies outside, or it is larger than `cap` bytes.
    """
    with _opened(folder) as workspace:
        try:
            return workspace.read(path, cap)
        except (ToolFailure, ValueError) as failure:
            reason = str(failure)
        large = "more than" in reason
    raise ApiError(413 if large else 404, reason, param="path", code="too_large" if large else "not_found")


def _below(workspace: Workspace, prefix: str, depth: int) -> Iterator[Artifact]:
    for name in workspace.names(prefix or "."):
        path = prefix + name
        if name.endswith("/"):
            if depth < DEPTH:
                yield from _below(workspace, path, depth + 1)
            continue
        found = workspace.lstat(path)
        if found is not None and stat.S_ISREG(found.st_mode):
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            yield Artifact(path=shown, bytes=found.st_size, modified=round(found.st_mtime, 3))


@contextmanager
def _opened(folder: Path) -> Iterator[Workspace]:
    try:
        workspace = Workspace(folder)
    except SandboxError:
        raise ApiError(410, "the workspace is gone", code="gone") from None
    try:
        yield workspace
    finally:
        workspace.close()
