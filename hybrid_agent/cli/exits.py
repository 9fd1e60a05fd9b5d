"""How commands end: the one place where our errors become exit codes.

0 done (the agent verified its result); 1 not (it did not, or a limit is missed); 2 bad input; 3 the machinery failed;
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from hybrid_agent.errors import HybridAgentError, InputError

BAD_INPUT, MACHINERY, STOPPED = 2, 3, 130


def guarded(command: Callable[[], object]) -> NoReturn:
    """Run a command and exit, with the code it returns; errors of ours become one line on stderr and their code."""
    try:
        code = command()
    except InputError as error:
        _fail(str(error), BAD_INPUT)
    except HybridAgentError as error:
        _fail(f"{error}\nsee what is missing with: hybrid-agent doctor", MACHINERY)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def program(command: Callable[..., object], arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a function as a program: typer reads its options (from `arguments`, or those of the process), then exit."""
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    guarded(lambda: app(list(arguments) if arguments is not None else None))


def _fail(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
