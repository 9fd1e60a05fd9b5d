"""What is written, and into which file: hooks and start-up files, tests that would no longer test, secrets in clear.

Nothing here is forbidden for good: it needs approval, because it outlives the call or hides a failure.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings

from hybrid_agent.tools.findings import Facts, Findings
from hybrid_agent.tools.redact import MARK, redact
from hybrid_agent.tools.workspace import Workspace

_STARTUP = frozenset(
    ("sitecustomize.py", "usercustomize.py", ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile",
     ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".envrc", ".inputrc", ".pythonrc", "authorized_keys", ".vimrc",
     ".xinitrc", ".xprofile", ".netrc", ".pgpass")
)  # fmt: skip
_HOOKS = frozenset(
    ("pytest_collection_modifyitems", "pytest_runtest_makereport", "pytest_sessionfinish", "pytest_ignore_collect",
     "pytest_pyfunc_call", "pytest_runtest_call", "pytest_runtest_protocol", "pytest_report_teststatus",
     "pytest_exception_interact", "pytest_cmdline_main", "pytest_collect_file", "pytest_runtestloop")
)  # fmt: skip
_EXITS = frozenset(("sys.exit", "os._exit", "exit", "quit", "SystemExit"))
_SKIPS = frozenset(("skip", "skipIf", "skipUnless", "skipif", "xfail", "expectedFailure", "SkipTest", "importorskip"))


def protected(path: str, findings: Findings) -> None:
    """A file that other programs obey: git's own files, and what runs at start-up."""
    parts = path.split("/")
    if ".git" in parts[:-1] or path == ".git":
        findings.destroy("git.internals", f"{path} belongs to git itself: what is there runs, or rewrites history")
    elif parts[-1] in _STARTUP or parts[-1].endswith(".pth") or "autostart" in parts or ".ssh" in parts:
        findings.destroy("persist.startup", f"{path} is read by every program started later")


def is_test(path: str) -> bool:
    """By its name: a file that judges the work."""
    name = posixpath.basename(path)
    folders = path.split("/")[:-1]
    return (
        bool(
            re.fullmatch(
                r"(test_\w+|\w+_test|conftest)\.py|\w+[._-](test|spec)\.[jt]sx?|\w+_test\.go|tests?\.(py|sh)", name
            )
        )
        or any(folder in ("tests", "test", "__tests__", "spec") for folder in folders)
    ) and not name.endswith((".txt", ".md", ".json", ".csv", ".yaml", ".yml"))


def written(path: str, text: str, facts: Facts, findings: Findings, *, whole: bool) -> None:
    """Text that goes into a file; `whole` if it replaces what was there."""
    try:
        path = Workspace.relative(path)
    except Exception:  # denied elsewhere
        return
    protected(path, findings)
    if is_test(path) or posixpath.basename(path) == "conftest.py":
        if whole and facts.precious(path) and posixpath.basename(path) != "__init__.py":
            findings.destroy("tests.replace", f"{path} is a test that was there before")
        _tampers(path, text, findings)
    secret(text, findings)


def edited(path: str, old: str, new: str, findings: Findings) -> None:
    """An edit of a file: does it weaken a test?"""
    try:
        path = Workspace.relative(path)
    except Exception:
        return
    protected(path, findings)
    secret(new, findings)
    if not is_test(path):
        return
    _tampers(path, new, findings)
    if _checks(old) > _checks(new):
        findings.destroy("tests.weaken", f"takes a check out of {path}")
    elif re.search(r"\bassert|\bexpect\(", old) and re.search(
        r"\bassert\s+(True|1|not\s+False)\b|assertTrue\(True\)|assertEqual\((\w+), *\2\)|expect\(true\)", new
    ):
        findings.destroy("tests.weaken", f"makes a check of {path} always true")


def secret(text: str, findings: Findings) -> None:
    """Keys and tokens of a known form: a finding for the policy classifier, which knows the goal."""
    if MARK in redact(text) and MARK not in text:
        findings.saw("secret")


def _checks(text: str) -> int:
    return len(re.findall(r"\bassert\w*|\bexpect\(|\bself\.fail\b|\bassert_|\bdef test_", text))


def _tampers(path: str, text: str, findings: Findings) -> None:
    """A test file that skips, ends the run early, or holds no check."""
    if not path.endswith(".py"):
        if re.search(r"^\s*exit 0\b", text, re.M) and not re.search(r"\b(if|test|\[)\b", text):
            findings.destroy("tests.stub", f"{path} would always succeed")
        elif re.search(r"\b(it|test|describe)\.(skip|todo)\b|\bxit\(", text):
            findings.destroy("tests.skip", f"{path} would skip tests")
        return
    tree = _tree(text)
    if tree is None:
        _lines(path, text, findings)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in _HOOKS:
            findings.destroy("tests.hook", f"{node.name} changes what the tests report")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test") and _empty(node):
            findings.destroy("tests.stub", f"{node.name} checks nothing")
        name = _name(node)
        if name and (name in _EXITS or name.rsplit(".", 1)[-1] in _SKIPS):
            findings.destroy("tests.skip", f"{name} keeps tests of {path} from running")
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr.startswith(("assert", "__eq__"))
            for target in node.targets
        ):
            findings.destroy("tests.weaken", "replaces an assertion method")


def _lines(path: str, text: str, findings: Findings) -> None:
    """A piece of code that does not parse as a whole: its decorators and calls line by line."""
    for line in text.splitlines():
        try:
            tree = ast.parse(line.strip().removeprefix("@"), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        name = _name(tree.body)
        if name and (name in _EXITS or name.rsplit(".", 1)[-1] in _SKIPS):
            findings.destroy("tests.skip", f"{name} keeps tests of {path} from running")


def _empty(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Nothing but pass, docstring, return, or an assertion of a constant."""
    for part in node.body:
        if isinstance(part, ast.Pass | ast.Return):
            continue
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
            continue
        if isinstance(part, ast.Assert) and isinstance(part.test, ast.Constant):
            continue
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            call = part.value
            if all(isinstance(argument, ast.Constant) for argument in call.args) and "assert" in (_name(call) or ""):
                continue
        return False
    return True


def _name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Name):
        return node.id if node.id in _EXITS | _SKIPS else None
    if isinstance(node, ast.Attribute):
        base = node.value.id if isinstance(node.value, ast.Name) else ""
        return f"{base}.{node.attr}"
    return None


def _tree(text: str) -> ast.Module | None:
    """The syntax tree; of a piece of a class body too."""
    from textwrap import dedent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in (text, dedent(text), "if 1:\n" + text):
            try:
                return ast.parse(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
    return None
