"""Functions that expressions can call."""

import math

from calcu.errors import EvalError


def _average(*values):
    return sum(values) / len(values)


def _clamp(value, low, high):
    if low > high:
        raise EvalError(f"clamp: {low:g} is greater than {high:g}")
    return max(low, min(value, high))


def _root(value, degree=2.0):
    if degree == 0:
        raise EvalError("root: degree 0")
    if value < 0:
        if degree % 2 == 1:
            return -((-value) ** (1 / degree))
        raise EvalError(f"root of {value:g}")
    return value ** (1 / degree)


def _log(value, base=math.e):
    if value <= 0 or base <= 0 or base == 1:
        raise EvalError(f"log of {value:g} to base {base:g}")
    return math.log(value) / math.log(base)


def _round(value, digits=0.0):
    scale = 10 ** int(digits)
    return math.floor(value * scale + 0.5) / scale


# name -> function, fewest arguments, most arguments (None: any number)
FUNCTIONS = {
    "abs": (abs, 1, 1),
    "avg": (_average, 1, None),
    "clamp": (_clamp, 3, 3),
    "log": (_log, 1, 2),
    "max": (max, 1, None),
    "min": (min, 1, None),
    "root": (_root, 1, 2),
    "round": (_round, 1, 2),
    "sum": (lambda *values: float(sum(values)), 0, None),
}


def call(name, args):
    """The value of a call.

    Raises:
        EvalError: unknown function, wrong number of arguments, or no value.
    """
    if name not in FUNCTIONS:
        raise EvalError(f"unknown function {name!r}")
    function, least, most = FUNCTIONS[name]
    if len(args) < least or (most is not None and len(args) > most):
        raise EvalError(f"{name} does not take {len(args)} arguments")
    # max and min of one argument would take it for a list
    if name in ("max", "min") and len(args) == 1:
        return args[0]
    return function(*args)
