"""What lies under a few folders, found again by hash: manifests, records of data, corpora."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST

PROVENANCE, CORPUS, SEQUENCES = "provenance.json", "corpus.json", "sequences.jsonl.gz"
MARKS = (MANIFEST, PROVENANCE, CORPUS)
DEPTH = 6


class Catalog:
    """Searches its folders once, when something is first asked for; nothing below a finished run is looked at."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = [root for root in dict.fromkeys(path.absolute() for path in roots) if root.is_dir()]

    def find(self, digest: str) -> Path | None:
        """The folder whose manifest.json or provenance.json has this SHA-256."""
        return self._records.get(digest)

    def find_data(self, digest: str) -> Path | None:
        """The folder that holds data with this SHA-256: by its provenance, or by the hash of a corpus' file."""
        return self._stated.get(digest) or self._corpora.get(digest)

    def named(self, run: str) -> Path | None:
        """A folder `.../stage/name/attempt` of a finished run."""
        folders = self._places.get(MANIFEST, [])
        return next((folder for folder in folders if folder.as_posix().endswith("/" + run)), None)

    @cached_property
    def _places(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for root in self.roots:
            for mark, folder in _walk(root, DEPTH):
                found.setdefault(mark, []).append(folder)
        return {mark: list(dict.fromkeys(folders)) for mark, folders in found.items()}

    @cached_property
    def _records(self) -> dict[str, Path]:
        marks = (MANIFEST, PROVENANCE)
        return {file_hash(folder / mark): folder for mark in marks for folder in reversed(self._places.get(mark, []))}

    @cached_property
    def _stated(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in self._places.get(PROVENANCE, []):
            try:
                files = json.loads((folder / PROVENANCE).read_text(encoding="utf-8")).get("files") or {}
                found |= {str(digest): folder for digest in files.values()}
            except (ValueError, AttributeError):
                continue  # a damaged record is told of when it is read
        return found

    @cached_property
    def _corpora(self) -> dict[str, Path]:
        files = [folder / SEQUENCES for folder in self._places.get(CORPUS, [])]
        return {file_hash(file): file.parent for file in files if file.is_file()}


def _walk(folder: Path, depth: int) -> Iterator[tuple[str, Path]]:
    """(name of the mark, folder) of everything that is finished, not following links."""
    marks = [mark for mark in MARKS if (folder / mark).is_file()]
    for mark in marks:
        yield mark, folder
    if marks or depth == 0:
        return
    try:
        inside = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in inside:
        if not name.startswith("."):
            yield from _walk(folder / name, depth - 1)
