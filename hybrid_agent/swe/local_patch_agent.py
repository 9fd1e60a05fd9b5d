"""`python -m hybrid_agent.swe.local_patch_agent`: the same as `hybrid-agent fix`."""

from __future__ import annotations

if __name__ == "__main__":
    from importlib import import_module

    import typer

    # By name: the command line lies above this package, and nothing here may depend on it.
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command()(import_module("hybrid_agent.cli.fix").fix)
    import_module("hybrid_agent.cli.main").guarded(command)
