"""Judge Python code by its syntax tree: what it removes, what it runs, and where it writes."""

from __future__ import annotations

import ast
import warnings

from hybrid_agent.tools import command_rules, content_rules, network_rules, resource_rules
from hybrid_agent.tools.findings import Facts, Findings, Where
from hybrid_agent.tools.python_names import constant, reflects
from hybrid_agent.tools.shell_parse import Word

DEPTH = 8
_REMOVES = {
    "os": {"remove", "unlink", "rmdir", "removedirs", "truncate"},
    "shutil": {"rmtree"},
    "pathlib": set(),
}
_REMOVING_METHODS = frozenset(("unlink", "rmdir", "rmtree", "send2trash"))
_SHELL_TEXT = frozenset(("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"))
_PROCESS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")) | {
    "asyncio.create_subprocess_shell",
    "asyncio.create_subprocess_exec",
    "pty.spawn",
}
_EXEC = frozenset(("os.execv", "os.execve", "os.execvp", "os.execvpe", "os.posix_spawn", "os.spawnv", "os.spawnvp"))
_EXEC_WORDS = frozenset(("os.execl", "os.execlp", "os.execle", "os.execlpe", "os.spawnl", "os.spawnlp"))
_LOADS = frozenset(("pickle.loads", "marshal.loads", "dill.loads", "ctypes.CDLL", "ctypes.cdll.LoadLibrary"))
_FIRST = frozenset(("os.mkdir", "os.makedirs", "os.chmod", "os.chown", "os.lchown"))
_COPIES = frozenset(
    ("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move", "os.rename", "os.replace")
)
_WRITES = frozenset(
    ("os.mkdir", "os.makedirs", "os.rename", "os.replace", "os.symlink", "os.link", "os.chmod", "os.chown",
     "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move")
)  # fmt: skip


def judge(code: str, facts: Facts, findings: Findings, *, depth: int = 0, cwd: str | None = ".") -> None:
    """Judge a program. Code that does not parse fails by itself and is let through as state-changing."""
    findings.change()
    content_rules.secret(code, findings)
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
        resource_rules.endless_loop(node, self.findings)

    def visit_For(self, node: ast.For) -> None:
        self.endless += 1  # a fork in any loop multiplies
        self.generic_visit(node)
        self.endless -= 1

    def visit_BinOp(self, node: ast.BinOp) -> None:
        resource_rules.product(node, self.findings)
        self.generic_visit(node)

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
        if isinstance(node, ast.Attribute) and self._dotted(node) == "sys.executable":
            return "python3"
        if isinstance(node, ast.Call) and self._dotted(node.func) in ("pathlib.Path", "Path") and node.args:
            return self._text(node.args[0])
        if isinstance(node, ast.Call) and self._dotted(node.func) in ("pathlib.Path.home", "Path.home"):
            return "/home"
        return constant(node, self._text, self._dotted) if node is not None else None

    # --- calls
    def visit_Call(self, node: ast.Call) -> None:
        name = self._dotted(node.func) or ""
        first = node.args[0] if node.args else None
        module, _, function = name.rpartition(".")
        if name:
            self.findings.saw(f"call={name}")
        texts = [self._text(argument) for argument in node.args]
        network_rules.python_call(name, texts, self.findings)
        resource_rules.python_size(name or getattr(node.func, "attr", ""), node, self.findings)
        self._method(node, texts)
        if function in _REMOVES.get(module, ()):
            self._removes(name, first)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _REMOVING_METHODS:
            self._removes(f"{node.func.attr}()", node.func.value)
        elif name in ("os.kill", "os.killpg"):
            self._kills(name, first)
        elif name in _SHELL_TEXT:
            self._shell(self._text(first), first)
        elif name in _EXEC_WORDS:
            self._words([texts[0] if texts else None, *texts[2:]])
        elif name in _PROCESS or name in _EXEC:
            self._process(node, first, name)
        elif name in ("exec", "eval", "builtins.exec", "builtins.eval"):
            text = self._text(first)
            if text is not None:
                judge(text, self.facts, self.findings, depth=self.depth + 1, cwd=self.cwd)
            if text is None or isinstance(first, ast.Call):
                self.findings.destroy("python.dynamic", f"{name} runs a text that is only known when it runs")
        elif name in _LOADS:
            self.findings.destroy("python.dynamic", f"{name} runs what cannot be judged")
        elif name in ("__import__", "importlib.import_module") and first is not None and self._text(first) is None:
            self.findings.destroy("python.dynamic", f"{name} of a name that is only known when it runs")
        elif name == "os.fork" and self.endless:
            self.findings.deny("process.bomb", "os.fork in a loop fills the machine")
        elif name in ("open", "io.open", "builtins.open"):
            mode = self._text(node.args[1]) if len(node.args) > 1 else None
            for keyword in node.keywords:
                mode = self._text(keyword.value) if keyword.arg == "mode" else mode
            self._opens(self._text(first), mode or "r")
        elif name in _WRITES:
            if name in _COPIES and len(node.args) > 1:
                self._opens(texts[0], "r")
                self._moves(name, texts[0], texts[1])
            elif name in ("os.symlink", "os.link") and texts and texts[0] and texts[0].startswith(("/", "..")):
                self._opens(texts[0], "a")
            for argument in node.args[:1] if name in _FIRST else node.args[-1:]:
                self._opens(self._text(argument), "a")
            if name in ("os.chmod", "os.chown"):
                self._mode(node.args[1:2], name)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("write_text", "write_bytes"):
            self._opens(self._text(node.func.value), "w", texts[0] if texts else None)
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

    def _method(self, node: ast.Call, texts: list[str | None]) -> None:
        """Methods that tell what they do by name and arguments."""
        if not isinstance(node.func, ast.Attribute):
            if reflects(node.func, self._dotted):
                self.findings.destroy("python.dynamic", "the name of the function is only known when it runs")
            return
        method, first = node.func.attr, node.args[0] if node.args else None
        if method in ("connect", "connect_ex", "sendto") and isinstance(first, ast.Tuple) and first.elts:
            host = self._text(first.elts[0])
            if host is None or not network_rules.local(host):
                self.findings.deny("network", network_rules.WHY)
        elif method in ("execute", "executescript") and texts and texts[0]:
            command_rules.sql(texts[0], self.findings)
        elif method == "truncate" and not (self._dotted(node.func) or "").startswith("os."):
            self.findings.destroy("python.overwrite", "truncate cuts a file")
        elif method == "chmod":
            self._mode(node.args[-1:], "chmod")
        elif method in ("symlink_to", "hardlink_to", "extractall") and texts and texts[0]:
            self._opens(texts[0], "a")
        elif method in ("kill", "terminate", "suspend") and "psutil" in self.names:
            self.findings.destroy("python.kill", "ends processes")
        elif method == "__subclasses__" or reflects(node.func, self._dotted):
            self.findings.destroy("python.dynamic", "reaches functions by a way that cannot be judged")

    def _mode(self, bits: list[ast.expr], name: str) -> None:
        if name == "os.chown":
            self.findings.destroy("mode.owner", "changes the owner")
            return
        value = resource_rules.number(bits[0]) if bits else 0.0
        if bits and not isinstance(bits[0], ast.Constant | ast.BinOp):
            return
        command_rules.mode(f"{int(value):o}", self.findings)

    def _moves(self, name: str, source: str | None, target: str | None) -> None:
        if target is None or source is None:
            return
        where = Where(target, self.cwd)
        if where.relative is not None and self.facts.precious(where.relative):
            self.findings.destroy("python.overwrite", f"{name} replaces {target}")
        elif (
            where.scratch and name in ("shutil.move", "os.rename", "os.replace") and not Where(source, self.cwd).scratch
        ):
            self.findings.destroy("python.remove", f"{name} takes {source} out of the workspace")

    def _opens(self, path: str | None, mode: str, text: str | None = None) -> None:
        if path is None:
            return
        where = Where(path, self.cwd)
        if set(mode) & set("wax+"):
            if not where.writable:
                self.findings.deny("path.outside", f"writes to {path}, which is outside the workspace")
            elif where.relative is not None:
                content_rules.written(where.relative, text or "", self.facts, self.findings, whole="w" in mode)
                if "w" in mode and self.facts.precious(where.relative):
                    self.findings.destroy("python.overwrite", f"replaces the contents of {path}")
        elif not where.readable:
            self.findings.deny("path.outside", f"{path} is outside the workspace")

    def _process(self, node: ast.Call, first: ast.AST | None, name: str) -> None:
        text = self._text(first)
        if isinstance(first, ast.List | ast.Tuple):
            self._words([self._text(item) for item in first.elts])
        elif name in _EXEC and len(node.args) > 1 and isinstance(node.args[1], ast.List | ast.Tuple):
            self._words([self._text(item) for item in node.args[1].elts])
        else:
            self._shell(text, first)

    def _shell(self, text: str | None, node: ast.AST | None) -> None:
        if text is None:
            if node is not None:
                self.findings.destroy("python.dynamic", "runs a command that is only known when it runs")
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
