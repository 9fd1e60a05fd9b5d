"""Bare repositories of the pack, made on demand: `python -m task_packs.swe_mini.mirror FOLDER`."""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InfraError, InputError
from task_packs.swe_mini import history
from task_packs.swe_mini.cut import without
from task_packs.swe_mini.spec import HERE, Bug, Repo, is_test, load_repo

OUTLINE = ("README.md", "pyproject.toml")
INSTANCES = HERE / "instances.jsonl"


def read_rows(path: Path = INSTANCES) -> list[dict[str, Any]]:
    """The data set."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def base_commits(repo: Repo, bug: Bug, failing: Sequence[str]) -> list[history.Commit]:
    """The history of an instance up to its base commit: outline, tests without the failing ones, code with the bug."""
    files = without(repo.wrong(bug), failing)
    outline = {path: text for path, text in files.items() if path in OUTLINE}
    tests = {path: text for path, text in files.items() if is_test(path)}
    when = repo.created(bug)
    first = when.replace(year=2023, month=10, day=2)
    return [
        history.Commit(f"Begin {repo.name}", first, outline),
        history.Commit("Tests", when - datetime.timedelta(days=2), {**outline, **tests}),
        history.Commit(f"Version {repo.version}", when - datetime.timedelta(days=1), files),
    ]


def branch_of(row: Mapping[str, Any]) -> str:
    """The branch of an instance in its repository's mirror."""
    return str(row["instance_id"])


def write_mirrors(folder: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, Path]:
    """The bare repositories that hold the base commits of some instances: repo -> its folder, owner__name.git.

    A mirror that is there and complete is left as it is.

    Raises:
        InfraError: a base commit came out differently than the row says.
    """
    wanted: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        wanted.setdefault(str(row["repo"]), []).append(row)
    return {full: _write_mirror(folder, full, mine) for full, mine in wanted.items()}


def _write_mirror(folder: Path, full: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    target = folder / f"{full.replace('/', '__')}.git"
    if target.is_dir() and _heads(target).items() >= {branch_of(r): str(r["base_commit"]) for r in rows}.items():
        return target
    repo = load_repo(full.split("/")[1])
    bugs = {repo.instance_id(bug): bug for bug in repo.bugs}
    branches = {}
    for row in rows:
        bug = bugs.get(str(row["instance_id"]))
        if bug is None:
            raise InputError(f"no instance {row['instance_id']}", where="task_packs/swe_mini", field="instance_id")
        branches[branch_of(row)] = base_commits(repo, bug, json.loads(row["FAIL_TO_PASS"]))
    made = history.write_branches(target, branches)
    for row in rows:
        if made[branch_of(row)][-1] != row["base_commit"]:
            raise InfraError(
                f"{row['instance_id']}: the base commit is {made[branch_of(row)][-1]}, not {row['base_commit']}; "
                "run python -m task_packs.swe_mini.build"
            )
    return target


def _heads(folder: Path) -> dict[str, str]:
    said = history.git(folder, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").decode()
    return dict(line.split(" ", 1) for line in said.splitlines())


@contextmanager
def checkout(mirror: Path, commit: str) -> Iterator[Path]:
    """A temporary work tree at a commit, with the history up to it and nothing else."""
    with tempfile.TemporaryDirectory(prefix="swe-mini-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "tree"
        folder.mkdir()
        history.git(folder, "init", "--quiet", "--initial-branch=main")
        # by commit, not by branch: a mirror has the base commits of all instances, and the fix of one is in the others
        history.git(
            folder, "-c", "uploadpack.allowAnySHA1InWant=true", "fetch", "--quiet", str(mirror.resolve()), commit
        )
        history.git(folder, "reset", "--quiet", "--hard", commit)
        yield folder


def main() -> None:
    """Write all mirrors into a folder."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        raise SystemExit(0 if "--help" in sys.argv else 2)
    for full, folder in write_mirrors(Path(sys.argv[1]), read_rows()).items():
        print(f"{full} {folder}")


if __name__ == "__main__":
    main()
