"""Files whose folder the goal leaves out, and the gold calls that get to them all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hybrid_agent.packs.draw import Draw
from task_packs.os.calls import Call, fs


@dataclass(frozen=True)
class Place:
    """A file that the goal calls `said` and that lies at `real`; they differ if the goal leaves out the folder."""

    said: str
    real: str


def place(draw: Draw, *extensions: str, filename: str | None = None, astray: float = 0.25) -> Place:
    """A file to work on, with probability `astray` in a folder that the goal does not mention.

    `filename` fixes the base name (for instance "Makefile"); the file then always lies in a folder of its own,
    because another scene may have a file of the same name.
    """
    if filename is not None:
        path = f"{draw.dir()}/{filename}"
        return Place(path, path)
    base = draw.file(*extensions)
    if draw.chance(astray):
        return Place(base, f"{draw.dir()}/{base}")
    path = f"{draw.dir()}/{base}" if draw.chance(0.3) else base
    return Place(path, path)


def at(where: Place, call: Callable[[str], Call]) -> list[Call]:
    """The call on the file; where the goal leaves out the folder: try, find the file by name, try again."""
    if where.said == where.real:
        return [call(where.real)]
    return [call(where.said), fs("find", name=where.said), call(where.real)]
