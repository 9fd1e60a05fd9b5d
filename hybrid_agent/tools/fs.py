"""`fs`: look at and change files, always inside the workspace."""

from __future__ import annotations

import posixpath
import stat
from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.tools import transfer
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.tool import Context, Tool, said
from hybrid_agent.types import CallPolicy, ModeArg, Observation, PathArg, Record, TextArg

GlobArg = Annotated[str, Field(min_length=1, max_length=400, json_schema_extra={"x-span": "word"})]


class FsList(Record):
    """Entries of a folder, one a line; folders end in '/'."""

    op: Literal["list"]
    path: PathArg


class FsRead(Record):
    """The text of a file."""

    op: Literal["read"]
    path: PathArg


class FsStat(Record):
    """Type, mode and size (or link target) of one path."""

    op: Literal["stat"]
    path: PathArg


class FsFind(Record):
    """Relative paths below `path` (the whole workspace if left out) whose last name matches the glob `name`."""

    op: Literal["find"]
    path: PathArg = "."
    name: GlobArg


class FsWrite(Record):
    """Write a whole file; folders are made as needed, an existing file is replaced."""

    op: Literal["write"]
    path: PathArg
    text: TextArg


class FsAppend(Record):
    """Add text at the end of a file (made if missing)."""

    op: Literal["append"]
    path: PathArg
    text: TextArg


class FsMkdir(Record):
    """Make a folder and its parents; an existing one is a failure."""

    op: Literal["mkdir"]
    path: PathArg


class FsCopy(Record):
    """Copy a file or whole folder; into `to` if that is a folder; never over something."""

    op: Literal["copy"]
    path: PathArg
    to: PathArg


class FsMove(Record):
    """Move or rename; into `to` if that is a folder; never over something."""

    op: Literal["move"]
    path: PathArg
    to: PathArg


class FsRemove(Record):
    """Remove a file, link or whole folder (destructive)."""

    op: Literal["remove"]
    path: PathArg


class FsChmod(Record):
    """Set the permission bits, octal."""

    op: Literal["chmod"]
    path: PathArg
    mode: ModeArg


class FsLink(Record):
    """Make a symbolic link at `path` that stores the relative target `to`."""

    op: Literal["link"]
    path: PathArg
    to: PathArg


FsArgs = Annotated[
    FsList | FsRead | FsStat | FsFind | FsWrite | FsAppend | FsMkdir | FsCopy | FsMove | FsRemove | FsChmod | FsLink,
    Field(discriminator="op"),
]
LOOKING = ("list", "read", "stat", "find")


def run(context: Context, args: FsArgs, policy: CallPolicy) -> Observation:
    """Do one file operation."""
    workspace = context.workspace
    match args:
        case FsList():
            return said("".join(name + "\n" for name in workspace.names(args.path)))
        case FsRead():
            return said(_text(args.path, workspace.read(args.path)))
        case FsStat():
            return said(_describe(context, args.path))
        case FsFind():
            found = transfer.find(workspace, args.path, args.name)
            more = f"[... more than {len(found)} found]\n" if len(found) >= transfer.FIND_CAP else ""
            return said("".join(path + "\n" for path in found) + more)
        case FsWrite():
            workspace.write(args.path, args.text.encode())
            return said(f"wrote {_name(context, args.path)}")
        case FsAppend():
            workspace.write(args.path, args.text.encode(), append=True)
            return said(f"appended to {_name(context, args.path)}")
        case FsMkdir():
            workspace.mkdir(args.path)
            return said(f"made {_name(context, args.path)}/")
        case FsCopy():
            return said(f"copied to {transfer.copy(workspace, args.path, args.to)}")
        case FsMove():
            return said(f"moved to {transfer.move(workspace, args.path, args.to)}")
        case FsRemove():
            transfer.remove(workspace, args.path)
            return said(f"removed {_name(context, args.path)}")
        case FsChmod():
            workspace.chmod(args.path, int(args.mode, 8))
            return said(f"mode of {_name(context, args.path)} is {args.mode}")
        case FsLink():
            workspace.symlink(args.path, args.to)
            return said(f"linked {_name(context, args.path)} -> {args.to}")


def _name(context: Context, path: str) -> str:
    return context.workspace.relative(path)


def _text(path: str, data: bytes) -> str:
    if b"\0" in data[:8192]:
        raise ToolFailure(f"{path}: is a binary file of {len(data)} bytes")
    return data.decode("utf-8", "backslashreplace")


def _describe(context: Context, path: str) -> str:
    found = context.workspace.lstat(path)
    if found is None:
        raise ToolFailure(f"{path}: no such file or folder")
    mode = f"mode {stat.S_IMODE(found.st_mode):03o}"
    if stat.S_ISLNK(found.st_mode):
        target = context.workspace.link_target(path)
        beside = posixpath.join(posixpath.dirname(context.workspace.relative(path)), target)
        try:
            dangling = context.workspace.stat(beside) is None
        except ToolFailure:
            dangling = True
        return f"link -> {target}" + (" (leads nowhere in the workspace)" if dangling else "")
    if stat.S_ISDIR(found.st_mode):
        return f"folder {mode}"
    if stat.S_ISREG(found.st_mode):
        return f"file {mode} size {found.st_size}"
    return f"special file {mode}"


TOOL = Tool("fs", "files and folders of the workspace", FsArgs, run)
