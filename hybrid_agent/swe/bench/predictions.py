"""Predictions files in the official format: JSON lines of `instance_id`, `model_name_or_path` and `model_patch`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.swe.bench.dataset import Row

KEYS = ("instance_id", "model_name_or_path", "model_patch")
GOLD = "gold"


@dataclass(frozen=True)
class Prediction:
    """One patch for one instance. An empty patch is a prediction too; it cannot resolve anything."""

    instance_id: str
    model: str
    patch: str

    def as_json(self) -> dict[str, str]:
        """The three official keys."""
        return dict(zip(KEYS, (self.instance_id, self.model, self.patch), strict=True))

    @property
    def folder(self) -> str:
        """How the official harness names the model's log folder."""
        return self.model.replace("/", "__")


@dataclass(frozen=True)
class Predictions:
    """A file's predictions by instance; `repeated` ids were there more than once (the last one counts)."""

    by_id: Mapping[str, Prediction]
    repeated: tuple[str, ...] = ()
    source: Path | None = field(default=None, compare=False)

    @property
    def models(self) -> list[str]:
        """The model names, each once."""
        return list(dict.fromkeys(p.model for p in self.by_id.values()))


def read_predictions(path: Path) -> Predictions:
    """Read JSON lines, a JSON list, or a JSON object of predictions.

    Raises:
        InputError: names the line and the key that is wrong.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path), fix="write it with eval.swebench_generate_predictions")
    if path.suffix not in (".json", ".jsonl"):
        raise InputError("not a predictions file", where=str(path), fix="use .jsonl or .json")
    found: dict[str, Prediction] = {}
    repeated: list[str] = []
    for place, entry in _entries(path):
        prediction = _prediction(entry, f"{path}, {place}")
        if found.pop(prediction.instance_id, None):
            repeated.append(prediction.instance_id)
        found[prediction.instance_id] = prediction
    if not found:
        raise InputError("no predictions in this file", where=str(path))
    return Predictions(found, tuple(dict.fromkeys(repeated)), path)


def gold_predictions(rows: Iterable[Row]) -> Predictions:
    """The data set's own patches, named `gold` as in the official harness."""
    return Predictions({r["instance_id"]: Prediction(r["instance_id"], GOLD, str(r.get("patch") or "")) for r in rows})


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write the file whole or not at all. ASCII, so that every reader splits the lines alike."""
    write_text(path, "".join(json.dumps(p.as_json()) + "\n" for p in predictions))


def patch_hash(patch: str) -> str:
    """SHA-256 of a patch."""
    return hashlib.sha256(patch.encode("utf-8", "surrogateescape")).hexdigest()


def predictions_hash(predictions: Iterable[Prediction]) -> str:
    """SHA-256 over instances, models and patches, whatever their order."""
    lines = sorted(json.dumps([p.instance_id, p.model, patch_hash(p.patch)]) for p in predictions)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _entries(path: Path) -> list[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            body = json.loads(text)
            if isinstance(body, dict):
                # instance -> prediction, as some agents write it; the key stands in for a missing id
                body = [{"instance_id": k, **v} if isinstance(v, dict) else v for k, v in body.items()]
            if not isinstance(body, list):
                raise InputError("neither a list nor an object of predictions", where=str(path))
            return [(f"entry {number}", entry) for number, entry in enumerate(body, 1)]
    except ValueError as error:
        raise InputError(f"not JSON in UTF-8: {error}", where=str(path)) from None
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entries.append((f"line {number}", json.loads(line)))
        except ValueError as error:
            raise InputError(f"line {number} is not JSON: {error}", where=str(path)) from None
    return entries


def _prediction(entry: Any, where: str) -> Prediction:
    if not isinstance(entry, dict):
        raise InputError("not an object", where=where, fix="one object with " + ", ".join(KEYS))
    missing = [key for key in KEYS if key not in entry]
    if missing:
        raise InputError(
            f"lacks {', '.join(missing)}", where=where, field=missing[0], fix="all three of " + ", ".join(KEYS)
        )
    instance, model, patch = (entry[key] for key in KEYS)
    if not isinstance(instance, str) or not instance:
        raise InputError("not a text", where=where, field=KEYS[0])
    if not isinstance(model, str) or not model:
        raise InputError("not a text", where=where, field=KEYS[1], fix="name the model")
    if patch is not None and not isinstance(patch, str):
        raise InputError("neither a text nor null", where=where, field=KEYS[2])
    return Prediction(instance, model, patch or "")
