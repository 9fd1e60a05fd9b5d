"""Take apart what the shell parser cannot read, before it reads the rest.

bashlex knows pipelines, lists, loops, functions and redirects, but not `[[ ]]`, `case`, arithmetic, arrays or quoted
here-documents. This scanner knows quoting; it replaces such constructs by plain ones that run the same commands, and
pulls out every command substitution, so that each piece of shell is judged on its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SUBSTITUTED = "${__sub}"  # stands for the output of a command
ENDLESS = "__endless"  # the variable of a `for ((;;))` in the rewritten script
HEREDOC = "__heredoc_{}__"
# bashlex looks for expansions in some quoted texts (and may never end): literal marks are hidden from it.
_HIDDEN = str.maketrans({"$": "\ue000", "`": "\ue001"})
_SHOWN = str.maketrans({"\ue000": "$", "\ue001": "`"})
_BREAK = " \t\n;|&()<>"
_COMMAND_START = re.compile(r"(^|[;|&({\n]|\b(do|then|else|elif|if|while|until|!|\{))\s*$")


class ShellSyntax(ValueError):
    """The text is not shell: a quote, bracket or here-document is not closed."""


@dataclass
class Simplified:
    """`text` for the parser; `nested` pieces of shell that also run; `heredocs` in the order of their marks."""

    text: str = ""
    nested: list[str] = field(default_factory=list)
    heredocs: list[str] = field(default_factory=list)


def simplify(source: str) -> Simplified:
    """Rewrite a shell script so that bashlex can read it.

    Raises:
        ShellSyntax: something is not closed.
    """
    return _Scanner(source.translate(_SHOWN).replace("\\\n", "")).run()


def shown(text: str) -> str:
    """Text of the simplified script with its literal marks back."""
    return text.translate(_SHOWN)


class _Scanner:
    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0
        self.out: list[str] = []
        self.result = Simplified()
        self.waiting: list[tuple[str, bool, bool]] = []  # here-documents: delimiter, expands, tabs stripped
        self.cases = 0
        self.pattern = False  # inside a `case`, before the `)` of a pattern

    def run(self) -> Simplified:
        while self.at < len(self.source):
            self._step()
        if self.waiting:
            raise ShellSyntax(f"the here-document {self.waiting[0][0]} is not closed")
        if self.cases:
            raise ShellSyntax("case without esac")
        self.result.text = "".join(self.out)
        return self.result

    def _step(self) -> None:
        source, at = self.source, self.at
        char, two = source[at], source[at : at + 2]
        start = at == 0 or source[at - 1] in _BREAK
        if char == "\n":
            self._newline()
        elif char == "#" and start:
            end = source.find("\n", at)
            self.at = len(source) if end < 0 else end
        elif self.pattern:
            self._case_pattern()
        elif source.startswith("<<<", at):
            self._emit(3)
        elif two == "<<":
            self._heredoc()
        elif two in ("<(", ">("):
            self._substitution(2)
        elif two == "((" and self._command_position():
            self._arithmetic_command()
        elif two == ";;":
            self.at += 3 if source[at : at + 3] == ";;&" else 2
            self.out.append("\n:\n")
            self.pattern = self.cases > 0
        elif char in "'\"\\`$":
            self.out.append(self._quoted())
        elif start and re.match(r"[A-Za-z_]\w*\+?=\(", source[at:]):
            self._array()
        elif start and (word := re.match(r"(\[\[|case|esac|coproc|time|select)(?=[\s;|&()]|$)", source[at:])):
            self._keyword(word[1])
        else:
            self._emit(1)

    def _emit(self, count: int) -> None:
        self.out.append(self.source[self.at : self.at + count])
        self.at += count

    def _command_position(self) -> bool:
        return _COMMAND_START.search("".join(self.out[-40:])) is not None or "".join(self.out).rstrip().endswith("for")

    # --- quoting and expansions: each returns the text for the parser
    def _quoted(self) -> str:
        source, at = self.source, self.at
        char = source[at]
        if char == "\\":
            self.at += 2
            return source[at : at + 2].translate(_HIDDEN)
        if char == "'":
            return self._until("'", at + 1).translate(_HIDDEN)
        if char == '"':
            return self._double()
        if char == "`":
            return self._backtick()
        if source.startswith("$((", at) and (end := self._arithmetic_end(at + 3)) is not None:
            self._inner(source[at + 3 : end])
            self.at = end + 2
            return SUBSTITUTED
        if source.startswith("$(", at):
            end = self._closing(at + 2, "(", ")")
            self.result.nested.append(source[at + 2 : end])
            self.at = end + 1
            return SUBSTITUTED
        if source.startswith("${", at):
            end = self._closing(at + 2, "{", "}")
            self._inner(source[at + 2 : end])
            self.at = end + 1
            plain = re.fullmatch(r"[A-Za-z_]\w*", source[at + 2 : end])
            return source[at : end + 1] if plain else SUBSTITUTED
        if source.startswith("$'", at):
            found = re.compile(r"\$'((?:\\.|[^'\\])*)'", re.DOTALL).match(source, at)
            if not found:
                raise ShellSyntax("a quote $' is not closed")
            self.at = found.end()
            return "'" + _ansi(found[1]).translate(_HIDDEN).replace("'", "'\\''") + "'"
        self.at += 1
        return char

    def _until(self, mark: str, begin: int) -> str:
        end = self.source.find(mark, begin)
        if end < 0:
            raise ShellSyntax(f"a quote {mark} is not closed")
        text = self.source[self.at : end + 1]
        self.at = end + 1
        return text

    def _double(self) -> str:
        parts = ['"']
        self.at += 1
        while self.at < len(self.source):
            char = self.source[self.at]
            if char == '"':
                self.at += 1
                return "".join(parts) + '"'
            if char == "'" or (char == "$" and self.source[self.at : self.at + 2] in ("$'", '$"')):
                parts.append(char)
                self.at += 1
            elif char in "\\`$":
                parts.append(self._quoted())
            else:
                parts.append(char)
                self.at += 1
        raise ShellSyntax('a quote " is not closed')

    def _backtick(self) -> str:
        found = re.compile(r"`((?:\\.|[^`\\])*)`", re.DOTALL).match(self.source, self.at)
        if not found:
            raise ShellSyntax("a backtick is not closed")
        self.at = found.end()
        self.result.nested.append(re.sub(r"\\([`\\$])", r"\1", found[1]))
        return SUBSTITUTED

    def _closing(self, at: int, opening: str, closing: str) -> int:
        """Place of the bracket that closes the one before `at`, quotes and nested brackets respected."""
        depth, source = 1, self.source
        while at < len(source):
            char = source[at]
            if char == "\\":
                at += 1
            elif (char == "'" and opening == "(") or char == '"':
                at = self._skip_quote(at)
            elif char == "#" and opening == "(" and source[at - 1] in " \t\n;":
                end = source.find("\n", at)
                at = len(source) if end < 0 else end
            elif char == opening:
                depth += 1
            elif char == closing and not (opening == "(" and self._is_pattern_bracket(at)):
                depth -= 1
                if depth == 0:
                    return at
            at += 1
        raise ShellSyntax(f"a bracket {opening} is not closed")

    def _is_pattern_bracket(self, at: int) -> bool:
        """A `)` that ends a case pattern has no partner."""
        line = self.source[:at]
        return bool(re.search(r"(\bin|;;)\s*[^\s()]+$", line)) and "case" in line

    def _skip_quote(self, at: int) -> int:
        mark, source = source_mark(self.source, at)
        while at + 1 < len(source):
            at += 1
            if source[at] == "\\" and mark == '"':
                at += 1
            elif source[at] == mark:
                return at
        raise ShellSyntax(f"a quote {mark} is not closed")

    def _inner(self, text: str) -> None:
        """Command substitutions inside arithmetic, parameter expansions and tests."""
        if "$(" in text or "`" in text:
            inner = _Scanner(text)
            while inner.at < len(text):
                if text[inner.at] in "\\`$":
                    inner._quoted()
                else:
                    inner.at += 1
            self.result.nested += inner.result.nested

    # --- constructs
    def _substitution(self, skip: int) -> None:
        end = self._closing(self.at + skip, "(", ")")
        self.result.nested.append(self.source[self.at + skip : end])
        self.at = end + 1
        self.out.append(SUBSTITUTED)

    def _arithmetic_end(self, at: int) -> int | None:
        try:
            end = self._closing(at, "(", ")")
        except ShellSyntax:
            return None
        return end if self.source[end : end + 2] == "))" else None

    def _arithmetic_command(self) -> None:
        end = self._arithmetic_end(self.at + 2)
        if end is None:
            self._emit(1)  # nested subshells: "((ls); ls)"
            return
        inner = self.source[self.at + 2 : end]
        self._inner(inner)
        self.at = end + 2
        name = ENDLESS if re.fullmatch(r"[^;]*;\s*(1|true)?\s*;[^;]*", inner) else "__i"
        self.out.append(f"{name} in 1 " if "".join(self.out).rstrip().endswith("for") else ": ")

    def _array(self) -> None:
        begin = self.source.index("(", self.at)
        end = self._closing(begin + 1, "(", ")")
        self._inner(self.source[begin + 1 : end])
        self.out.append(self.source[self.at : begin] + "__array")
        self.at = end + 1

    def _keyword(self, word: str) -> None:
        if word not in ("[[",) and not self._command_position():
            self._emit(len(word))
        elif word == "[[":
            found = re.compile(r"\s\]\](?=[\s;|&)]|$)").search(self.source, self.at)
            if not found:
                raise ShellSyntax("[[ is not closed")
            self._inner(self.source[self.at : found.start()])
            self.at = found.end()
            self.out.append("true ")
        elif word == "case":
            found = re.compile(r"case\s+(?P<word>.*?)\s+in\b", re.DOTALL).match(self.source, self.at)
            if not found:
                raise ShellSyntax("case without in")
            self._inner(found["word"])
            self.at = found.end()
            self.cases += 1
            self.pattern = True
            self.out.append("{\n:\n")
        elif word == "esac":
            self._end_case(len(word))
        else:
            self.at += len(word)
            if word == "select":
                self.out.append("for")
            elif word == "time":
                self.at += len(re.match(r"(\s+-p)?", self.source[self.at :])[0])  # type: ignore[index]

    def _end_case(self, length: int) -> None:
        if not self.cases:
            raise ShellSyntax("esac without case")
        self.at += length
        self.cases -= 1
        self.pattern = False
        self.out.append("\n}")

    def _case_pattern(self) -> None:
        rest = self.source[self.at :]
        if rest[0] in " \t;(":
            self.at += 1
        elif re.match(r"esac(?=[\s;|&)]|$)", rest):
            self._end_case(4)
        elif rest[0] == ")":
            self.at += 1
            self.pattern = False
            self.out.append("\n:\n")
        elif rest[0] in "'\"\\`$":
            self._quoted()
        else:
            self.at += 1

    # --- here-documents
    def _heredoc(self) -> None:
        found = re.compile(r"<<(-?)[ \t]*(\\?)(?:'([^'\n]*)'|\"([^\"\n]*)\"|([^\s;|&()<>'\"]+))").match(
            self.source, self.at
        )
        if not found:
            raise ShellSyntax("<< without a word")
        word = next(text for text in found.groups()[2:] if text is not None)
        expands = found[5] is not None and not found[2]
        self.out.append(f"<<<{HEREDOC.format(len(self.result.heredocs) + len(self.waiting))}")
        self.waiting.append((word, expands, bool(found[1])))
        self.at = found.end()

    def _newline(self) -> None:
        self._emit(1)
        while self.waiting:
            word, expands, tabs = self.waiting.pop(0)
            body: list[str] = []
            while True:
                if self.at >= len(self.source):
                    raise ShellSyntax(f"the here-document {word} is not closed")
                end = self.source.find("\n", self.at)
                end = len(self.source) if end < 0 else end
                line = self.source[self.at : end]
                self.at = min(end + 1, len(self.source))
                if (line.lstrip("\t") if tabs else line) == word:
                    break
                body.append(line + "\n")
            text = "".join(body)
            if expands:
                self._inner(text)
            self.result.heredocs.append(text)


def source_mark(source: str, at: int) -> tuple[str, str]:
    """The quote character at a place, with the text it is in."""
    return source[at], source


def _ansi(text: str) -> str:
    simple = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "e": "\x1b", "0": "\0"}

    def one(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        if (code[0] in "01234567" and len(code) > 1) or code.isdigit():
            return chr(int(code, 8) & 0xFF)
        return simple.get(code, code)

    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", one, text).replace("\0", "")
