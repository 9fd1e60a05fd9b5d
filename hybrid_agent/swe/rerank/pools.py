"""Candidates of each instance from several predictions files, and labels for them where someone has some."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError
from hybrid_agent.swe.bench.predictions import Prediction, read_predictions


@dataclass(frozen=True)
class Candidate:
    """One prediction and the number of the file that it is from."""

    prediction: Prediction
    source: int


Pools = dict[str, list[Candidate]]
Labels = dict[tuple[int, str], bool]  # (source, instance) -> resolved


def read_pools(paths: Sequence[Path]) -> Pools:
    """The candidates of every instance, in the order of the files.

    Raises:
        InputError: a file that cannot be read.
    """
    pools: Pools = {}
    for source, path in enumerate(paths):
        for instance, prediction in read_predictions(path).by_id.items():
            pools.setdefault(instance, []).append(Candidate(prediction, source))
    return dict(sorted(pools.items()))


def read_labels(paths: Sequence[Path], files: Sequence[Path], pools: Pools) -> Labels:
    """Which candidates resolve their instance.

    As many label files as predictions files belong to each other in their order. Otherwise every label must name its
    model, and each predictions file must hold a model of its own.

    Known are a `report.json` of `eval.swebench_run_eval`, the official run report, and JSON lines of `instance_id`,
    `resolved` and, where it is needed, `model_name_or_path`.

    Raises:
        InputError: a file of another kind, or labels that cannot be told apart.
    """
    found: Labels = {}
    if len(paths) == len(files):
        for source, path in enumerate(paths):
            for instance, _, resolved in _read(path):
                found[source, instance] = resolved
        return found
    models: dict[tuple[str, str], int] = {}
    for instance, candidates in pools.items():
        for candidate in candidates:
            if models.setdefault((instance, candidate.prediction.model), candidate.source) != candidate.source:
                raise InputError(
                    f"{candidate.prediction.model} is the model of several predictions files",
                    where="--labels",
                    fix="give one label file for each predictions file, in the same order",
                )
    for path in paths:
        for instance, model, resolved in _read(path):
            if model is None:
                raise InputError(
                    "does not say of which model", where=str(path), fix="one label file a predictions file"
                )
            if (instance, model) in models:
                found[models[instance, model], instance] = resolved
    return found


def _read(path: Path) -> list[tuple[str, str | None, bool]]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            return [_entry(json.loads(line), path) for line in text.split("\n") if line.strip()]
        body = json.loads(text)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except ValueError as error:
        raise InputError(f"not JSON in UTF-8: {error}", where=str(path)) from None
    if isinstance(body, list):
        return [_entry(entry, path) for entry in body]
    if isinstance(body, dict) and isinstance(body.get("instances"), list):
        return [_entry(entry, path) for entry in body["instances"] if entry.get("reason") not in UNKNOWN]
    if isinstance(body, dict) and "resolved_ids" in body and "submitted_ids" in body:
        left_out = {*body.get("error_ids", ()), *body.get("incomplete_ids", ())}
        resolved = set(body["resolved_ids"])
        return [
            (instance, None, instance in resolved) for instance in body["submitted_ids"] if instance not in left_out
        ]
    raise InputError("not a report and not labels", where=str(path), fix="give a report.json of eval.swebench_run_eval")


UNKNOWN = ("infrastructure", "no_log", "other_patch", "no_prediction")  # says nothing about the patch


def _entry(entry: Any, path: Path) -> tuple[str, str | None, bool]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("resolved"), bool) or "instance_id" not in entry:
        raise InputError("a label needs instance_id and resolved (true or false)", where=str(path))
    model = entry.get("model_name_or_path") or entry.get("model")
    return str(entry["instance_id"]), str(model) if model else None, entry["resolved"]
