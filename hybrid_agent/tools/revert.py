"""A script for people that puts the workspace back to where the episode found it, without any of our code."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hybrid_agent.tools.audit import Change, changes, clean
from hybrid_agent.tools.objects import Spot
from hybrid_agent.tools.scan import Entry, Tree

_HEAD = """#!/bin/bash
# Puts the workspace back to what it was before the episode.
# Usage: bash revert.sh [WORKSPACE]
# Old contents come from the file objects.bin beside this script; read on to see what will happen.
set -euC
state=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
workspace=${1:-"%s"}
chmod u+rwx -- "$workspace"
cd -- "$workspace"

put() { # offset size mode path: restore a file
  if [ "$2" -gt 0 ]; then tail -c +"$(($1 + 1))" -- "$state/objects.bin" | head -c "$2" > "$4"; else : > "$4"; fi
  chmod -- "$3" "$4"
}
"""


class RevertScript:
    """Keeps `revert.sh` up to date during an episode."""

    def __init__(self, path: Path, workspace: Path, spot: Callable[[str], Spot]) -> None:
        self.path = path
        self._workspace = workspace
        self._spot = spot
        self._calls: dict[str, list[str]] = {}

    def note(self, number: int, call: str, found: Sequence[Change]) -> None:
        """Remember which call changed which paths (for the comments)."""
        text = f"call {number} {call if len(call) <= 90 else call[:87] + '...'}"
        for change in found:
            self._calls.setdefault(change.path, []).append(f"{change.what} by {text}")

    def write(self, first: Tree, now: Tree) -> None:
        """Write the script that turns `now` into `first`."""
        script = _HEAD % _inside_quotes(self._workspace) + "".join(self._lines(first, now))
        fresh = self.path.with_name(f"tmp-{secrets.token_hex(8)}")
        fresh.write_bytes(os.fsencode(script))
        fresh.chmod(0o700)
        fresh.rename(self.path)

    def _lines(self, first: Tree, now: Tree) -> list[str]:
        found = changes(now, first)
        if not found:
            return ["\n# Nothing differs.\n"]
        closed = [path for path in sorted(now) if now[path].kind == "dir" and now[path].mode & 0o700 != 0o700]
        lines = ["\n# Open what is closed.\n"] if closed else []
        lines += [f"chmod u+rwx -- {_quoted(path)}\n" for path in closed]
        gone = [change.path for change in found if change.path in now and change.what != "mode"]
        if gone:
            # Outer folders first: once a link put in a folder's place is gone, nothing below it can lead elsewhere.
            lines.append("\n# Take away what the episode made or changed.\n")
        removed: list[str] = []
        for path in gone:
            if not any(path.startswith(above + "/") for above in removed):
                lines += [self._comment(path), f"rm -rf -- {_quoted(path)}\n"]
                removed.append(path)
        lines.append("\n# Put back what was there.\n")
        again = {path for path in closed if path in first and first[path].kind == "dir"} | {"."}
        for change in found:
            entry = first.get(change.path)
            if entry is None:
                continue
            if change.path not in gone:
                lines.append(self._comment(change.path))
            lines += self._put_back(change.path, entry, change.path in now and change.what == "mode")
            if entry.kind == "dir":
                again.add(change.path)
        lines.append("\n# Permissions of folders, inner ones first.\n")
        return lines + [f"chmod -- {first[path].mode:04o} {_quoted(path)}\n" for path in sorted(again, reverse=True)]

    def _comment(self, path: str) -> str:
        notes = self._calls.get(path, ["changed"])
        return f"# {clean(path)}: " + "; ".join(clean(note) for note in notes[-3:]) + "\n"

    def _put_back(self, path: str, entry: Entry, only_mode: bool) -> list[str]:
        name = _quoted(path)
        if entry.kind == "dir":
            return [] if only_mode else [f"mkdir -- {name}\n"]
        if only_mode:
            return [f"chmod -- {entry.mode:04o} {name}\n"]
        if entry.kind == "file":
            return ["put {} {} {:04o} {}\n".format(*self._spot(entry.content), entry.mode, name)]
        if entry.kind == "link":
            return [f"ln -s -- {_quoted(entry.content, path=False)} {name}\n"]
        if entry.kind == "fifo":
            return [f"mkfifo -m {entry.mode:04o} -- {name}\n"]
        return [f"# {clean(path)} was a {entry.kind}; it cannot be made again\n"]


def _quoted(text: str, *, path: bool = True) -> str:
    return "'" + ("./" if path and text != "." else "") + text.replace("'", "'\\''") + "'"


def _inside_quotes(path: Path) -> str:
    text = str(path)
    for special in ("\\", '"', "$", "`"):
        text = text.replace(special, "\\" + special)
    return text


def episode_paths(first: Tree, now: Tree) -> Mapping[str, str]:
    """{path: what happened to it} over a whole episode, for summaries."""
    return {clean(change.path): change.what for change in changes(first, now)}
