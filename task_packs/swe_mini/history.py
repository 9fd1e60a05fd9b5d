"""Git repositories out of files: the same bytes give the same commits on every machine.

A mirror holds one branch an instance, named after it, with three commits: the project's outline, its tests, its code
with the bug. The state without the bug is in none of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.errors import InfraError
from hybrid_agent.swe.bench import repos

AUTHOR = "swe_mini <swe_mini@localhost>"


@dataclass(frozen=True)
class Commit:
    """All files after the commit."""

    message: str
    when: datetime.datetime
    files: Mapping[str, str]


def git(where: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """Run git without anyone's settings and return what it prints.

    Raises:
        InfraError: it failed.
    """
    done = repos.git(where, *arguments, stdin=stdin)
    if done.returncode:
        raise InfraError(f"git {arguments[0]} failed in {where}: {done.stderr.decode(errors='replace').strip()[:300]}")
    return done.stdout


def write_branches(folder: Path, branches: Mapping[str, Sequence[Commit]]) -> dict[str, list[str]]:
    """Add branches to a bare repository, which is made if need be; branch -> its commit ids, the oldest first."""
    if not (folder / "HEAD").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha1")
    stream = bytearray()
    for name, commits in branches.items():
        for number, commit in enumerate(commits):
            stream += _commit(f"refs/heads/{name}", commit, first=number == 0)
    git(folder, "fast-import", "--quiet", "--force", stdin=bytes(stream))
    found = {}
    for name in branches:
        found[name] = git(folder, "rev-list", "--reverse", f"refs/heads/{name}").decode().split()
    return found


def difference(folder: Path, old: str, new: str, *paths: str) -> str:
    """The patch from one commit to another, as `git apply` takes it."""
    plain = ("--no-color", "--no-ext-diff", "--no-renames", "--full-index", "--diff-algorithm=histogram")
    return git(folder, "diff", *plain, old, new, "--", *paths).decode()


def _commit(ref: str, commit: Commit, *, first: bool) -> bytes:
    stamp = f"{AUTHOR} {int(commit.when.timestamp())} +0000"
    lines = bytearray()
    if first:
        lines += f"reset {ref}\n".encode()
    lines += f"commit {ref}\nauthor {stamp}\ncommitter {stamp}\n".encode()
    lines += _data(commit.message + "\n")
    lines += b"deleteall\n"
    for path, text in sorted(commit.files.items()):
        lines += f"M 100644 inline {path}\n".encode() + _data(text)
    return bytes(lines) + b"\n"


def _data(text: str) -> bytes:
    body = text.encode()
    return f"data {len(body)}\n".encode() + body + b"\n"
