"""Tokens to a tree, by precedence climbing."""

from calcu.errors import SyntaxProblem
from calcu.nodes import Assign, Binary, Call, Choice, Name, Number, Unary
from calcu.tokens import tokenize

LEVELS = {
    "==": 1, "!=": 1,
    "<": 2, "<=": 2, ">": 2, ">=": 2,
    "+": 3, "-": 3,
    "*": 4, "/": 4, "%": 4,
    "^": 6,
}  # fmt: skip
SIGN = 5
RIGHT = {"^"}


def parse(text):
    """The tree of an expression.

    Raises:
        SyntaxProblem: it is not one.
    """
    return _Parser(tokenize(text)).whole()


class _Parser:
    def __init__(self, tokens):
        self._tokens = tokens
        self._at = 0

    @property
    def _now(self):
        return self._tokens[self._at]

    def whole(self):
        node = self._statement()
        if self._now.kind != "end":
            raise SyntaxProblem(f"unexpected {self._now.text!r}", self._now.position)
        return node

    def _statement(self):
        if self._now.kind == "name" and self._tokens[self._at + 1].text == "=":
            name = self._next().text
            self._next()
            return Assign(name, self._statement())
        return self._choice()

    def _choice(self):
        test = self._binary(1)
        if not self._skip("?"):
            return test
        then = self._choice()
        self._expect(":")
        return Choice(test, then, self._choice())

    def _binary(self, least):
        node = self._unary()
        while self._now.kind == "op" and LEVELS.get(self._now.text, 0) >= least:
            op = self._next().text
            level = LEVELS[op]
            right = self._binary(level if op in RIGHT else level + 1)
            node = Binary(op, node, right)
        return node

    def _unary(self):
        if self._now.kind == "op" and self._now.text in "+-":
            op = self._next().text
            return Unary(op, self._binary(SIGN))
        return self._primary()

    def _primary(self):
        token = self._next()
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind == "name":
            return self._call(token) if self._now.text == "(" else Name(token.text)
        if token.text == "(":
            node = self._choice()
            self._expect(")")
            return node
        raise SyntaxProblem(f"unexpected {token.text!r}" if token.text else "unexpected end", token.position)

    def _call(self, name):
        self._expect("(")
        args = []
        if not self._skip(")"):
            args.append(self._choice())
            while self._skip(","):
                args.append(self._choice())
            self._expect(")")
        return Call(name.text, tuple(args))

    def _next(self):
        token = self._now
        if token.kind != "end":
            self._at += 1
        return token

    def _skip(self, text):
        if self._now.kind == "op" and self._now.text == text:
            self._at += 1
            return True
        return False

    def _expect(self, text):
        if not self._skip(text):
            raise SyntaxProblem(f"expected {text!r}", self._now.position)
