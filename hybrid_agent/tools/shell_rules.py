"""Judge a shell script command by command: hazards are denied, destructive commands marked, paths held inside."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from hybrid_agent.tools import content_rules, network_rules, python_rules, resource_rules, shell_commands
from hybrid_agent.tools.findings import Facts, Findings, Where
from hybrid_agent.tools.shell_parse import Command, ShellSyntax, Unparsed, Word, parse
from hybrid_agent.tools.shell_tables import (
    DOWNLOADERS,
    FORBIDDEN,
    INTERPRETERS,
    LOOKING,
    PYTHONS,
    SHELLS,
    WHY,
    WRAPPERS,
)

DEPTH = 8
# What these hold inside; HOME is not the agent's to change.
_SET = {"HOME": "/home", "PWD": "/workspace", "TMPDIR": "/tmp"}


class ShellJudge:
    """Reads scripts into findings. `cwd` is where the script is, relative to the workspace, None when unknown."""

    def __init__(self, facts: Facts, findings: Findings, *, depth: int = 0) -> None:
        self.facts, self.findings, self.depth = facts, findings, depth
        self.cwd: str | None = "."
        self.values: dict[str, str | None] = dict(_SET)
        self.jobs: set[str] = {"$!", "${!}"}  # words that name a process this script started

    def script(self, source: str) -> None:
        """Judge a whole script."""
        if self.depth > DEPTH:
            self.findings.deny("shell.nesting", "shell is nested too deeply to be judged")
            return
        try:
            parsed = parse(source)
        except ShellSyntax as error:
            self.findings.deny("shell.syntax", f"this is not valid shell: {error}")
            return
        except Unparsed as error:
            self.findings.destroy("shell.unparsed", f"this shell cannot be judged piece by piece ({error})")
            self._hazard_words(source)
            return
        content_rules.secret(source, self.findings)
        if parsed.bombs:
            self.findings.deny("process.bomb", "a function that starts itself again and again fills the machine")
        if parsed.endless:
            self.findings.destroy("resource.endless", "a loop that never ends")
        self._nested(parsed.nested)
        outer: list[tuple[str | None, dict[str, str | None]]] = []
        for item in parsed.items:
            if item == "enter":
                outer.append((self.cwd, dict(self.values)))
            elif item == "leave":
                self.cwd, self.values = outer.pop()
            elif isinstance(item, Command):
                self.command(item, parsed.nested)

    def _nested(self, scripts: Sequence[str]) -> None:
        for source in scripts:
            inner = ShellJudge(self.facts, self.findings, depth=self.depth + 1)
            inner.cwd, inner.values = self.cwd, dict(self.values)
            inner.script(source)

    def _hazard_words(self, source: str) -> None:
        for name in re.findall(r"[\w./-]+", source):
            if posixpath.basename(name) in FORBIDDEN:
                self._forbidden(posixpath.basename(name))

    # --- one command
    def command(self, command: Command, nested: Sequence[str] = ()) -> None:
        """Judge one simple command."""
        for name, word in command.assigns:
            text = self._known(word)
            self.values[name] = None if text.dynamic else text.text
            if word.text in self.jobs:
                self.jobs |= {f"${name}", f"${{{name}}}"}
        for redirect in command.redirects:
            self.redirect(redirect.op, self._known(redirect.target))
        words = [self._known(word) for word in command.words]
        resource_rules.pipeline(self, words, command.redirects, command.fed_by)
        self._puts(words, command)
        if words:
            self.words(words, stdin=command.stdin, fed_by=command.fed_by, nested=nested)

    def words(
        self,
        words: Sequence[Word],
        *,
        stdin: str | None = None,
        fed_by: Sequence[str] = (),
        nested: Sequence[str] = (),
        fed_words: bool = False,
    ) -> None:
        """Judge a command line; `fed_words`: more arguments come from a pipe (xargs)."""
        if words[0].dynamic or re.search(r"\{[^{}]*,[^{}]*\}", words[0].text):
            self.findings.destroy("shell.dynamic", "the name of the command is only known when it runs")
            return
        name = posixpath.basename(words[0].text)
        self.findings.saw(f"cmd={name}", *(f"{name} {w.text}" for w in words[1:8] if w.text.startswith("-")))
        if "/" in words[0].text and not Where(words[0].text, self.cwd).readable:
            self.findings.deny("path.outside", f"{words[0].text} is outside the workspace")
        arguments = list(words[1:])
        if name in FORBIDDEN or name.startswith("mkfs."):
            self._forbidden(name)
        elif name in WRAPPERS:
            self._wrapper(name, arguments, stdin, fed_by, nested, fed_words)
        elif name in SHELLS or name in ("eval", "source", "."):
            self._shell(name, arguments, stdin, fed_by, nested)
        elif name in PYTHONS:
            self._python(arguments, stdin, fed_by, nested)
        elif name == "cd":
            self._cd(arguments)
        elif name == "trap":
            if arguments and not arguments[0].dynamic and arguments[0].text not in ("-", ""):
                self._nested([arguments[0].text])
        else:
            self._downloads(name, fed_by, nested)
            if name not in LOOKING:
                self.findings.change()
            shell_commands.judge(self, name, arguments, more=fed_words)

    def _known(self, word: Word) -> Word:
        """Fill in variables that were set to plain text earlier in the script."""
        if not word.dynamic:
            return word
        missing = False

        def value(found: re.Match[str]) -> str:
            nonlocal missing
            known = self.values.get(found[1] or found[2])
            missing = missing or known is None
            return found[0] if known is None else known

        text = re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, word.text)
        return Word(text, dynamic=missing or ("$" in text.replace("${__sub}", "$") and "$" in text))

    # --- paths
    def redirect(self, op: str, target: Word) -> None:
        """A file opened by the shell."""
        if target.text.startswith(("/dev/tcp/", "/dev/udp/")):
            self.findings.deny("network", "network connections are not available")
        elif op == "<":
            self.reads(target)
        elif self.writes(target, "writes to") and op in (">", ">|", "&>"):
            where = Where(target.text, self.cwd)
            if where.relative is not None and not target.dynamic and self.facts.precious(where.relative):
                self.findings.destroy("shell.overwrite", f"{op} {target.text} replaces the contents of that file")

    def reads(self, word: Word) -> None:
        """A path that is read."""
        where = Where(word.text, self.cwd)
        climbs = ".." in word.text.split("/") and not where.writable
        if not word.dynamic and (climbs or not where.readable):
            self.findings.deny("path.outside", f"{word.text} is outside the workspace")

    def writes(self, word: Word, what: str) -> bool:
        """A path that is changed; False if that is denied or only scratch space."""
        where = Where(word.text, self.cwd)
        if where.scratch:
            return False
        self.findings.change()
        if where.relative is None and not (word.dynamic and word.text.startswith("$")):
            self.findings.deny("path.outside", f"{what} {word.text}, which is outside the workspace")
            return False
        if where.relative is not None:
            content_rules.protected(where.relative, self.findings)
        return True

    def _puts(self, words: Sequence[Word], command: Command) -> None:
        """Text that echo, printf or a here-document puts into a file."""
        text = command.stdin or ""
        if words and words[0].text in ("echo", "printf"):
            text += "\n".join(word.text.replace("\\n", "\n") for word in words[1:])
        targets = [(r.target, r.op != ">>") for r in command.redirects if r.op.startswith((">", "&>"))]
        if words and words[0].text == "tee":
            targets += [(word, True) for word in words[1:] if not word.text.startswith("-")]
        for target, whole in targets:
            where = Where(target.text, self.cwd)
            if text and where.relative is not None and not target.dynamic:
                content_rules.written(where.relative, text, self.facts, self.findings, whole=whole)

    # --- commands that run commands
    def _forbidden(self, name: str) -> None:
        kind = FORBIDDEN.get(name, "disk")
        self.findings.deny(f"hazard.{kind}", f"{name} {WHY[kind]}")

    def _downloads(self, name: str, fed_by: Sequence[str], nested: Sequence[str]) -> bool:
        """Whether an interpreter is fed what a download prints."""
        sources = {posixpath.basename(word) for word in fed_by}
        inner = any(re.match(rf"\s*({'|'.join(DOWNLOADERS)})\b", source) for source in nested)
        if name in INTERPRETERS and (sources & DOWNLOADERS or inner):
            self.findings.deny("hazard.download", f"{name} would run what comes from the network")
            return True
        return False

    def _wrapper(
        self,
        name: str,
        arguments: list[Word],
        stdin: str | None,
        fed_by: Sequence[str],
        nested: Sequence[str],
        fed_words: bool,
    ) -> None:
        valued = WRAPPERS[name]
        rest = list(arguments)
        while rest:
            text = rest[0].text
            if text == "--":
                rest.pop(0)
                break
            if name == "command" and text in ("-v", "-V"):
                return
            if text.startswith("-") and len(text) > 1:
                rest.pop(0)
                if name == "env" and text.startswith(("-S", "--split-string")):
                    self._nested([text.removeprefix("-S") or " ".join(word.text for word in rest[:1])])
                if text in valued and rest:
                    moved = rest.pop(0)
                    if name == "env" and text in ("-C", "--chdir"):
                        self._cd([moved])
            elif (name == "env" and re.match(r"[A-Za-z_]\w*=", text)) or (
                name in ("timeout", "flock", "chrt", "taskset")
                and rest is not arguments
                and self._skips_one(name, rest)
            ):
                rest.pop(0)
                if name != "env":
                    break
            else:
                break
        if rest:
            self.words(rest, stdin=stdin, fed_by=fed_by, nested=nested, fed_words=fed_words or name == "xargs")

    @staticmethod
    def _skips_one(name: str, rest: Sequence[Word]) -> bool:
        return len(rest) > 1 or name == "timeout"

    def _shell(
        self, name: str, arguments: list[Word], stdin: str | None, fed_by: Sequence[str], nested: Sequence[str]
    ) -> None:
        if self._downloads(name, fed_by, nested):
            return
        if name == "eval":
            self._inline(arguments, "eval")
            return
        if name in ("source", "."):
            self.findings.change()
            for word in arguments[:1]:
                self._script_file(name, word)
            return
        for place, word in enumerate(arguments):
            if re.fullmatch(r"-[a-z]*c[a-z]*", word.text) and not word.dynamic:
                self._inline(arguments[place + 1 : place + 2], f"{name} -c")
                return
            if not word.text.startswith(("-", "+")):
                self._script_file(name, word)
                return
        if stdin is not None:
            self._nested([stdin])
        elif fed_by:
            self.findings.destroy("shell.dynamic", f"{name} runs what a pipe gives it")

    def _script_file(self, name: str, word: Word) -> None:
        """A script by its path: what is in it is the workspace's business, unless a command makes it up."""
        self.findings.change()
        self.reads(word)
        if "${__sub}" in word.text:
            self.findings.destroy("shell.dynamic", f"{name} runs what another command prints")

    def _inline(self, words: Sequence[Word], what: str) -> None:
        if any(word.dynamic for word in words):
            self.findings.destroy("shell.dynamic", f"{what} runs a text that is only known when it runs")
        text = " ".join(word.text for word in words)
        if text.strip():
            inner = ShellJudge(self.facts, self.findings, depth=self.depth + 1)
            inner.cwd, inner.values = self.cwd, dict(self.values)
            inner.script(text)

    def _python(self, arguments: list[Word], stdin: str | None, fed_by: Sequence[str], nested: Sequence[str]) -> None:
        if self._downloads("python3", fed_by, nested):
            return
        texts = [word.text for word in arguments]
        if texts and texts[0] in ("--version", "-V", "-h", "--help"):
            return
        self.findings.change()
        for place, word in enumerate(arguments):
            if re.fullmatch(r"-[A-Za-z]*c", word.text) and not word.dynamic:
                if place + 1 < len(arguments):
                    code = arguments[place + 1]
                    if code.dynamic:
                        self.findings.destroy("shell.dynamic", "python -c runs a text that is only known when it runs")
                    python_rules.judge(code.text, self.facts, self.findings, depth=self.depth + 1, cwd=self.cwd)
                return
            if word.text == "-m":
                if texts[place + 1 : place + 2] in (["pip"], ["twine"]):
                    network_rules.client(self, texts[place + 1], arguments[place + 2 :])
                return
            if not word.text.startswith("-"):
                self.reads(word)
                return
        if stdin is not None:
            python_rules.judge(stdin, self.facts, self.findings, depth=self.depth + 1, cwd=self.cwd)
        elif fed_by:
            self.findings.destroy("shell.dynamic", "python runs what a pipe gives it")

    def _cd(self, arguments: list[Word]) -> None:
        target = next((word for word in arguments if not word.text.startswith("-") or word.text == "-"), None)
        if target is None or target.dynamic or target.text == "-":
            self.cwd = None
            return
        where = Where(target.text, self.cwd)
        if where.unsure:
            return
        if where.relative is not None:
            self.cwd = where.relative
        elif where.readable and ".." not in target.text.split("/"):
            self.cwd = posixpath.relpath(where.path, "/workspace")
        else:
            self.findings.deny("path.outside", f"{target.text} is outside the workspace")
