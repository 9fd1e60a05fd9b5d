"""What differs between two settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from confmerge import paths


@dataclass(frozen=True)
class Change:
    """`kind` is "added", "removed" or "changed"."""

    kind: str
    path: str
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        if self.kind == "added":
            return f"+ {self.path} = {self.new!r}"
        if self.kind == "removed":
            return f"- {self.path} = {self.old!r}"
        return f"~ {self.path}: {self.old!r} -> {self.new!r}"


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """All differences, by path."""
    before, after = dict(paths.flatten(old)), dict(paths.flatten(new))
    before.pop("", None)
    after.pop("", None)
    found = []
    for path in sorted(before.keys() | after.keys()):
        if path not in before:
            found.append(Change("added", path, new=after[path]))
        elif path not in after:
            found.append(Change("removed", path, old=before[path]))
        elif before[path] != after[path] or type(before[path]) is not type(after[path]):
            found.append(Change("changed", path, before[path], after[path]))
    return found


def summary(found: list[Change]) -> str:
    """ "2 added, 1 changed"; "no changes"."""
    counts = [(kind, sum(change.kind == kind for change in found)) for kind in ("added", "removed", "changed")]
    return ", ".join(f"{count} {kind}" for kind, count in counts if count) or "no changes"
