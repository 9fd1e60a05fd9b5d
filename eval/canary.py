"""May a new bundle serve? python -m eval.canary candidate=FOLDER tasks=230 (make canary CANDIDATE=FOLDER)

The candidate does the same tasks as the bundle that serves, in its shadow. It is promoted if its success is not worse
by more than the margin and no safety line is. A stopped comparison goes on where it stopped.
Exit codes: 0 promoted (or good enough, with dry=true), 1 refused, 2 bad input.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.config.canary import CanaryConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.errors import InputError


def command(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE...", help="As in configs/canary.yaml: candidate=FOLDER tasks=230."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Take the last promotion back.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Show what was promoted, refused and taken back.")] = False,
) -> None:
    """Compare a new bundle with the one that serves, and let it serve if it is not worse."""
    config = load_config("canary", overrides or [], CanaryConfig)
    console = Console(stderr=as_json, highlight=False)
    if rollback or history:
        _show_or_go_back(config, console, as_json, rollback)
        return
    from eval.shadow import judge
    from eval.stored import Interrupted

    try:
        verdict = judge(config, console)
    except Interrupted:
        raise typer.Exit(STOPPED) from None
    verdict.show(console)
    folder = verdict.settle()
    console.print(f"record: {folder}", soft_wrap=True)
    if as_json:
        print(json.dumps({**verdict.as_json(), "record": str(folder)}))
    if verdict.reasons:
        raise typer.Exit(1)


def _show_or_go_back(config: CanaryConfig, console: Console, as_json: bool, rollback: bool) -> None:
    from hybrid_agent.runs.promotion import Promotions, read_events

    root = Path(config.out)
    if rollback:
        if config.candidate is not None:
            raise InputError("a rollback takes no candidate", where="--rollback", fix="leave candidate= out")
        with Promotions(root) as book:
            now = book.roll_back()
        console.print(f"{now.bundle} ({now.manifest[:12]}) serves again", soft_wrap=True)
    events = read_events(root)
    if as_json:
        print(json.dumps([event.model_dump() for event in events]))
        return
    if rollback:
        return
    for event in events:
        why = f": {'; '.join(event.reasons)}" if event.reasons else ""
        line = f"{event.number:3} {event.at} {event.what:11} {event.bundle.bundle} ({event.bundle.manifest[:12]}){why}"
        console.print(line, soft_wrap=True, markup=False)
    if not events:
        console.print(f"nothing was promoted in {root}; the shipped bundle serves", soft_wrap=True)


if __name__ == "__main__":
    program(command)
