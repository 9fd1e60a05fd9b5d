"""Every error a caller may want to tell apart.

Bad input from a person is an `InputError` (exit code 2). Trouble with the machinery around an
episode (sandbox died, service away) is an `InfraError`; it is never a zero reward. Failures of the
agent's own tool calls are data (`Observation.ok == False`), not exceptions. Anything else that is
raised is a bug of ours and should be seen.
"""

from __future__ import annotations


class HybridAgentError(Exception):
    """Base of every error raised on purpose by this project."""


class InputError(HybridAgentError):
    """Something a person gave us is wrong.

    Args:
        what: what is wrong, in one sentence.
        where: the file, option or source it came from.
        field: dotted path of the offending field, if there is one.
        fix: what to type or change instead.
    """

    def __init__(
        self, what: str, *, where: str | None = None, field: str | None = None, fix: str | None = None
    ) -> None:
        self.what, self.where, self.field, self.fix = what, where, field, fix
        parts = [": ".join(p for p in (where, field) if p), what]
        text = ": ".join(p for p in parts if p)
        super().__init__(text + (f" (fix: {fix})" if fix else ""))


class GrammarError(InputError):
    """A JSON Schema asks for something the constraint cannot enforce; names the keyword."""


class SandboxError(HybridAgentError):
    """The sandbox could not be made or died under us (not: the command inside it failed)."""


class Suspended(BaseException):
    """The process ends but the episode does not: its trace stays open, and another process goes on with it."""


class InfraError(HybridAgentError):
    """Machinery around the episode failed; the episode's result is `infra_failure`."""


class Overloaded(InfraError):
    """A part has as much under way as it takes on; the caller may try again later."""


class Cancelled(InfraError):
    """The caller no longer wants the answer."""
