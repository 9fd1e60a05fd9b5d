"""`hybrid-agent traces`: build labelled rollouts, count them, look at one, have another decoder read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hybrid_agent.traces.contexts import Context
    from hybrid_agent.traces.counts import Counts

app = typer.Typer(
    name="traces",
    help="Labelled rollouts: candidates (or whole episodes) that were executed in the sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
SHOWN = 400
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Data = Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A contexts file, or the folder of a build.")]


@app.command()
def build(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Overrides of configs/rollouts.yaml, such as packs.os=100."),
    ] = None,
) -> None:
    """Build labelled rollouts of training tasks; a build that was stopped goes on where it was."""
    _train("build", overrides or [])


@app.command()
def reread(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a build.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Overrides of configs/reading.yaml: out=DIR decoder=hf:sft/tiny"),
    ] = None,
) -> None:
    """Give all candidates of a build the log-probabilities of another decoder; nothing is executed again."""
    _train("reread", [f"contexts={folder}", *(overrides or [])])


def _train(module: str, arguments: list[str]) -> None:
    """Run a command of train/rollouts and exit with its code."""
    import subprocess
    import sys

    from hybrid_agent.errors import InputError

    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "train" / "rollouts").is_dir():
        raise InputError("the training code is not installed", fix="run it in a source checkout")
    command = [sys.executable, "-m", f"train.rollouts.{module}", *arguments]
    child = subprocess.Popen(command, env=_environment(checkout))
    try:
        code = child.wait()
    except KeyboardInterrupt:
        code = child.wait()  # it got the same signal and stores what is finished
    raise typer.Exit(code)


@app.command()
def stats(data: Data, as_json: Json = False) -> None:
    """Count the candidates of FILE or DIR by domain, stratum and label."""
    from hybrid_agent.traces.contexts import read_contexts
    from hybrid_agent.traces.counts import tally
    from hybrid_agent.traces.episodes import read_index
    from hybrid_agent.traces.provenance import EPISODES, PROVENANCE, data_file, read_provenance

    origin = None
    if ((data if data.is_dir() else data.parent) / PROVENANCE).is_file():
        origin = read_provenance(data)
    if data.name == EPISODES or (data.is_dir() and (data / EPISODES).is_file()):
        counts: Counts = {}
        for entry in read_index(data):
            row = counts.setdefault(entry.pack, {}).setdefault(entry.how, {})
            row[entry.label] = row.get(entry.label, 0) + 1
        heads, contexts, usable = ("pack", "how"), {}, {}
    else:
        found = tally(read_contexts(data_file(data)))
        counts, heads = found.counts(), ("domain", "stratum")
        contexts, usable = dict(found.contexts), dict(found.usable)
    if as_json:
        import json

        said = origin.model_dump(mode="json", exclude={"counts"}) if origin else None
        print(json.dumps({"counts": counts, "contexts": contexts, "usable": usable, "provenance": said}))
        return
    _table(counts, heads)
    for domain, number in sorted(contexts.items()):
        print(f"{domain}: {number} contexts, {usable[domain]} with a right and a wrong candidate")
    if origin:
        print(f"split {origin.split}, decoder {origin.decoder} ({origin.decoder_hash[:12]}), {origin.records} records")


@app.command()
def show(
    data: Data,
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a context, or the start of one.")],
    as_json: Json = False,
) -> None:
    """Show one context of FILE: the window, and each candidate with what became of it."""
    from hybrid_agent.errors import InputError
    from hybrid_agent.traces.contexts import read_contexts
    from hybrid_agent.traces.provenance import data_file

    file = data_file(data)
    first = None
    for context in read_contexts(file):
        if context.id == name:
            first = context
            break
        if first is None and context.id.startswith(name):
            first = context
    if first is None:
        some = [context.id for _, context in zip(range(3), read_contexts(file), strict=False)]
        raise InputError(f"no context {name!r}", where=str(file), fix=f"ids look like {', '.join(some)}")
    if as_json:
        print(first.model_dump_json())
    else:
        _show(first)


def _show(context: Context) -> None:
    from rich.console import Console
    from rich.text import Text

    from hybrid_agent.cli.text import describe_call, safe

    console = Console(highlight=False)

    def line(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    window = context.window
    line(f"{context.id} ({context.pack}, {context.domain}, {', '.join(context.intents)})", "bold")
    line(f"goal   {safe(window.goal)}")
    for number, step in enumerate(window.steps):
        line(f"{'->' if number == window.index else '  '} {number + 1}. {safe(step)}")
    if window.files:
        line("files  " + safe(" ".join(window.files))[:SHOWN])
    for exchange in window.exchanges:
        line(f"did    {describe_call(exchange.call)}")
        line(f"       {safe(exchange.obs)[:SHOWN]}")
    styles = {"pass": "green", "plausible_fail": "red", "policy_violation": "magenta", "flaky": "yellow"}
    for candidate in context.candidates:
        segment = candidate.segment
        logprob = f" logprob {segment.logprob:.2f}" if segment.tokens else ""
        line(f"{candidate.label:17}{candidate.stratum}{logprob}", styles.get(candidate.label, "cyan"))
        line(f"    {describe_call(segment.text)}")
        line(f"    {safe(candidate.detail)[:SHOWN]}", "dim")


def _table(counts: Counts, heads: tuple[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from hybrid_agent.traces.counts import LABELS

    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=True)
    for label in (*LABELS, "all"):
        table.add_column(label.replace("_", " "), justify="right")
    total = dict.fromkeys(LABELS, 0)
    for outer, rows in counts.items():
        for inner, found in rows.items():
            for label in LABELS:
                total[label] += found.get(label, 0)
            numbers = [str(found.get(label, 0)) for label in LABELS]
            table.add_row(outer, inner, *numbers, str(sum(found.values())))
    table.add_row("all", "", *(str(total[label]) for label in LABELS), str(sum(total.values())))
    Console(highlight=False).print(table)


def _environment(checkout: Path) -> dict[str, str]:
    """The checkout must be importable, wherever the command is started."""
    import os

    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{known}" if known else str(checkout)}
