"""Text to tokens."""

from dataclasses import dataclass

from calcu.errors import SyntaxProblem

TWO_CHARS = ("<=", ">=", "==", "!=")
ONE_CHAR = "+-*/%^()<>?:,="


@dataclass(frozen=True)
class Token:
    """`kind` is "number", "name", "op" or "end"."""

    kind: str
    text: str
    position: int


def tokenize(text):
    """List of tokens, the last of which is the end."""
    tokens = []
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
        elif char.isdigit() or (char == "." and text[at + 1 : at + 2].isdigit()):
            end = _number_end(text, at)
            tokens.append(Token("number", text[at:end], at))
            at = end
        elif char.isalpha() or char == "_":
            end = at + 1
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            tokens.append(Token("name", text[at:end], at))
            at = end
        elif text[at : at + 2] in TWO_CHARS:
            tokens.append(Token("op", text[at : at + 2], at))
            at += 2
        elif char in ONE_CHAR:
            tokens.append(Token("op", char, at))
            at += 1
        else:
            raise SyntaxProblem(f"unexpected {char!r}", at)
    tokens.append(Token("end", "", len(text)))
    return tokens


def _number_end(text, start):
    """Index after the number: digits, a fraction, an exponent with or without sign."""
    at = _digits_end(text, start)
    if at < len(text) and text[at] == ".":
        at = _digits_end(text, at + 1)
    if at < len(text) and text[at] in "eE":
        mark = at + 1
        if mark < len(text) and text[mark] in "+-":
            mark += 1
        end = _digits_end(text, mark)
        if end > mark:
            at = end
    return at


def _digits_end(text, at):
    while at < len(text) and text[at].isdigit():
        at += 1
    return at
