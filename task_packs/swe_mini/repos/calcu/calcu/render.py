"""Trees and numbers back to text."""

from calcu.nodes import Assign, Binary, Call, Choice, Name, Number, Unary
from calcu.parser import LEVELS, RIGHT, SIGN


def show_number(value, digits=10):
    """A number without needless zeros; 0.1 + 0.2 is "0.3"."""
    text = f"{value:.{digits}g}"
    if "e" in text:
        return text
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def render(node):
    """An expression as text, with the brackets it needs."""
    return _text(node, 0)


def _text(node, least):
    if isinstance(node, Number):
        return show_number(node.value)
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Call):
        return f"{node.name}({', '.join(_text(arg, 0) for arg in node.args)})"
    if isinstance(node, Assign):
        return f"{node.name} = {_text(node.value, 0)}"
    if isinstance(node, Choice):
        text = f"{_text(node.test, 1)} ? {_text(node.then, 0)} : {_text(node.other, 0)}"
        level = 0
    elif isinstance(node, Unary):
        text = node.op + _text(node.operand, SIGN)
        level = SIGN
    elif isinstance(node, Binary):
        level = LEVELS[node.op]
        left, right = (level + 1, level) if node.op in RIGHT else (level, level + 1)
        text = f"{_text(node.left, left)} {node.op} {_text(node.right, right)}"
    else:
        raise TypeError(f"not an expression: {node!r}")
    return f"({text})" if level < least else text
