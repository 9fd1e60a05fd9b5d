"""Evaluates a list of checks inside the sandbox. Standard library only: its source is sent in with `values`.

Reads {"nonce": ..., "checks": [...], "timeout_s": ...} on stdin, prints the nonce and [[ok, detail], ...] on one line.
"""

# A script of its own, sent into the sandbox; plain os calls keep it short.
# ruff: noqa: PTH113, PTH115, PTH116
import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import zipfile
from typing import Any

from hybrid_agent.checks.values import MISSING, as_text, equal, lookup  # cut when sent

READ_CAP = 8 * 2**20
_TYPES = {"file": stat.S_ISREG, "dir": stat.S_ISDIR, "link": stat.S_ISLNK}


class Wrong(Exception):
    """The check failed; the message says what was found."""


def short(text: str, limit: int = 80) -> str:
    """Text in quotes on one line, cut."""
    shown = json.dumps(text if len(text) <= limit else text[:limit] + "...", ensure_ascii=False)
    return shown


def read_bytes(path: str) -> bytes:
    """Contents of a regular file; a fifo or device is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        reasons = {2: "no such file", 20: "no such file", 13: "permission denied", 40: "link leads in a circle"}
        raise Wrong(f"{path}: {reasons.get(error.errno or 0, error.strerror)}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Wrong(f"{path}: is {'a folder' if stat.S_ISDIR(found.st_mode) else 'not a regular file'}")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(READ_CAP + 1)
    finally:
        os.close(fd)
    if len(data) > READ_CAP:
        raise Wrong(f"{path}: is larger than {READ_CAP} bytes")
    return data


def read_text(path: str) -> str:
    """The file as text."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError:
        raise Wrong(f"{path}: is not UTF-8 text") from None


def value_at(path: str, key: str) -> Any:
    """The value of a structured file."""
    try:
        return lookup(path, read_text(path), key)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{path}: cannot be parsed: {' '.join(str(error).split())[:120]}") from None


def members(path: str) -> list[str]:
    """Names in a tar or zip archive."""
    read_bytes_head(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.namelist()
        with tarfile.open(path) as tar:
            return tar.getnames()
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError):
        raise Wrong(f"{path}: is not a tar or zip archive") from None


def read_bytes_head(path: str) -> None:
    """Fail clearly when an archive is missing or not a file."""
    if not os.path.lexists(path):
        raise Wrong(f"{path}: no such file")
    if not os.path.isfile(path):
        raise Wrong(f"{path}: is not a file")


def trimmed(text: str) -> str:
    """Without one final newline."""
    return text[:-1] if text.endswith("\n") else text


def first_difference(found: str, wanted: str) -> str:
    """Where two texts part, for a person."""
    have, want = found.split("\n"), wanted.split("\n")
    for number, (one, other) in enumerate(zip(have, want, strict=False), 1):
        if one != other:
            return f"line {number} is {short(one)}, not {short(other)}"
    if len(have) > len(want):
        return f"has {len(have) - len(want)} more lines, from {short(have[len(want)])}"
    return f"line {len(have) + 1} {short(want[len(have)])} is missing"


def run_command(check: dict[str, Any], timeout_s: float) -> None:
    """Exit status 0, and the expected output."""
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            ["/bin/bash", "-c", check["cmd"]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            env=env,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise Wrong(f"command took more than {timeout_s:g} s") from None
    out = done.stdout.decode("utf-8", "replace").strip()
    err = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode != 0:
        said = (err or out).splitlines()
        raise Wrong(f"exit status {done.returncode}" + (f": {short(said[-1], 120)}" if said else ""))
    wanted = check.get("stdout")
    if wanted is not None and out != wanted.strip():
        raise Wrong(f"printed {short(out)}, not {short(wanted.strip())}")


def evaluate(check: dict[str, Any], timeout_s: float) -> None:
    """Raise Wrong if the check fails."""
    kind, path = check["kind"], check.get("path", "")
    if path.startswith("/workspace/"):
        path = path[len("/workspace/") :]
    if kind == "command":
        run_command(check, timeout_s)
    elif kind in ("exists", "absent", "mode", "link"):
        evaluate_entry(kind, path, check)
    elif kind in ("equals", "contains", "lacks", "matches"):
        evaluate_text(kind, path, check)
    elif kind == "same":
        if read_bytes(path) != read_bytes(check["other"]):
            raise Wrong(f"{path} and {check['other']} differ")
    elif kind in ("value", "no_value"):
        value = value_at(path, check["key"])
        if kind == "no_value":
            if value is not MISSING:
                raise Wrong(f"{path}: {check['key']} is {short(as_text(value))}")
        elif value is MISSING:
            raise Wrong(f"{path}: no value at {check['key']}")
        elif not equal(value, check["value"]):
            raise Wrong(f"{path}: {check['key']} is {short(as_text(value))}, not {short(check['value'])}")
    elif kind == "member":
        evaluate_member(path, check["member"])
    else:
        raise Wrong(f"unknown check {kind}")


def evaluate_entry(kind: str, path: str, check: dict[str, Any]) -> None:
    """Checks on the entry itself rather than on what is in it."""
    try:
        found = os.lstat(path)
    except OSError:
        if kind == "absent":
            return
        raise Wrong(f"{path}: does not exist") from None
    if kind == "absent":
        raise Wrong(f"{path}: exists")
    if kind == "link":
        if not stat.S_ISLNK(found.st_mode):
            raise Wrong(f"{path}: is not a link")
        if os.readlink(path) != check["target"]:
            raise Wrong(f"{path}: points at {short(os.readlink(path))}, not {short(check['target'])}")
        return
    wanted = check.get("type", "any")
    if kind == "mode" or wanted in ("file", "dir"):
        try:
            found = os.stat(path)
        except OSError:
            raise Wrong(f"{path}: is a link that leads nowhere") from None
    if kind == "mode":
        mode = stat.S_IMODE(found.st_mode)
        if mode != int(check["mode"], 8):
            raise Wrong(f"{path}: mode is {mode:03o}, not {check['mode']}")
    elif wanted != "any" and not _TYPES[wanted](found.st_mode):
        raise Wrong(f"{path}: is not a {wanted}")


def evaluate_text(kind: str, path: str, check: dict[str, Any]) -> None:
    """Checks on a file's text."""
    found = read_text(path)
    if kind == "equals":
        if trimmed(found) != trimmed(check["text"]):
            raise Wrong(f"{path}: {first_difference(trimmed(found), trimmed(check['text']))}")
    elif kind == "contains":
        if check["text"] not in found:
            raise Wrong(f"{path}: does not contain {short(check['text'])}")
    elif kind == "lacks":
        if check["text"] in found:
            line = found.count("\n", 0, found.index(check["text"])) + 1
            raise Wrong(f"{path}: contains {short(check['text'])} on line {line}")
    else:
        try:
            pattern = re.compile(check["pattern"], re.MULTILINE)
        except (re.error, RecursionError, OverflowError) as error:
            raise Wrong(f"pattern is not valid: {error}") from None
        if not pattern.search(found):
            raise Wrong(f"{path}: nothing matches {short(check['pattern'])}")


def evaluate_member(path: str, wanted: str) -> None:
    """The archive has the file, or something below the folder."""
    names = [name.removeprefix("./").rstrip("/") for name in members(path)]
    wanted = wanted.removeprefix("./").rstrip("/")
    if not any(name == wanted or name.startswith(wanted + "/") for name in names):
        raise Wrong(f"{path}: no member {wanted}; it has {short(', '.join(sorted(names)[:6]))}")


def main() -> None:
    """Evaluate all checks and print the results."""
    given = json.load(sys.stdin)
    if any(check["kind"] == "command" for check in given["checks"]):
        import ctypes  # commands run as the same user: keep them out of this process (PR_SET_DUMPABLE 0)

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    results: list[tuple[bool, str]] = []
    for check in given["checks"]:
        try:
            evaluate(check, given["timeout_s"])
            results.append((True, ""))
        except Wrong as wrong:
            results.append((False, str(wrong)[:300]))
        except (OSError, ValueError, MemoryError, RecursionError) as error:
            results.append((False, f"cannot be evaluated: {error}"[:300]))
    print("\n" + given["nonce"] + json.dumps(results), flush=True)
