"""Simpler trees of the same value."""

from calcu.errors import EvalError
from calcu.evaluator import Evaluator
from calcu.nodes import Assign, Binary, Call, Choice, Number, Unary

ZERO, ONE = Number(0.0), Number(1.0)


def simplify(node):
    """Fold constants and drop operands that change nothing."""
    if isinstance(node, Unary):
        return _unary(node.op, simplify(node.operand))
    if isinstance(node, Binary):
        return _binary(node.op, simplify(node.left), simplify(node.right))
    if isinstance(node, Call):
        return Call(node.name, tuple(simplify(arg) for arg in node.args))
    if isinstance(node, Choice):
        test = simplify(node.test)
        if isinstance(test, Number):
            return simplify(node.then if test.value else node.other)
        return Choice(test, simplify(node.then), simplify(node.other))
    if isinstance(node, Assign):
        return Assign(node.name, simplify(node.value))
    return node


def _unary(op, operand):
    if op == "+":
        return operand
    if isinstance(operand, Number):
        return Number(-operand.value)
    if isinstance(operand, Unary) and operand.op == "-":
        return operand.operand
    return Unary(op, operand)


def _binary(op, left, right):
    if isinstance(left, Number) and isinstance(right, Number):
        try:
            return Number(Evaluator().value(Binary(op, left, right)))
        except EvalError:
            return Binary(op, left, right)
    if op == "+" and left == ZERO:
        return right
    if op in "+-" and right == ZERO:
        return left
    if op == "-" and left == ZERO:
        return _unary("-", right)
    if op == "*" and ZERO in (left, right):
        return ZERO
    if op == "*" and left == ONE:
        return right
    if op in "*/^" and right == ONE:
        return left
    return Binary(op, left, right)
