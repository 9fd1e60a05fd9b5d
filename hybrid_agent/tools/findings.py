"""What the rules found out about one call, and the facts about the workspace that they may ask for."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

from hybrid_agent.tools.workspace import INSIDE
from hybrid_agent.types import Verdict


@dataclass
class Findings:
    """Collects; the first denial and the first destructive finding are the ones that are reported."""

    denied: tuple[str, str] | None = None
    destroys: tuple[str, str] | None = None
    changes: bool = False
    seen: list[str] = field(default_factory=list)

    def saw(self, *what: str) -> None:
        """Commands, options and functions that occur, for the policy classifier."""
        if len(self.seen) < 200:
            self.seen.extend(what)

    def deny(self, rule: str, reason: str) -> None:
        """The call must not run."""
        self.denied = self.denied or (rule, reason)

    def destroy(self, rule: str, reason: str) -> None:
        """The call takes something away that cannot be made again; it needs approval."""
        self.changes = True
        self.destroys = self.destroys or (rule, reason)

    def change(self) -> None:
        """The call may change the workspace."""
        self.changes = True

    def verdict(self) -> Verdict:
        """The rules' verdict."""
        if self.denied:
            rule, reason = self.denied
            return Verdict(allow=False, rule=rule, reason=reason, destructive=self.destroys is not None)
        if self.destroys:
            rule, reason = self.destroys
            return Verdict(
                allow=True, rule=rule, reason=reason, destructive=True, state_changing=True, approval="needed"
            )
        return Verdict(allow=True, state_changing=self.changes)


@dataclass(frozen=True)
class Facts:
    """Questions about the workspace. Paths are relative to it.

    Args:
        kind: "file", "dir", "link", "other", or None if nothing is there.
        precious: a file that is not empty and was there before the episode.
    """

    kind: Callable[[str], str | None]
    precious: Callable[[str], bool]


NOTHING_KNOWN = Facts(kind=lambda path: None, precious=lambda path: False)

_SCRATCH = ("/tmp", "/var/tmp", "/dev/shm")
_DEVICES = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty", "/dev/zero", "/dev/full")
_READABLE = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/etc", "/proc", "/sys", "/dev/fd",
    "/dev/urandom", "/dev/random", "/run",
)  # fmt: skip
_PRIVATE = (
    "/etc/passwd",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/sudoers.d",
    "/run/secrets",
    "/run/docker.sock",
    "/sys/firmware",
    "/etc/machine-id",
    "/etc/krb5.keytab",
    "/etc/sudoers",
    "/etc/ssl/private",
    "/etc/ssh",
    "/proc/kcore",
    "/proc/1",
)


class Where:
    """Where a path word points, given the folder the script is in (None: not known any more)."""

    def __init__(self, word: str, cwd: str | None = ".") -> None:
        if word.startswith("~"):
            word = "/home/" + word[1:]
        if not word.startswith("/"):
            self.unsure = cwd is None
            word = posixpath.join(INSIDE, cwd or ".", word)
        else:
            self.unsure = False
        path = posixpath.normpath(word)
        self.path = "/" + path.lstrip("/")
        below = self.path == INSIDE or self.path.startswith(INSIDE + "/")
        self.relative = (self.path[len(INSIDE) + 1 :] or ".") if below else None

    @property
    def scratch(self) -> bool:
        """Below /tmp, or a harmless device: may be written."""
        return _below(self.path, _SCRATCH) or self.path in _DEVICES or _below(self.path, ("/dev/fd",))

    @property
    def writable(self) -> bool:
        """In the workspace or in scratch space."""
        return self.relative is not None or self.scratch

    @property
    def readable(self) -> bool:
        """The system's own files may be read, private ones may not."""
        if self.path.startswith("/proc/") and {"environ", "mem", "root", "maps"} & set(self.path.split("/")[3:]):
            return False
        return self.writable or self.path == "/" or (_below(self.path, _READABLE) and not _below(self.path, _PRIVATE))


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)
