"""A shell script as the commands it runs: words, redirects and what feeds them, in order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from hybrid_agent.tools.shell_scan import ENDLESS, ShellSyntax, shown, simplify

__all__ = ["Command", "Redirect", "Script", "ShellSyntax", "Unparsed", "Word", "parse"]


class Unparsed(ValueError):
    """Correctly quoted, but beyond the parser: cannot be judged piece by piece."""


@dataclass(frozen=True)
class Word:
    """One word after quote removal; `dynamic` if a variable or command decides (part of) it."""

    text: str
    dynamic: bool = False


@dataclass(frozen=True)
class Redirect:
    """`op` as written (>, >>, <, &>, ...); `target` is a file."""

    op: str
    target: Word


@dataclass(frozen=True)
class Command:
    """A simple command. `fed_by` names the commands before it in its pipeline."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    assigns: tuple[tuple[str, Word], ...] = ()
    stdin: str | None = None
    fed_by: tuple[str, ...] = ()


Scope = Literal["enter", "leave"]


@dataclass
class Script:
    """`items` are commands and the borders of subshells; `nested` are further scripts that run."""

    items: list[Command | Scope] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    bombs: bool = False  # a function that starts itself twice
    endless: bool = False  # a loop that nothing leaves


def parse(source: str) -> Script:
    """Parse a script.

    Raises:
        ShellSyntax: it is not shell.
        Unparsed: it may be shell, but the parser does not know it.
    """
    import bashlex  # type: ignore[import-untyped]  # a quarter of a second to import; most calls do not need it
    import bashlex.errors  # type: ignore[import-untyped]

    simple = simplify(source)
    script = Script(nested=list(simple.nested))
    text = re.sub(r"^[\s;]+|\s+$", "", simple.text)
    if not text:
        return script
    try:
        trees = bashlex.parse(text)
    except bashlex.errors.ParsingError as error:
        raise Unparsed(str(error).split(" (position")[0]) from None
    except (NotImplementedError, RecursionError, AttributeError, TypeError, IndexError, AssertionError) as error:
        raise Unparsed(f"unsupported shell ({type(error).__name__})") from None
    walker = _Walker(script, simple.heredocs, text)
    for tree in trees:
        walker.walk(tree)
    return script


class _Walker:
    def __init__(self, script: Script, heredocs: list[str], text: str) -> None:
        self.script, self.heredocs, self.text = script, heredocs, text

    def walk(self, node: Any, fed_by: tuple[str, ...] = ()) -> None:
        kind = node.kind
        if kind == "command":
            self.script.items.append(self._command(node, fed_by))
        elif kind == "pipeline":
            self._pipeline(node, fed_by)
        elif kind == "function":
            self._function(node)
        elif kind == "compound":
            subshell = bool(node.list) and getattr(node.list[0], "word", None) == "("
            if subshell:
                self.script.items.append("enter")
            for part in node.list:
                self.walk(part, fed_by)
            if subshell:
                self.script.items.append("leave")
            found = tuple(self._redirects(node.redirects))
            if found:
                self.script.items.append(Command((), found))
        else:
            begin = len(self.script.items)
            for part in getattr(node, "parts", ()):
                if part.kind not in ("operator", "reservedword", "pipe", "word"):
                    self.walk(part, fed_by)
            self._loop_variable(node)
            self._leaves(node, begin)

    def _leaves(self, node: Any, begin: int) -> None:
        """Note a `while true`, `until false` or `for ((;;))` without a command that leaves it."""
        if node.kind not in ("while", "until", "for"):
            return
        inside = [item for item in self.script.items[begin:] if isinstance(item, Command) and item.words]
        if node.kind == "for":
            endless = node.parts[1].word == ENDLESS
        else:
            first = " ".join(word.text for word in inside[0].words) if inside else ""
            endless = first in (
                ("true", ":", "[ 1 ]", "[ true ]", "test 1") if node.kind == "while" else ("false", "! true")
            )
        if endless and not {item.words[0].text for item in inside} & {"break", "exit", "return", "exec", "read"}:
            self.script.endless = True

    def _loop_variable(self, node: Any) -> None:
        """`for x in a b`: the variable is dynamic, whatever it was before."""
        if node.kind == "for" and len(node.parts) > 1 and node.parts[1].kind == "word":
            self.script.items.append(Command((), (), ((node.parts[1].word, Word("", dynamic=True)),)))

    def _pipeline(self, node: Any, fed_by: tuple[str, ...]) -> None:
        self.script.items.append("enter")  # each part of a pipeline is a subshell
        names = list(fed_by)
        for part in node.parts:
            if part.kind in ("pipe", "reservedword"):
                continue
            begin = len(self.script.items)
            self.walk(part, tuple(names))
            for item in self.script.items[begin:]:
                if isinstance(item, Command):
                    names += [word.text for word in item.words[:2]]
        self.script.items.append("leave")

    def _function(self, node: Any) -> None:
        begin = len(self.script.items)
        self.script.items.append("enter")
        self.walk(node.body)
        self.script.items.append("leave")
        name = node.name.word
        calls = [item for item in self.script.items[begin:] if isinstance(item, Command) and item.words]
        if sum(item.words[0].text == name for item in calls) >= 2:
            self.script.bombs = True

    def _command(self, node: Any, fed_by: tuple[str, ...]) -> Command:
        words: list[Word] = []
        assigns: list[tuple[str, Word]] = []
        for part in node.parts:
            if part.kind == "word":
                words.append(self._word(part))
            elif part.kind == "assignment":
                name, _, value = part.word.partition("=")
                assigns.append((name.rstrip("+"), Word(shown(value), dynamic=bool(part.parts) or name.endswith("+"))))
        redirects = [part for part in node.parts if part.kind == "redirect"]
        stdin = next((text for part in redirects if (text := self._stdin(part)) is not None), None)
        return Command(tuple(words), tuple(self._redirects(redirects)), tuple(assigns), stdin, fed_by)

    def _stdin(self, node: Any) -> str | None:
        if node.type != "<<<":
            return None
        found = re.fullmatch(r"__heredoc_(\d+)__", node.output.word)
        return self.heredocs[int(found[1])] if found else shown(node.output.word)

    def _redirects(self, nodes: list[Any]) -> Iterator[Redirect]:
        for node in nodes:
            if node.kind == "redirect" and node.type not in ("<<<", "<<", "<<-") and hasattr(node.output, "word"):
                yield Redirect(node.type, self._word(node.output))

    def _word(self, node: Any) -> Word:
        """bashlex leaves some quotes in place (r''m stays r''m); shlex removes them all."""
        try:
            plain = shlex.split(self.text[slice(*node.pos)])
        except ValueError:
            plain = []
        dynamic = any(part.kind != "tilde" for part in node.parts)
        return Word(shown(plain[0] if len(plain) == 1 else node.word), dynamic)
