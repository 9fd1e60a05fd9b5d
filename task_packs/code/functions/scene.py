"""The files, commands and judge's checks that the code families share.

Every scene lives in its own folder, so that several scenes can share a workspace.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from hybrid_agent.packs.draw import Draw
from hybrid_agent.types import CommandCheck, EqualsCheck, SetupItem
from task_packs.code.functions.classics import classic
from task_packs.code.functions.composed import composed
from task_packs.code.functions.model import VISIBLE, Function, call, literal

Call = Mapping[str, Any]

HIDDEN = """import importlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, {folder!r})
function = getattr(importlib.import_module({module!r}), {name!r})
for args, want in {cases}:
    got = function(*args)
    assert got == want and type(got) is type(want), (args, got, want)
"""


def function(draw: Draw, classics: float = 0.3) -> Function:
    """A function for this split: composed, or with probability `classics` a classic one."""
    if draw.split != "test_composition" and draw.chance(classics):
        return classic(draw)
    return composed(draw)


def suite(folder: str) -> str:
    """The command that runs the tests of a scene's folder."""
    return f"python3 -m unittest discover -q -s {folder}"


def suite_passes(folder: str) -> CommandCheck:
    """The folder's tests pass."""
    return CommandCheck(cmd=suite(folder))


def test_file(module: str, name: str, function: Function, cases: Sequence[int] | None = None) -> str:
    """A unittest module with one method for each of the chosen inputs (default: the visible ones)."""
    methods = [
        f"    def test_{number}(self):\n        {assertion(name, function, index)}\n"
        for number, index in enumerate(range(VISIBLE) if cases is None else cases, 1)
    ]
    return test_header(module, name) + "\n".join(methods)


def test_header(module: str, name: str) -> str:
    """The first lines of a test module, up to its first method."""
    return f"import unittest\n\nfrom {module} import {name}\n\n\nclass Test(unittest.TestCase):\n"


def assertion(name: str, function: Function, index: int) -> str:
    """The assertion that the function's answer to one input is right."""
    return f"self.assertEqual({call(name, function.inputs[index])}, {literal(function.returns[index])})"


def hidden(folder: str, module: str, name: str, function: Function) -> CommandCheck:
    """Further inputs than the visible tests have; answers come from the reference."""
    cases = list(zip(function.inputs, function.returns, strict=True))
    return python_check(HIDDEN.format(folder=folder, module=module, name=name, cases=repr(cases)))


def python_check(code: str) -> CommandCheck:
    """A check that runs a Python program which fails by raising."""
    return CommandCheck(cmd=f"python3 -c {shlex.quote(code)}")


def unchanged(*items: SetupItem) -> tuple[EqualsCheck, ...]:
    """The given files still have their starting text."""
    return tuple(EqualsCheck(path=item.path, text=item.text) for item in items if item.text is not None)


def read(path: str) -> Call:
    """The call that reads a file."""
    return {"tool": "fs", "args": {"op": "read", "path": path}}


def write(path: str, text: str) -> Call:
    """The call that writes a whole file."""
    return {"tool": "fs", "args": {"op": "write", "path": path, "text": text}}


def shell(cmd: str) -> Call:
    """The call that runs a command."""
    return {"tool": "shell", "args": {"cmd": cmd}}


def edit(path: str, *edits: Mapping[str, str]) -> Call:
    """The call that edits a file."""
    return {"tool": "editor", "args": {"path": path, "edits": [dict(e) for e in edits]}}


def replace(find: str, text: str) -> dict[str, str]:
    """The edit that replaces text which occurs once."""
    return {"op": "replace", "find": find, "text": text}
