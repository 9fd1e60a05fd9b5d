"""Edits as pieces of text that replace others, patches made of them, and when two are the same."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hybrid_agent.swe.source import Source, parse


@dataclass(frozen=True, slots=True)
class Splice:
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file.

    Attributes:
        path: of the file.
        splices: do not overlap; in order of place.
        operator: which operator made it, `family.kind`.
        line: of the statement or expression that it is about.
        note: what it does, for people.
        origin: the generator: "operators", "memory" or "decoder".
    """

    path: str
    splices: tuple[Splice, ...]
    operator: str
    line: int
    note: str = ""
    origin: str = "operators"

    @property
    def family(self) -> str:
        """The operator's family."""
        return self.operator.partition(".")[0]

    def apply(self, text: str) -> str:
        """The file's text with the edit."""
        return spliced(text, self.splices)


Patch = tuple[Edit, ...]


def edit(path: str, start: int, end: int, new: str, operator: str, line: int, note: str = "") -> Edit:
    """An edit of one piece."""
    return Edit(path, (Splice(start, end, new),), operator, line, note)


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """Text with all splices carried out; places are those of `text`."""
    parts, at = [], 0
    for splice in sorted(splices, key=lambda s: (s.start, s.end)):
        parts += [text[at : splice.start], splice.new]
        at = splice.end
    return "".join([*parts, text[at:]])


def overlap(one: Edit, other: Edit) -> bool:
    """True when two edits cannot both be carried out."""
    if one.path != other.path:
        return False
    return any(
        (a.start < b.end and b.start < a.end) or (a.start, a.end) == (b.start, b.end)
        for a in one.splices
        for b in other.splices
    )


def patched(patch: Iterable[Edit], sources: Mapping[str, Source]) -> dict[str, str]:
    """New text of every file that a patch changes."""
    by_path: dict[str, list[Splice]] = {}
    for each in patch:
        by_path.setdefault(each.path, []).extend(each.splices)
    return {path: spliced(sources[path].text, splices) for path, splices in by_path.items()}


def same_key(texts: Mapping[str, str]) -> str:
    """Equal for patches whose files have equal syntax trees (layout, comments, quotes and parentheses aside).

    Raises:
        SyntaxError: a file does not parse.
    """
    digest = hashlib.sha256()
    for path in sorted(texts):
        digest.update(f"{path}\0{ast.dump(parse(texts[path], path))}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def unified(path: str, before: bytes, after: bytes) -> bytes:
    """A unified diff of one file as `git apply` reads it, line ends and encoding as in the file."""
    rows: list[bytes] = []
    old, new = _lines(before), _lines(after)
    names = (b"a/" + path.encode(), b"b/" + path.encode())
    for row in difflib.diff_bytes(difflib.unified_diff, old, new, *names, lineterm=b"\n"):
        rows.append(row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n")
    return b"".join(rows)


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
