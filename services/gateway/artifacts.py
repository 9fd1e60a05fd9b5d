"""The files of a run's workspace, to be looked at from outside; no link is followed out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hybrid_agent.errors import SandboxError
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.workspace import Workspace
from services.gateway.problems import ApiError
from services.gateway.requests import Artifact, ArtifactList
from services.workspace import FileInfo, regular_files


def list_artifacts(folder: Path) -> ArtifactList:
    """All regular files, sorted by path. Folders behind links are not entered.

    Raises:
        ApiError: the workspace is gone.
    """
    with _opened(folder) as workspace:
        return told(*regular_files(workspace))


def told(files: Sequence[FileInfo], cut: bool) -> ArtifactList:
    """The list as it is answered."""
    return ArtifactList(files=tuple(Artifact(path=f.path, bytes=f.size, modified=f.modified) for f in files), cut=cut)


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
