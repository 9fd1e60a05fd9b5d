"""A unified diff as files, hunks and changed lines; only what is written in it, nothing is applied."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$")
_TEST_FILE = re.compile(
    r"(^|/)(tests?|testing|specs?)/|(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.\w+$|\.(test|spec)\.\w+$"
)
_COMMENT = re.compile(r"^\s*(#|//|\*|/\*|$)")


@dataclass(frozen=True)
class Hunk:
    """One hunk: where it starts in the old file, and its lines without their mark."""

    start: int
    length: int
    section: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    context: tuple[str, ...]


@dataclass(frozen=True)
class FileDiff:
    """The hunks of one file; `path` is the new name (the old one of a file that is removed)."""

    path: str
    hunks: tuple[Hunk, ...]
    new: bool = False
    gone: bool = False

    @property
    def is_test(self) -> bool:
        """True for what looks like a test by its path."""
        return bool(_TEST_FILE.search(self.path))


@dataclass(frozen=True)
class PatchView:
    """A whole patch. `sound` is False for a text that is not a diff, or one whose hunks do not count up."""

    files: tuple[FileDiff, ...]
    sound: bool
    text: str = field(repr=False, default="")

    @cached_property
    def added(self) -> list[str]:
        """Added lines of all files."""
        return [line for file in self.files for hunk in file.hunks for line in hunk.added]

    @cached_property
    def removed(self) -> list[str]:
        """Removed lines of all files."""
        return [line for file in self.files for hunk in file.hunks for line in hunk.removed]

    @cached_property
    def change(self) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
        """What changes, layout and line numbers aside: equal for patches that do the same to the same file."""
        found = []
        for file in sorted(self.files, key=lambda f: f.path):
            added = [_squeezed(line) for hunk in file.hunks for line in hunk.added if not _COMMENT.match(line)]
            removed = [_squeezed(line) for hunk in file.hunks for line in hunk.removed if not _COMMENT.match(line)]
            found.append((file.path, tuple(added), tuple(removed)))
        return tuple(found)

    @property
    def changes_code(self) -> bool:
        """False if only layout, comments or nothing at all changes."""
        return any(added != removed for _, added, removed in self.change)


def read_patch(text: str) -> PatchView:
    """Read a unified diff as git, diff and difflib write it; anything else gives a view that is not sound."""
    lines = text.split("\n")
    files: list[FileDiff] = []
    sound = True
    old = new = ""
    hunks: list[Hunk] = []
    number = 0

    def close() -> None:
        if new or old:
            gone = new == "/dev/null"
            path = _name(old if gone else new)
            files.append(FileDiff(path, tuple(hunks), old == "/dev/null", gone))

    while number < len(lines):
        line = lines[number]
        if line.startswith("--- ") and number + 1 < len(lines) and lines[number + 1].startswith("+++ "):
            close()
            old, new, hunks = line[4:].split("\t")[0].strip(), lines[number + 1][4:].split("\t")[0].strip(), []
            number += 2
            continue
        if (match := _HUNK.match(line)) and (old or new):
            hunk, number, whole = _hunk(match, lines, number + 1)
            hunks.append(hunk)
            sound = sound and whole
            continue
        number += 1
    close()
    return PatchView(tuple(files), sound and any(file.hunks for file in files), text)


def _hunk(match: re.Match[str], lines: list[str], at: int) -> tuple[Hunk, int, bool]:
    left, right = int(match[2] or 1), int(match[4] or 1)
    length = left
    added: list[str] = []
    removed: list[str] = []
    context: list[str] = []
    while at < len(lines) and (left > 0 or right > 0):
        line = lines[at]
        if line.startswith("+"):
            added.append(line[1:])
            right -= 1
        elif line.startswith("-"):
            removed.append(line[1:])
            left -= 1
        elif line.startswith(" ") or line == "":
            context.append(line[1:])
            left, right = left - 1, right - 1
        elif not line.startswith("\\"):
            break
        at += 1
    hunk = Hunk(int(match[1]), length, match[5], tuple(added), tuple(removed), tuple(context))
    return hunk, at, left == 0 == right


def _name(path: str) -> str:
    return path[2:] if path[:2] in ("a/", "b/") else path


def _squeezed(line: str) -> str:
    return re.sub(r"\s+", "", line)
