"""Trees to values."""

import math
import operator

from calcu import functions
from calcu.errors import EvalError
from calcu.nodes import Assign, Binary, Call, Choice, Name, Number, Unary
from calcu.parser import parse
from calcu.scope import Scope

CONSTANTS = {"pi": math.pi, "e": math.e}
PLAIN = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Evaluator:
    """Evaluates expressions one after the other; assignments stay."""

    def __init__(self, values=None):
        self.scope = Scope(values, Scope(CONSTANTS))
        self.last = None

    def run(self, text):
        """The value of an expression; also kept as `last` and as the name `ans`."""
        value = self.value(parse(text))
        self.last = value
        self.scope.define("ans", value)
        return value

    def value(self, node):
        """The value of a tree, a float."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return float(self.scope.get(node.name))
        if isinstance(node, Unary):
            value = self.value(node.operand)
            return -value if node.op == "-" else value
        if isinstance(node, Binary):
            return self._binary(node.op, self.value(node.left), self.value(node.right))
        if isinstance(node, Call):
            return float(functions.call(node.name, [self.value(arg) for arg in node.args]))
        if isinstance(node, Choice):
            return self.value(node.then if self.value(node.test) else node.other)
        if isinstance(node, Assign):
            if node.name in CONSTANTS:
                raise EvalError(f"{node.name} is a constant")
            value = self.value(node.value)
            self.scope.set(node.name, value)
            return value
        raise EvalError(f"cannot evaluate {node!r}")

    def _binary(self, op, left, right):
        if op in PLAIN:
            return float(PLAIN[op](left, right))
        if op in ("/", "%"):
            if right == 0:
                raise EvalError("division by zero")
            return left / right if op == "/" else math.fmod(left, right)
        if op == "^":
            return self._power(left, right)
        raise EvalError(f"unknown operator {op!r}")

    def _power(self, base, exponent):
        if base == 0 and exponent < 0:
            raise EvalError("division by zero")
        if base < 0 and exponent != int(exponent):
            raise EvalError(f"{base:g} has no power {exponent:g}")
        try:
            return float(base**exponent)
        except OverflowError:
            raise EvalError("the result is too large") from None


def evaluate(text, values=None):
    """The value of an expression.

    Raises:
        CalcError: it is not an expression, or has no value.
    """
    return Evaluator(values).run(text)
