"""`editor`: small edits of one file; all edits of a call apply or none."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.tools import edit_text
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.tool import Context, Tool, said
from hybrid_agent.types import CallPolicy, LineArg, Observation, PathArg, Record, TextArg, WordArg

FindArg = Annotated[str, Field(min_length=1, max_length=20000, json_schema_extra={"x-span": "text"})]
KeyArg = Annotated[str, Field(min_length=1, max_length=400, json_schema_extra={"x-span": "word"})]


class Replace(Record):
    """Replace `find`, which occurs exactly once, by `text`."""

    op: Literal["replace"]
    find: FindArg
    text: TextArg


class ReplaceAll(Record):
    """Replace every `find` (at least one) by `text`."""

    op: Literal["replace_all"]
    find: FindArg
    text: TextArg


class Insert(Record):
    """Put `text` as new line(s) after the one line that equals (or else contains) `after`."""

    op: Literal["insert"]
    after: LineArg
    text: TextArg


class Prepend(Record):
    """Put `text` as line(s) of its own at the start."""

    op: Literal["prepend"]
    text: TextArg


class Append(Record):
    """Put `text` as line(s) of its own at the end."""

    op: Literal["append"]
    text: TextArg


class Delete(Record):
    """Remove the lines that contain `find` (at least one)."""

    op: Literal["delete"]
    find: FindArg


class Set(Record):
    """Set the value at a dotted key of a JSON, YAML, TOML, INI or .env file."""

    op: Literal["set"]
    key: KeyArg
    value: WordArg


class Unset(Record):
    """Remove the value at a dotted key."""

    op: Literal["unset"]
    key: KeyArg


Edit = Annotated[Replace | ReplaceAll | Insert | Prepend | Append | Delete | Set | Unset, Field(discriminator="op")]


class EditorArgs(Record):
    """The file and its edits, applied in order."""

    path: PathArg
    edits: Annotated[list[Edit], Field(min_length=1, max_length=50)]


def run(context: Context, args: EditorArgs, policy: CallPolicy) -> Observation:
    """Apply all edits in memory, then write the file once."""
    data = context.workspace.read(args.path)
    try:
        before = data.decode()
    except UnicodeDecodeError:
        raise ToolFailure(f"{args.path}: is not a text file (not UTF-8)") from None
    text = before
    for number, edit in enumerate(args.edits, 1):
        try:
            text = apply(args.path, text, edit)
        except ToolFailure as failure:
            place = f"edit {number}: " if len(args.edits) > 1 else ""
            raise ToolFailure(f"{args.path}: {place}{failure.reason}; nothing was changed") from failure
    if text == before:
        return said(f"{context.workspace.relative(args.path)} was already like that")
    context.workspace.write(args.path, text.encode())
    count = len(args.edits)
    return said(f"{count} edit{'s' if count > 1 else ''} in {context.workspace.relative(args.path)}")


def apply(path: str, text: str, edit: Edit) -> str:
    """The text after one edit.

    Raises:
        ToolFailure: the edit does not fit the text.
    """
    match edit:
        case Replace():
            return edit_text.replace_once(text, edit.find, edit.text)
        case ReplaceAll():
            return edit_text.replace_all(text, edit.find, edit.text)
        case Insert():
            return edit_text.insert_after(text, edit.after, edit.text)
        case Prepend():
            return edit_text.prepend(text, edit.text)
        case Append():
            return edit_text.append(text, edit.text)
        case Delete():
            return edit_text.delete_lines(text, edit.find)
    from hybrid_agent.tools import edit_value  # ruamel.yaml and tomlkit are slow to import

    if isinstance(edit, Set):
        return edit_value.set_value(path, text, edit.key, edit.value)
    return edit_value.unset_value(path, text, edit.key)


TOOL = Tool("editor", "edits of one file", EditorArgs, run)
