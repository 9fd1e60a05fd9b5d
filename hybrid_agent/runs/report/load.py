"""What a report reads of a run: manifest or config, metrics.jsonl, tables, PNG plots, parents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError
from hybrid_agent.runs.catalog import Catalog
from hybrid_agent.runs.layout import attempts, find_run
from hybrid_agent.runs.manifest import MANIFEST, Manifest, read_manifest
from hybrid_agent.runs.tracking.backend import Cell, plain
from hybrid_agent.runs.tracking.files import METRICS, StoredTable, read_entries, read_tables

CONFIG = "config.json"
ASIDE = ("step", "tokens", "seconds")  # of an entry: where it was, not what was seen
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Parent:
    """A parent as the manifest names it; `where` is its folder, if it lies in the same place for runs."""

    role: str
    digest: str
    where: str | None


@dataclass(frozen=True)
class Run:
    """One run. `manifest` is None while it is unfinished; `series` are the points of each figure over steps."""

    label: str
    folder: Path
    manifest: Manifest | None
    config: dict[str, Cell]
    figures: dict[str, Cell]
    series: dict[str, Points]
    tables: list[StoredTable]
    plots: list[Path]
    parents: list[Parent]


def named_run(root: Path, reference: str) -> Path:
    """The directory that a person means: a path, STAGE/NAME/ATTEMPT, or STAGE/NAME (its newest attempt).

    Raises:
        InputError: there is none; says what there is.
    """
    for folder in (Path(reference), root / reference):
        if any((folder / name).is_file() for name in (MANIFEST, METRICS, CONFIG)):
            return folder
    parts = reference.strip("/").split("/")
    found = attempts(root, *parts) if len(parts) == 2 else []
    return found[-1] if found else find_run(root, reference)


def load_runs(folders: Sequence[Path]) -> list[Run]:
    """Read run directories, in the given order.

    Raises:
        InputError: a folder is no run, or a file in it cannot be read.
    """
    if not folders:
        raise InputError("no run is named", fix="name one: hybrid-agent report sft/tiny")
    catalogs: dict[Path, Catalog] = {}
    runs = []
    for folder in dict.fromkeys(path.absolute() for path in folders):
        root = folder.parents[2] if len(folder.parents) > 2 else folder.parent
        catalog = catalogs.setdefault(root, Catalog([root]))
        runs.append(_load(folder, catalog))
    return runs


def _load(folder: Path, catalog: Catalog) -> Run:
    manifest = read_manifest(folder, verify=False) if (folder / MANIFEST).is_file() else None
    config: Mapping[str, Any] = manifest.config if manifest is not None else _config(folder)
    entries = read_entries(folder)
    if manifest is None and not entries and not config:
        raise InputError("neither a manifest nor a log is here", where=str(folder), fix="name the directory of a run")
    series = _series(entries)
    for path in sorted(folder.glob(f"work/*/{METRICS}")):  # the adapters of one attempt
        for name, points in _series(read_entries(path.parent)).items():
            series[f"{path.parent.name}/{name}"] = points
    newest = {name: points[-1][1] for name, points in series.items()}
    figures = plain(manifest.metrics if manifest is not None else newest)
    parents = [] if manifest is None else _parents(manifest, catalog)
    return Run(
        label="/".join(folder.parts[-3:]),
        folder=folder,
        manifest=manifest,
        config=plain(config),
        figures=figures,
        series=series,
        tables=read_tables(folder),
        plots=sorted(folder.glob("*.png")),
        parents=parents,
    )


def _series(entries: Sequence[Mapping[str, Any]]) -> dict[str, Points]:
    out: dict[str, Points] = {}
    for entry in entries:
        for key, value in entry.items():
            if key not in ASIDE and isinstance(value, int | float):
                out.setdefault(key, []).append((float(entry["step"]), float(value)))
    return out


def _parents(manifest: Manifest, catalog: Catalog) -> list[Parent]:
    found = [(role, digest, catalog.find(digest)) for role, digest in manifest.parents.items()]
    if manifest.data_hash:
        found.append(("data", manifest.data_hash, catalog.find_data(manifest.data_hash)))
    return [Parent(role, digest, str(where) if where else None) for role, digest, where in found]


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        body = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise InputError("not JSON", where=str(path)) from None
    return body if isinstance(body, dict) else {}
