"""Entry point: the commands together, and the one place where our errors become exit codes.

0 the agent verified its result; 1 it did not; 2 bad input; 3 the machinery failed; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from hybrid_agent.cli import doctor, fix, memory, rerank, run, runs, serve, tasks, traces, watch
from hybrid_agent.errors import HybridAgentError, InputError

BAD_INPUT, MACHINERY, STOPPED = 2, 3, 130

app = typer.Typer(
    name="hybrid-agent",
    help="An agent that turns a goal into a verified result, in a sandbox, with a model that runs on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("rollback")(runs.rollback)
app.command("trace")(runs.trace)
app.command("runs")(runs.runs)
app.command("tasks")(tasks.tasks)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve.serve)
app.command("watch")(watch.watch)
app.command("fix")(fix.fix)
app.command("rerank")(rerank.rerank)
app.add_typer(traces.app)
app.add_typer(memory.app)


def main() -> NoReturn:
    """The `hybrid-agent` command."""
    guarded(app)


def guarded(command: Callable[[], object]) -> NoReturn:
    """Run a command and exit; errors of ours become one line on stderr and their exit code."""
    try:
        command()
    except InputError as error:
        _fail(str(error), BAD_INPUT)
    except HybridAgentError as error:
        _fail(f"{error}\nsee what is missing with: hybrid-agent doctor", MACHINERY)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
