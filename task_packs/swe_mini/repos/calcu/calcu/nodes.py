"""What expressions are made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True)
class Name:
    """A variable or constant."""

    name: str


@dataclass(frozen=True)
class Unary:
    """A sign before an operand."""

    op: str
    operand: object


@dataclass(frozen=True)
class Binary:
    """Two operands."""

    op: str
    left: object
    right: object


@dataclass(frozen=True)
class Call:
    """A function and its arguments."""

    name: str
    args: tuple


@dataclass(frozen=True)
class Choice:
    """`test ? then : other`."""

    test: object
    then: object
    other: object


@dataclass(frozen=True)
class Assign:
    """`name = value`."""

    name: str
    value: object


def children(node):
    """The operands of a node."""
    if isinstance(node, Unary):
        return [node.operand]
    if isinstance(node, Binary):
        return [node.left, node.right]
    if isinstance(node, Call):
        return list(node.args)
    if isinstance(node, Choice):
        return [node.test, node.then, node.other]
    if isinstance(node, Assign):
        return [node.value]
    return []


def names(node):
    """Variables that an expression reads, sorted."""
    found = {node.name} if isinstance(node, Name) else set()
    for child in children(node):
        found.update(names(child))
    return sorted(found)
