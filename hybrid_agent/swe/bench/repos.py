"""Repositories of instances: found in a mirror folder, or cloned once into a cache; and trees at a base commit.

A tree is an export without history, so that the fix, which lies in the repository's future, is not there to be read.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hybrid_agent.errors import InfraError, InputError

HUB = "https://github.com/{repo}.git"
CLONE_S, GIT_S = 3600, 300
_URL = re.compile(r"^(https?|ssh|git|file)://|^[\w.-]+@[\w.-]+:")
_COMMIT = re.compile(r"^[0-9a-fA-F]{7,64}$")
AUTHOR = ("-c", "user.name=base", "-c", "user.email=base@localhost", "-c", "commit.gpgsign=false")


def cache_root() -> Path:
    """Where clones are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybrid-agent" / "repos"


def git(
    where: Path, *arguments: str, stdin: bytes | None = None, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git without the user's or the system's settings, hooks, prompts or an outer repository."""
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(where.parent),
        **{key: os.environ[key] for key in PASSED if key in os.environ},
        **(extra or {}),
    }
    hardened = ("-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-c", "core.fsmonitor=false")
    try:
        return subprocess.run(
            ["git", *hardened, *arguments],
            cwd=where,
            env=environment,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=CLONE_S if arguments[0] == "clone" else GIT_S,
        )
    except subprocess.TimeoutExpired:
        raise InfraError(f"git {arguments[0]} did not end in time in {where}") from None
    except FileNotFoundError:
        raise InputError("git is not installed", fix="install git") from None


PASSED = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "GIT_SSL_CAINFO", "SSH_AUTH_SOCK")


def locate(repo: str, root: str | None, cache: Path | None = None) -> Path:
    """The git directory (or bundle clone) that holds a repository.

    Args:
        repo: `owner/name` of the row.
        root: a folder of mirrors, a git repository itself, or a URL; `{repo}` in it stands for owner/name, `{name}` for
            the last part and `{flat}` for owner__name. None: github.com.
        cache: where clones of URLs and bundles are kept.

    Raises:
        InputError: nothing is there; says where was looked.
        InfraError: the clone failed.
    """
    owner_name = repo.strip("/")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", owner_name) or ".." in owner_name.split("/"):
        raise InputError(f"{repo!r} is not owner/name", field="repo")
    flat, name = owner_name.replace("/", "__"), owner_name.rsplit("/", 1)[-1]
    chosen = root or HUB
    filled = chosen.replace("{repo}", owner_name).replace("{flat}", flat).replace("{name}", name)
    if _URL.match(filled):
        return _clone(filled, flat, cache or cache_root())
    base = Path(filled).expanduser().resolve()
    if _is_repository(base):
        return base
    if base.is_file():
        return _clone(str(base), flat, cache or cache_root())
    tried = [base / part for part in (flat, owner_name, name, flat.lower())]
    for candidate in tried:
        for folder in (candidate, candidate.with_name(candidate.name + ".git")):
            if _is_repository(folder):
                return folder
        bundle = candidate.with_name(candidate.name + ".bundle")
        if bundle.is_file():
            return _clone(str(bundle), flat, cache or cache_root())
    looked = ", ".join(dict.fromkeys(str(path) for path in tried))
    raise InputError(
        f"no git repository of {repo}",
        where=str(base),
        field="repo_root",
        fix=f"clone it to one of {looked}, or give a URL such as {HUB}",
    )


def _is_repository(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    found = git(folder, "rev-parse", "--is-bare-repository", "--show-prefix")
    return found.returncode == 0 and not b"".join(found.stdout.splitlines()[1:]).strip()


def _clone(source: str, flat: str, cache: Path) -> Path:
    """A bare clone in the cache, made by one process while others wait."""
    import hashlib

    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{flat}-{hashlib.sha256(source.encode()).hexdigest()[:10]}.git"
    with (cache / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return target
        temporary = Path(tempfile.mkdtemp(prefix=".clone-", dir=cache))
        try:
            done = git(temporary, "clone", "--quiet", "--bare", "--", source, str(temporary / "git"))
            if done.returncode:
                raise InfraError(f"cannot clone {source}: {_said(done)}")
            (temporary / "git").rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def export(repository: Path, commit: str, target: Path) -> None:
    """The files of a commit in `target` (an empty folder), as a git repository of one commit.

    Submodules are left empty, as in a clone without them.

    Raises:
        InputError: the repository has no such commit.
        InfraError: git failed.
    """
    if not _COMMIT.match(commit):
        raise InputError(f"{commit!r} is not a commit id", field="base_commit")
    if git(repository, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        raise InputError(
            f"no commit {commit}", where=str(repository), field="base_commit", fix="fetch the repository anew"
        )
    git_dir = git(repository, "rev-parse", "--absolute-git-dir").stdout.decode().strip()
    with tempfile.TemporaryDirectory(prefix="swe-index-") as scratch:
        only = {"GIT_INDEX_FILE": f"{scratch}/index", "GIT_DIR": git_dir, "GIT_WORK_TREE": str(target)}
        for step in (("read-tree", commit), ("checkout-index", "--all", "--quiet")):
            _must(git(target, *step, extra=only), step[0])
    _must(git(target, "init", "--quiet", "--initial-branch=base"), "init")
    _must(git(target, "add", "--all", "--force"), "add")
    _must(git(target, *AUTHOR, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "base"), "commit")


@contextmanager
def tree(repository: Path, commit: str) -> Iterator[Path]:
    """A temporary export of a commit."""
    with tempfile.TemporaryDirectory(prefix="swe-tree-", ignore_cleanup_errors=True) as folder:
        target = Path(folder) / "tree"
        target.mkdir()
        export(repository, commit, target)
        yield target


def check_patch(patch: str, folder: Path) -> str | None:
    """What `git apply --check` says of a patch in a tree; None if it applies.

    Args:
        patch: unified diff. An empty one does not apply.
        folder: root of an export.
    """
    done = git(folder, "apply", "--check", "--verbose", "-", stdin=patch.encode("utf-8", "surrogateescape"))
    if done.returncode == 0:
        return None
    return _said(done)


def apply_patch(patch: str, folder: Path) -> None:
    """Apply a patch to a tree and commit it.

    Raises:
        InputError: it does not apply.
    """
    done = git(folder, "apply", "-", stdin=patch.encode("utf-8", "surrogateescape"))
    if done.returncode:
        raise InputError(f"the patch does not apply: {_said(done)}")
    _must(git(folder, "add", "--all", "--force"), "add")
    _must(git(folder, *AUTHOR, "commit", "--quiet", "--no-verify", "-m", "patch"), "commit")


def _must(done: subprocess.CompletedProcess[bytes], what: str) -> None:
    if done.returncode:
        raise InfraError(f"git {what} failed: {_said(done)}")


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if line.startswith(("error:", "fatal:"))] or lines
    return "; ".join(errors[:3]) or f"exit code {done.returncode}"
