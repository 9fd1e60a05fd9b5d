"""What can go wrong."""


class CalcError(Exception):
    """Any problem with an expression."""


class SyntaxProblem(CalcError):
    """The text is not an expression; `position` is the index of the offending character."""

    def __init__(self, message, position):
        super().__init__(f"{message} at {position}")
        self.position = position


class EvalError(CalcError):
    """The expression has no value."""
