"""Entry point: the commands together."""

from __future__ import annotations

from typing import NoReturn

import typer

from hybrid_agent.cli import doctor, fix, lineage, memory, report, rerank, run, runs, serve, tasks, traces, watch
from hybrid_agent.cli.exits import guarded

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
app.command("lineage")(lineage.lineage)
app.command("report")(report.report)
app.add_typer(traces.app)
app.add_typer(memory.app)


def main() -> NoReturn:
    """The `hybrid-agent` command."""
    guarded(app)
