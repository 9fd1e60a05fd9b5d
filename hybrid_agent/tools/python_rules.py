"""Judge Python code by its syntax tree: what it removes, what it runs, and where it writes."""

from __future__ import annotations

import ast
import warnings

from hybrid_agent.tools.findings import Facts, Findings, Where
from hybrid_agent.tools.shell_parse import Word

DEPTH = 8
_REMOVES = {
    "os": {"remove", "unlink", "rmdir", "removedirs", "truncate"},
    "shutil": {"rmtree"},
    "pathlib": set(),
}
_REMOVING_METHODS = frozenset(("unlink", "rmdir", "rmtree"))
_SHELL_TEXT = frozenset(("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"))
_PROCESS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")) | {
    "asyncio.create_subprocess_shell",
    "asyncio.create_subprocess_exec",
    "pty.spawn",
}
_EXEC = frozenset(("os.execv", "os.execve", "os.execvp", "os.execvpe", "os.posix_spawn", "os.spawnv", "os.spawnvp"))
_WRITES = frozenset(
    ("os.mkdir", "os.makedirs", "os.rename", "os.replace", "os.symlink", "os.link", "os.chmod", "os.chown",
     "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move")
)  # fmt: skip


def judge(code: str, facts: Facts, findings: Findings, *, depth: int = 0, cwd: str | None = ".") -> None:
    """Judge a program. Code that does not parse fails by itself and is let through as state-changing."""
    findings.change()
    if depth > DEPTH:
        findings.deny("shell.nesting", "code is nested too deeply to be judged")
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
        _Visitor(facts, findings, depth, cwd).visit(tree)
    except (SyntaxError, ValueError):
        return
    except (RecursionError, MemoryError):
        findings.deny("shell.nesting", "code is nested too deeply to be judged")


class _Visitor(ast.NodeVisitor):
    def __init__(self, facts: Facts, findings: Findings, depth: int, cwd: str | None) -> None:
        self.facts, self.findings, self.depth, self.cwd = facts, findings, depth, cwd
        self.names: dict[str, str] = {}  # local name -> module or module.function
        self.values: dict[str, str] = {}  # names set to plain strings
        self.endless = 0

    # --- names
    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.names[alias.asname or alias.name.split(".")[0]] = (
                alias.name if alias.asname else alias.name.split(".")[0]
            )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            if alias.name == "*" and node.module in _REMOVES:
                for name in _REMOVES[node.module]:
                    self.names[name] = f"{node.module}.{name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                text = self._text(node.value)
                if text is None:
                    self.values.pop(target.id, None)
                else:
                    self.values[target.id] = text
                dotted = self._dotted(node.value)
                if dotted and not isinstance(node.value, ast.Call):
                    self.names[target.id] = dotted

    def visit_While(self, node: ast.While) -> None:
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.endless += endless
        self.generic_visit(node)
        self.endless -= endless

    def _dotted(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self._dotted(node.value)
            return f"{base}.{node.attr}" if base else None
        if isinstance(node, ast.Call):
            called = self._dotted(node.func)
            if called == "__import__" and node.args and (text := self._text(node.args[0])):
                return text
            if called == "importlib.import_module" and node.args:
                return self._text(node.args[0])
            if called == "getattr" and len(node.args) >= 2 and (attribute := self._text(node.args[1])):
                base = self._dotted(node.args[0])
                return f"{base}.{attribute}" if base else None
        return None

    def _text(self, node: ast.AST | None) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name):
            return self.values.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._text(node.left), self._text(node.right)
            return left + right if left is not None and right is not None else None
        if isinstance(node, ast.Call) and self._dotted(node.func) in ("pathlib.Path", "Path") and node.args:
            return self._text(node.args[0])
        return None

    # --- calls
    def visit_Call(self, node: ast.Call) -> None:
        name = self._dotted(node.func) or ""
        first = node.args[0] if node.args else None
        module, _, function = name.rpartition(".")
        if function in _REMOVES.get(module, ()):
            self._removes(name, first)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _REMOVING_METHODS:
            self._removes(f"{node.func.attr}()", node.func.value)
        elif name in ("os.kill", "os.killpg"):
            self._kills(name, first)
        elif name in _SHELL_TEXT:
            self._shell(self._text(first))
        elif name in _PROCESS or name in _EXEC:
            self._process(node, first, name)
        elif name in ("exec", "eval", "builtins.exec", "builtins.eval"):
            text = self._text(first)
            if text is not None:
                judge(text, self.facts, self.findings, depth=self.depth + 1, cwd=self.cwd)
        elif name == "os.fork" and self.endless:
            self.findings.deny("process.bomb", "os.fork in an endless loop fills the machine")
        elif name in ("open", "io.open", "builtins.open"):
            mode = self._text(node.args[1]) if len(node.args) > 1 else None
            for keyword in node.keywords:
                mode = self._text(keyword.value) if keyword.arg == "mode" else mode
            self._opens(self._text(first), mode or "r")
        elif name in _WRITES:
            for argument in node.args[-1:]:
                self._opens(self._text(argument), "w")
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("write_text", "write_bytes"):
            self._opens(self._text(node.func.value), "w")
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("read_text", "read_bytes"):
            self._opens(self._text(node.func.value), "r")
        self.generic_visit(node)

    def _removes(self, name: str, what: ast.AST | None) -> None:
        text = self._text(what)
        if text is not None:
            where = Where(text, self.cwd)
            if where.scratch:
                return
            if where.relative is None or (where.relative == "." and text.startswith("/")):
                self.findings.deny("path.outside", f"{name} {text} reaches outside the workspace")
                return
        self.findings.destroy("python.remove", f"{name} removes {text or 'files'}")

    def _kills(self, name: str, target: ast.AST | None) -> None:
        try:
            number = ast.literal_eval(target) if target is not None else None
        except ValueError:
            number = None
        if number in (-1, 0, 1):
            self.findings.deny("process.all", f"{name} would reach every process")
        self.findings.destroy("python.kill", f"{name} ends processes")

    def _opens(self, path: str | None, mode: str) -> None:
        if path is None:
            return
        where = Where(path, self.cwd)
        if set(mode) & set("wax+"):
            if not where.writable:
                self.findings.deny("path.outside", f"writes to {path}, which is outside the workspace")
        elif not where.readable:
            self.findings.deny("path.outside", f"{path} is outside the workspace")

    def _process(self, node: ast.Call, first: ast.AST | None, name: str) -> None:
        text = self._text(first)
        if isinstance(first, ast.List | ast.Tuple):
            self._words([self._text(item) for item in first.elts])
        elif name in _EXEC and len(node.args) > 1 and isinstance(node.args[1], ast.List | ast.Tuple):
            self._words([self._text(item) for item in node.args[1].elts])
        elif text is not None:
            self._shell(text)

    def _shell(self, text: str | None) -> None:
        if text is None:
            return
        from hybrid_agent.tools.shell_rules import ShellJudge  # shell runs python runs shell

        judge = ShellJudge(self.facts, self.findings, depth=self.depth + 1)
        judge.cwd = self.cwd
        judge.script(text)

    def _words(self, words: list[str | None]) -> None:
        from hybrid_agent.tools.shell_rules import ShellJudge

        if not words:
            return
        judge = ShellJudge(self.facts, self.findings, depth=self.depth + 1)
        judge.cwd = self.cwd
        judge.words([Word(word or "$unknown", dynamic=word is None) for word in words])
