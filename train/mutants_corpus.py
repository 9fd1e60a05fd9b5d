"""Which modules mutants are made of, in which split, and how each becomes a project of its own."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

# Modules of the standard library with fast tests of their own; every one counts as a package.
TRAIN = (
    "bisect", "calendar", "colorsys", "copy", "csv", "fileinput", "fractions", "gettext", "heapq", "html", "imghdr",
    "ipaddress", "mimetypes", "netrc", "nturl2path", "numbers", "optparse", "pickletools", "plistlib", "quopri",
    "reprlib", "sched", "string", "tabnanny", "tokenize", "types", "zipapp",
)  # fmt: skip
HELD = (
    "argparse", "base64", "cmd", "codeop", "configparser", "contextlib", "difflib", "enum", "filecmp", "fnmatch",
    "functools", "genericpath", "getopt", "glob", "graphlib", "hmac", "keyword", "linecache", "mailcap", "ntpath",
    "operator", "posixpath", "pprint", "queue", "shlex", "sndhdr", "statistics", "stringprep", "textwrap", "timeit",
    "uu", "wave", "xdrlib",
)  # fmt: skip
# Installed packages that ship tests; (package, module, test module). Whole packages are in one split.
PACKAGES = {
    "train": [
        ("mpmath", "mpmath/identification.py", "mpmath/tests/test_identify.py"),
        ("mpmath", "mpmath/matrices/matrices.py", "mpmath/tests/test_matrices.py"),
        ("mpmath", "mpmath/calculus/polynomials.py", "mpmath/tests/test_calculus.py"),
        ("mpmath", "mpmath/libmp/libintmath.py", "mpmath/tests/test_bitwise.py"),
        ("referencing", "referencing/_core.py", "referencing/tests/test_core.py"),
    ],
    "held": [
        ("networkx", f"networkx/{folder}/{name}.py", f"networkx/{folder}/tests/test_{name}.py")
        for folder, name in (("algorithms", "core"), ("utils", "heaps"))
    ] + [
        ("jsonschema", "jsonschema/exceptions.py", "jsonschema/tests/test_exceptions.py"),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One module with its tests. `package` decides the split."""

    name: str
    package: str
    module: str
    test: str
    standard: bool


def targets(split: str) -> list[Target]:
    """The modules of a split ("train" or "held") that are there on this machine."""
    library = Path(sysconfig.get_path("stdlib"))
    found = []
    for name in TRAIN if split == "train" else HELD:
        module = f"{name}.py" if (library / f"{name}.py").is_file() else f"{name}/__init__.py"
        test = library / "test" / f"test_{name}.py"
        if (library / module).is_file() and test.is_file():
            found.append(Target(f"std.{name}", name, module, f"test_{name}.py", True))
    for package, module, test_file in PACKAGES[split]:
        place = _site(package)
        if place is not None and (place / module).is_file() and (place / test_file).is_file():
            stem = module.removesuffix(".py").replace("/", ".")
            found.append(Target(stem, package, module, test_file, False))
    return found


def make_project(target: Target, folder: Path) -> tuple[str, list[str]]:
    """Lay a target out as a small project.

    A module of the standard library is put under another name, so that the interpreter and the test runner keep
    using theirs; its tests are made to import that one.

    Returns:
        Path of the module inside, and the test command.
    """
    folder.mkdir(parents=True)
    if not target.standard:
        place = _site(target.package)
        assert place is not None
        shutil.copytree(place / target.package, folder / target.package, symlinks=True)
        return target.module, ["python", "-m", "pytest", "-q", target.test]
    library = Path(sysconfig.get_path("stdlib"))
    new = f"lib_{target.package}"
    if target.module.endswith("__init__.py"):
        shutil.copytree(library / target.package, folder / new, ignore=shutil.ignore_patterns("__pycache__", "test*"))
        inside = f"{new}/__init__.py"
    else:
        shutil.copy(library / target.module, folder / f"{new}.py")
        inside = f"{new}.py"
    text = (library / "test" / target.test).read_text(encoding="utf-8")
    (folder / target.test).write_text(renamed(text, target.package, new), encoding="utf-8")
    return inside, ["python", "-m", "unittest", target.test.removesuffix(".py")]


def renamed(text: str, old: str, new: str) -> str:
    """The source of a test with a module under another name: imports, quoted module names, no other words."""
    word = re.escape(old)
    text = re.sub(rf"^(\s*)import {word}[ \t]*$", rf"\1import {new} as {old}", text, flags=re.MULTILINE)
    text = re.sub(rf"^(\s*)from {word}(\.\w+)* import", rf"\1from {new}\2 import", text, flags=re.MULTILINE)
    text = re.sub(rf"^(\s*)import {word} as", rf"\1import {new} as", text, flags=re.MULTILINE)
    return re.sub(rf"(import_(?:fresh_)?module\(\s*['\"]){word}(['\"])", rf"\1{new}\2", text)


def _site(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent.parent if spec is not None and spec.origin else None
