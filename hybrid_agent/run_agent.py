"""`python -m hybrid_agent.run_agent "GOAL"`: the same as `hybrid-agent run "GOAL"`."""

from __future__ import annotations

from hybrid_agent.cli.exits import program
from hybrid_agent.cli.run import run

if __name__ == "__main__":
    program(run)
