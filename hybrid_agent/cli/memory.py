"""`hybrid-agent memory`: what was learned, why it is trusted, and how to take it back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from hybrid_agent.memory.records import Entry
    from hybrid_agent.memory.store import ColdMemory

app = typer.Typer(
    name="memory",
    help="What worked before: look at it, approve it, take it back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Folder = Annotated[
    Path | None, typer.Option("--memory-dir", help="Where it lies. Default: $HYBRID_AGENT_MEMORY or among the runs.")
]
Id = Annotated[int, typer.Argument(metavar="ID", help="The number of a memory.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Kind = Annotated[str, typer.Option(help="note or skill.")]
SHOWN = 100


@app.command("list")
def list_entries(
    status: Annotated[str | None, typer.Option(help="Only promoted, quarantined, rejected, archived, ...")] = None,
    kind: Annotated[str | None, typer.Option(help="Only note or skill.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    memory_dir: Folder = None,
    as_json: Json = False,
) -> None:
    """List memories, newest first."""
    with _opened(memory_dir, "read") as memory:
        _print(memory.entries(status=status, kind=_kind(kind) if kind else None, limit=limit), as_json)


@app.command()
def show(entry: Id, memory_dir: Folder = None, as_json: Json = False) -> None:
    """Show one memory whole, with where it comes from and its history."""
    with _opened(memory_dir, "read") as memory:
        found, changes = memory.get(entry), memory.history(entry)
    if as_json:
        import json

        body = {**found.model_dump(), "history": [change.model_dump() for change in changes]}
        print(json.dumps(body, ensure_ascii=True))
        return
    from hybrid_agent.cli.text import describe_call, safe

    held = " (held back)" if found.held else ""
    print(f"{found.kind} {found.id}, version {found.version}: {found.status}{held}")
    print(f"because    {safe(found.reason)}")
    print(f"domain     {found.domain}; used {found.uses} times, {found.wins} well; strength {found.strength:.2f}")
    print(f"times      made {_date(found.created)}, last of use {_date(found.used)}, expires {_date(found.expires)}")
    print("from       " + safe(", ".join(f"{name} {value}" for name, value in found.provenance.items())))
    print("text       " + safe(found.text))
    if found.skill is not None:
        print("shape      " + safe(found.skill.shape))
        for call in found.skill.calls:
            told = _json({"tool": call.tool, "args": call.args})
            print("    " + (describe_call(told) if call.args is not None else f"{call.tool}: the decoder's"))
    for change in changes:
        print(f"version {change.version}  {_date(change.at)}  {change.status}: {safe(change.why)}")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What it is about.", show_default=False)],
    kind: Kind = "note",
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="At most so many.")] = 5,
    memory_dir: Folder = None,
    as_json: Json = False,
) -> None:
    """Find promoted memories, best first, with the factors of their score."""
    with _opened(memory_dir, "read") as memory:
        hits = memory.search(query, k, kind=_kind(kind))
    if as_json:
        import json

        print(json.dumps([hit.model_dump() for hit in hits], ensure_ascii=True))
        return
    from hybrid_agent.cli.text import safe

    for hit in hits:
        parts = f"{hit.similarity:.2f} x {hit.freshness:.2f} x {hit.success:.2f} x {hit.domain:.2f}"
        print(f"{hit.score:.2f} = {parts}  {hit.entry.id}  {safe(hit.entry.text)[:SHOWN]}")


@app.command()
def teach(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help='Learn from this run: an id or "last".')] = None,
    note: Annotated[str | None, typer.Option(help="Or take in this note.")] = None,
    runs_dir: Annotated[Path | None, typer.Option(help="Where runs are kept.")] = None,
    memory_dir: Folder = None,
) -> None:
    """Learn the skill of a verified RUN (it is replayed first), or take in a note (a person approves it)."""
    from hybrid_agent.assemble.recall import learn
    from hybrid_agent.assemble.rundir import find_run, runs_root
    from hybrid_agent.errors import InputError

    if (run is None) == (note is None):
        raise InputError("name a run or give a note", fix='hybrid-agent memory teach last, or --note "TEXT"')
    with _opened(memory_dir, "write", runs_dir) as memory:
        if run is not None:
            print(learn(memory, find_run(runs_root(runs_dir), run)))
        else:
            entry = memory.add(note or "", {"by": _person()})
            print(f"note {entry.id} is {entry.status}: {entry.reason}")


@app.command()
def approve(entry: Id, memory_dir: Folder = None) -> None:
    """Promote a memory that waits in quarantine or is held back; look at it first."""
    with _opened(memory_dir, "write") as memory:
        _done(memory.approve(entry, by=_person()))


@app.command()
def archive(
    entry: Id,
    why: Annotated[str, typer.Option(help="Kept in its history.")] = "archived by hand",
    memory_dir: Folder = None,
) -> None:
    """Take a memory out of use; learning it again does not bring it back."""
    with _opened(memory_dir, "write") as memory:
        _done(memory.archive(entry, why=why))


@app.command()
def rollback(
    entry: Id,
    to: Annotated[int | None, typer.Option(help="Version; default: the one before the present one.")] = None,
    memory_dir: Folder = None,
) -> None:
    """Make a memory what it was at an earlier version."""
    with _opened(memory_dir, "write") as memory:
        _done(memory.rollback(entry, to))


@app.command()
def stats(memory_dir: Folder = None, as_json: Json = False) -> None:
    """Count memories by kind and state, and say how they are searched."""
    with _opened(memory_dir, "read") as memory:
        found = memory.stats()
    if as_json:
        print(_json(found))
        return
    print(f"file       {found['file']} ({found['bytes'] / 2**20:.1f} MiB)")
    print(f"embedder   {found['embedder']}")
    for kind, counts in found["entries"].items():
        index = found["index"][kind]
        told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "none"
        print(f"{kind + 's':10} {told}; {index['vectors']} in the index ({index['kind']})")


@app.command()
def rebuild(memory_dir: Folder = None) -> None:
    """Embed everything again and make the index anew: after a change of embedder."""
    with _opened(memory_dir, "write", reembed=True) as memory:
        memory.rebuild()
        print(f"embedded with {memory.embedder.name}")


def _opened(
    option: Path | None, mode: Literal["read", "write"], runs: Path | None = None, *, reembed: bool = False
) -> ColdMemory:
    from hybrid_agent.assemble.memory import memory_config, memory_folder, open_memory
    from hybrid_agent.assemble.rundir import runs_root

    return open_memory(memory_folder(runs_root(runs), option), memory_config(), mode=mode, reembed=reembed)


def _kind(text: str) -> Literal["note", "skill"]:
    from hybrid_agent.errors import InputError

    if text == "note":
        return "note"
    if text == "skill":
        return "skill"
    raise InputError(f"no kind {text!r}", where="--kind", fix="use note or skill")


def _print(entries: Sequence[Entry], as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps([entry.model_dump() for entry in entries], ensure_ascii=True))
        return
    from hybrid_agent.cli.text import safe

    for entry in entries:
        text = entry.skill.shape if entry.skill is not None else entry.text
        mark = "held" if entry.held and entry.status == "quarantined" else entry.status
        print(f"{entry.id:5}  {entry.kind:5}  {mark:11}  {entry.wins}/{entry.uses}  {safe(text)[:SHOWN]}")


def _done(entry: Entry) -> None:
    from hybrid_agent.cli.text import safe

    print(f"{entry.kind} {entry.id} is {entry.status}: {safe(entry.reason)} (version {entry.version})")


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=True)


def _date(at: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _person() -> str:
    return os.environ.get("USER") or "a person at the terminal"
