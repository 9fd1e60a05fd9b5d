"""`hybrid-agent lineage RUN|BUNDLE`: what it was made from, with every hash checked again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hybrid_agent.errors import InputError

CHANGED = 1


def lineage(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|BUNDLE|DATA",
            help="stage/name, a folder (run, bundle, rollouts), bundle (the shipped one) or promoted.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print nodes and edges as JSON.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print it for graphviz.")] = False,
    svg: Annotated[bool, typer.Option("--svg", help="Print an SVG drawing.")] = False,
    trained: Annotated[Path, typer.Option(help="Folder of the runs of training and evaluation.")] = Path("runs"),
    search: Annotated[
        list[Path] | None, typer.Option(help="Further folders to search for parents.", show_default=False)
    ] = None,
) -> None:
    """Draw the chain of manifests behind RUN. Exit code 1 if a file is not the one its manifest was written for."""
    from hybrid_agent.assemble.decoders import bundle_folder
    from hybrid_agent.runs.lineage import trace_lineage
    from hybrid_agent.runs.lineage_draw import as_dot, as_svg, as_text

    if as_json + dot + svg > 1:
        raise InputError("one form at a time", where="lineage", fix="give only one of --json, --dot and --svg")
    folder = _folder(what, trained)
    roots = [trained, *(search or []), bundle_folder().parent]
    found = trace_lineage(folder, roots, _packs(), Path(__file__).resolve().parents[2])
    if as_json:
        print(found.model_dump_json())
    else:
        print(as_dot(found) if dot else as_svg(found) if svg else as_text(found))
    if not found.intact:
        raise typer.Exit(CHANGED)


def _folder(what: str, trained: Path) -> Path:
    from hybrid_agent.assemble.bundles import named_bundle
    from hybrid_agent.runs.catalog import PROVENANCE
    from hybrid_agent.runs.layout import find_run

    path = Path(what).expanduser()
    if (path / PROVENANCE).is_file():
        return path
    return named_bundle(what, trained) or find_run(trained, what)


def _packs() -> dict[str, str]:
    from hybrid_agent.packs.pack import pack_names
    from hybrid_agent.packs.store import pack_hash

    return {pack_hash(name): f"task pack {name}" for name in pack_names()}
