"""What an instance is made of: a repository that is right, and an edit that makes it wrong in one respect."""

from __future__ import annotations

import datetime
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOS = HERE / "repos"
OWNER = "swe-mini"
NAMES = ("cachekit", "calcu", "confmerge", "daybook", "graphlet", "spanlib", "stockroom", "textfold")
UNITTEST = frozenset({"calcu", "stockroom"})
FIRST_DAY = datetime.datetime(2024, 1, 8, 9, 0, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Edit:
    """In `file`, the text `right` (which occurs once) became `wrong`."""

    file: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Bug:
    """One instance: what is wrong, told as by a user who sees only the symptom.

    Attributes:
        name: short, unique within its repository.
        title: first line of the report.
        body: the rest.
        edits: how the bug came in.
        hints: what was said below the report, if anything.
    """

    name: str
    title: str
    body: str
    edits: tuple[Edit, ...]
    hints: str = ""


@dataclass(frozen=True)
class Repo:
    """A repository: `files` are those of its right state."""

    name: str
    files: dict[str, str]
    bugs: tuple[Bug, ...]

    @property
    def full_name(self) -> str:
        """As in the field `repo`."""
        return f"{OWNER}/{self.name}"

    @property
    def version(self) -> str:
        """Major and minor, as in the field `version`."""
        found = re.search(r'^version = "(\d+\.\d+)', self.files["pyproject.toml"], re.MULTILINE)
        assert found is not None
        return found.group(1)

    @property
    def test_command(self) -> str:
        """What a developer types."""
        return "python3 -m unittest -v" if self.name in UNITTEST else "python3 -m pytest -rA"

    @property
    def log_parser(self) -> str:
        """The official parser of that command's output."""
        return "parse_log_django" if self.name in UNITTEST else "parse_log_pytest"

    def instance_id(self, bug: Bug) -> str:
        """As in the field `instance_id`."""
        return f"{OWNER}__{self.name}-{bug.name}"

    def created(self, bug: Bug) -> datetime.datetime:
        """When the bug was reported: each a few days after the last."""
        return FIRST_DAY + datetime.timedelta(days=NAMES.index(self.name) + 11 * self.bugs.index(bug), hours=3)

    def wrong(self, bug: Bug) -> dict[str, str]:
        """The files with the bug in them.

        Raises:
            ValueError: an edit does not fit its file.
        """
        files = dict(self.files)
        for edit in bug.edits:
            text = files[edit.file]
            if text.count(edit.right) != 1:
                found = text.count(edit.right)
                raise ValueError(f"{self.instance_id(bug)}: the text to edit occurs {found} times in {edit.file}")
            files[edit.file] = text.replace(edit.right, edit.wrong)
        return files


def load_repo(name: str) -> Repo:
    """A repository and its bugs."""
    root = REPOS / name
    paths = sorted(path for path in root.rglob("*") if path.is_file() and not _made(path.relative_to(root)))
    files = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    bugs = importlib.import_module(f"task_packs.swe_mini.bugs.{name}").BUGS
    if len({bug.name for bug in bugs}) != len(bugs):
        raise ValueError(f"{name}: two bugs have the same name")
    return Repo(name, files, tuple(bugs))


def load_repos() -> Iterator[Repo]:
    """All of them."""
    return (load_repo(name) for name in NAMES)


def is_test(path: str) -> bool:
    """True for files of the test suite."""
    return path.startswith("tests/")


def _made(path: Path) -> bool:
    """Things that tools leave behind."""
    return path.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in path.parts)
