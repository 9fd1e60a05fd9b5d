"""`python -m hybrid_agent.run_agent "GOAL"`: the same as `hybrid-agent run "GOAL"`."""

from __future__ import annotations

import typer

from hybrid_agent.cli.main import guarded
from hybrid_agent.cli.run import run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(run)

if __name__ == "__main__":
    guarded(app)
