"""The arguments of a call by what they are: paths that must exist, paths that are made, texts, code, shell words."""

from __future__ import annotations

import functools
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

from hybrid_agent.scorer.view import View, edited, parse_call

_PATH_WORD = re.compile(r"[\w.+-]+(?:/[\w.+*-]*)+|[\w+-]+\.\w{1,8}")
_TEXT_EDITS = ("replace", "replace_all", "insert", "prepend", "append", "delete")


@dataclass
class Parts:
    """Attributes:
    tool, op: the call's names ("" where there is none).
    needs: paths that must be there for the call to work.
    makes: paths that it makes; `taken` those which must be free before.
    strings: every string argument, in order.
    code: Python source as it would be after the call, if that can be said.
    added: characters that the call would write.
    edits: the edits of an editor call.
    finds: (visible text of the file or None, text looked for).
    shell: the command line; `shell_paths` the words in it that look like paths.
    checks: the arguments of a check.
    """

    tool: str = ""
    op: str = ""
    needs: list[str] = field(default_factory=list)
    makes: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    code: str | None = None
    added: int = 0
    edits: list[dict[str, Any]] = field(default_factory=list)
    finds: list[tuple[str | None, str]] = field(default_factory=list)
    shell: str = ""
    shell_paths: list[str] = field(default_factory=list)
    checks: dict[str, Any] = field(default_factory=dict)

    @property
    def text_edits(self) -> bool:
        """True if the call edits by text rather than by key."""
        return any(e.get("op") in _TEXT_EDITS for e in self.edits)


def parts_of(text: str, view: View) -> Parts:
    """Take a call apart; unknown shapes give empty parts."""
    tool, args = parse_call(text)
    op = args.get("op")
    parts = Parts(tool=tool, op=op if isinstance(op, str) else "")
    parts.strings = [s for key, value in args.items() if key != "op" for s in _strings(value)]
    path, to, body = (_string(args, key) for key in ("path", "to", "text"))
    if tool == "fs":
        _file_parts(parts, path, to, body, view)
    elif tool == "editor":
        edits = args.get("edits")
        parts.edits = [e for e in edits if isinstance(e, dict)] if isinstance(edits, list) else []
        before = view.contents.get(path)
        parts.needs = [path]
        parts.finds = [(before, str(e["find"])) for e in parts.edits if "find" in e]
        parts.added = sum(len(str(e.get("text", ""))) for e in parts.edits)
        if path.endswith(".py") and before is not None:
            parts.code = edited(before, parts.edits)
    elif tool == "exec_code":
        code = _string(args, "code")
        parts.added = len(code)
        parts.code = code if args.get("lang", "python") in ("python", "py") else None
    elif tool == "shell":
        parts.shell = _string(args, "cmd")
    elif tool == "plan":
        check = args.get("check")
        parts.checks = check if isinstance(check, dict) else {}
        parts.shell = _string(parts.checks, "cmd")
    if parts.shell:
        parts.shell_paths = _shell_paths(parts.shell)
    return parts


def _file_parts(parts: Parts, path: str, to: str, body: str, view: View) -> None:
    op = parts.op
    if op in ("list", "read", "stat", "remove", "chmod", "move", "copy"):
        parts.needs = [path]
    if op in ("move", "copy", "link"):
        target = path if op == "link" else to
        if op != "link" and to in view.paths and "." not in to.rpartition("/")[2]:
            target = f"{to}/{path.rpartition('/')[2]}"  # into an existing folder
        parts.makes = parts.taken = [target]
    elif op in ("write", "append"):
        parts.makes, parts.added = [path], len(body)
        if path.endswith(".py"):
            parts.code = (view.contents.get(path, "") if op == "append" else "") + body
    elif op == "mkdir":
        parts.makes = parts.taken = [path]


def paths_of(parts: Parts) -> list[str]:
    """All path arguments, in order."""
    checked = [str(parts.checks[k]) for k in ("path", "other", "target") if k in parts.checks]
    return [p for p in (*parts.needs, *parts.makes, *checked, *parts.shell_paths) if p]


@functools.lru_cache(maxsize=4096)
def shell_parses(command: str) -> bool | None:
    """True or False if bash would, None where the parser does not know the construct."""
    import bashlex  # type: ignore[import-untyped]  # a quarter of a second to import; most calls do not need it
    import bashlex.errors  # type: ignore[import-untyped]

    try:
        bashlex.parse(command)
    except bashlex.errors.ParsingError:
        return False
    except Exception:  # the parser fails in many ways on shell that it does not know
        return None
    return True


def _shell_paths(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    # Inside programs of sed, awk or python nothing is a path.
    plain = [w for w in words if len(w) < 80 and not re.search(r"[\s\\^$(){}\[\]|;]", w)]
    bare = [w.removeprefix("./") for w in plain if not w.startswith("-")]
    return [w for w in bare if _PATH_WORD.fullmatch(w)]


def _string(args: dict[str, Any], key: str) -> str:
    value = args.get(key)
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [s for item in value for s in _strings(item)]
    if isinstance(value, dict):
        return [s for key, item in value.items() if key not in ("op", "kind", "type") for s in _strings(item)]
    return []
