"""A repository on disk: the copy that is worked on, and which of its files may be edited."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from hybrid_agent.errors import InputError
from hybrid_agent.swe.source import Source, Unreadable

SKIPPED = (".git", ".hg", ".svn", "__pycache__", ".tox", ".nox", ".venv", "venv", "node_modules", ".mypy_cache",
           ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs")  # fmt: skip
PROTECTED = (
    "test_*.py", "*_test.py", "tests.py", "test.py", "conftest.py", "setup.py", "noxfile.py", "fabfile.py", "tasks.py",
    "versioneer.py", "_version.py", "sitecustomize.py", "usercustomize.py",
)  # fmt: skip
PROTECTED_FOLDERS = ("tests", "test", "testing", "docs", "doc", "examples", ".github", ".ci", "build", "dist")
MOST_BYTES = 2 << 20  # a larger source is generated, or no source
_SUBMODULE = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)


@dataclass
class Project:
    """The copy and what is known of it. `notes` say what was left out and why."""

    root: Path
    files: list[str] = field(default_factory=list)  # all Python files, relative
    submodules: tuple[str, ...] = ()
    dirty: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)

    def source(self, path: str) -> Source | None:
        """The file, or None (with a note) if it cannot be read as Python text."""
        if path not in self.sources:
            place = self.root / path
            try:
                if place.is_symlink() or place.stat().st_size > MOST_BYTES:
                    return None
                self.sources[path] = Source(path, place.read_bytes())
            except Unreadable as error:
                self.note(str(error))
                return None
            except OSError:
                return None
        return self.sources[path]

    def note(self, text: str) -> None:
        """Keep a remark once."""
        if text not in self.notes:
            self.notes.append(text)

    def import_paths(self) -> list[str]:
        """Folders below the copy, as seen inside the sandbox, from which its packages are imported."""
        return ["/workspace"] + (["/workspace/src"] if (self.root / "src").is_dir() else [])

    def editable(self, path: str, include: Sequence[str], allow: Sequence[str]) -> bool:
        """True when a patch may change the file."""
        if any(fnmatch.fnmatch(path, pattern) for pattern in allow):
            return True
        if any(path == sub or path.startswith(sub + "/") for sub in self.submodules) or is_protected(path):
            return False
        return not include or any(fnmatch.fnmatch(path, pattern) for pattern in include)


def is_protected(path: str) -> bool:
    """True for tests, build and configuration files, and for what is not Python."""
    pure = PurePosixPath(path)
    if pure.suffix != ".py" or any(part in PROTECTED_FOLDERS or part.startswith(".") for part in pure.parts[:-1]):
        return True
    return any(fnmatch.fnmatch(pure.name, pattern) for pattern in PROTECTED)


def copy_project(repo: Path, into: Path) -> Project:
    """Copy a repository without version control, caches and environments; links stay links.

    Raises:
        InputError: there is no such folder.
    """
    if not repo.is_dir():
        raise InputError(f"no such folder: {repo}", field="repo_root", fix="name the root of the repository")
    project = Project(into, submodules=_submodules(repo), dirty=_dirty(repo))

    def skip(folder: str, names: list[str]) -> set[str]:
        odd = {name for name in names if not _copyable(Path(folder, name))}
        return odd | {name for name in names if name in SKIPPED}

    shutil.copytree(repo, into, symlinks=True, ignore=skip, dirs_exist_ok=True)
    for folder, names, files in os.walk(into):
        names.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                project.files.append(Path(folder, name).relative_to(into).as_posix())
    if project.dirty:
        shown = ", ".join(project.dirty[:5]) + (" ..." if len(project.dirty) > 5 else "")
        project.note(f"the work tree has changes that are not committed ({shown}); the patch is made against them")
    for sub in project.submodules:
        project.note(f"{sub} is a submodule: its files are used but not edited")
    return project


def _copyable(path: Path) -> bool:
    return path.is_symlink() or path.is_dir() or path.is_file()


def _submodules(repo: Path) -> tuple[str, ...]:
    try:
        text = (repo / ".gitmodules").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(sorted(path.strip("/") for path in _SUBMODULE.findall(text)))


def _dirty(repo: Path) -> tuple[str, ...]:
    """Changed files that git knows of. Hooks and helpers that the repository configures are not run."""
    if not (repo / ".git").exists() or shutil.which("git") is None:
        return ()
    safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*"]
    done = subprocess.run(
        ["git", *safe, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"],
        cwd=repo, capture_output=True, text=True, errors="replace", check=False,
        env={"PATH": os.environ.get("PATH", os.defpath), "GIT_OPTIONAL_LOCKS": "0", "HOME": "/nonexistent"},
    )  # fmt: skip
    return tuple(row[3:] for row in done.stdout.splitlines()) if done.returncode == 0 else ()
