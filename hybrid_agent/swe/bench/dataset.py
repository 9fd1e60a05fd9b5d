"""SWE-bench instances from a hub id, JSON, JSONL, Parquet or a folder, checked before anything is run.

A folder may be a saved data set (`<split>/dataset_info.json`), hold `<split>.parquet`, `.jsonl` or `.json` files, or be
a task repository (`tasks/<instance>/task.yaml`). Rows of the 5.x schema carry what an evaluation needs (EVALUATION);
rows of 4.x do not, and the error names what is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError

Row = dict[str, Any]
PREDICTION = ("instance_id", "repo", "base_commit", "problem_statement")
EVALUATION = ("image", "eval_script", "log_parser", "eval_type", "version", "FAIL_TO_PASS", "PASS_TO_PASS")
TESTS = ("FAIL_TO_PASS", "PASS_TO_PASS")
ALIASES = {
    "lite": "SWE-bench/SWE-bench_Lite",
    "full": "SWE-bench/SWE-bench",
    "verified": "SWE-bench/SWE-bench_Verified",
    "multilingual": "SWE-bench/SWE-bench_Multilingual",
    "multimodal": "SWE-bench/SWE-bench_Multimodal",
}
_ID = re.compile(r"^[A-Za-z0-9][\w.@+-]*$")
_HUB = re.compile(r"^[\w.-]+/[\w.-]+$")
_KINDS = (".parquet", ".jsonl", ".json")


def load_rows(name: str, split: str = "test") -> list[Row]:
    """The rows of a data set in its own order, each with the PREDICTION fields.

    Args:
        name: hub id, alias (`lite`, `verified` ...), file or folder.
        split: taken where the source has splits; a single file is one split.

    Raises:
        InputError: nothing there, rows that lack a field, an id twice or one that cannot name a folder.
    """
    rows = _read(name, split)
    if not rows:
        raise InputError("the data set has no rows", where=name)
    require(rows, PREDICTION, name)
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        instance = row["instance_id"]
        if not isinstance(instance, str) or not _ID.match(instance):
            raise InputError(
                f"row {number}: {instance!r} cannot name a folder", where=name, field="instance_id", fix="use [\\w.@+-]"
            )
        if instance in seen:
            raise InputError(f"row {number}: {instance} is there twice", where=name, field="instance_id")
        seen.add(instance)
    return rows


def select_rows(rows: list[Row], ids: Sequence[str], limit: int | None, where: str) -> list[Row]:
    """Those of the rows that are asked for: these ids (all if there are none), then the first `limit`.

    Raises:
        InputError: an id that is not there.
    """
    wanted = set(ids)
    unknown = sorted(wanted - {row["instance_id"] for row in rows})
    if unknown:
        some = ", ".join(row["instance_id"] for row in rows[:3])
        raise InputError(f"no instance {', '.join(unknown)}", where=where, fix=f"ids look like {some}")
    kept = [row for row in rows if not wanted or row["instance_id"] in wanted]
    return kept[:limit] if limit else kept


def require(rows: Iterable[Row], fields: Sequence[str], where: str, fix: str | None = None) -> None:
    """Every row must carry these fields (any value but None).

    Raises:
        InputError: names the fields and the first instance that lacks them.
    """
    for number, row in enumerate(rows, 1):
        missing = [field for field in fields if row.get(field) is None]
        if missing:
            instance = row.get("instance_id", f"row {number}")
            raise InputError(f"{instance} lacks {', '.join(missing)}", where=where, field=missing[0], fix=fix)


def require_evaluation(rows: Sequence[Row], where: str) -> None:
    """What the 5.x harness needs of a row; a 4.x row is told what it lacks.

    Raises:
        InputError: fields are missing, or a test list is neither a list nor a JSON list.
    """
    require(
        rows,
        EVALUATION,
        where,
        fix="these are rows of the 4.x schema: load the data set as published for swebench 5, or add these columns "
        "(image: the instance's image; eval_script: the script that runs its tests; log_parser: a name known to "
        "swebench.harness.log_parsers; eval_type: pass_and_fail or fail_only)",
    )
    for row in rows:
        for field in TESTS:
            tests_of(row, field, where)


def tests_of(row: Row, field: str, where: str = "row") -> list[str]:
    """FAIL_TO_PASS or PASS_TO_PASS, which the hub has as JSON text.

    Raises:
        InputError: it is not a list of names.
    """
    value = row.get(field)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise InputError("not a list of test names", where=f"{where} {row.get('instance_id')}", field=field)
    return list(value)


def grading_hash(rows: Iterable[Row]) -> str:
    """SHA-256 over all that decides a grade; another row must never be answered with an old result."""
    kept = sorted(json.dumps({f: row.get(f) for f in ("instance_id", *EVALUATION)}, default=list) for row in rows)
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """JSON lines in ASCII: the official loader splits lines at every Unicode line end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, default=_plain) + "\n" for row in rows), encoding="ascii")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else list(value)


def _read(name: str, split: str) -> list[Row]:
    path = Path(name).expanduser()
    if path.is_file():
        return _read_file(path)
    if path.is_dir():
        return _read_folder(path, split)
    hub = ALIASES.get(name.strip().lower(), name)
    if not _HUB.match(hub) or path.suffix in _KINDS:
        raise InputError(
            "no such file, folder or data set",
            where=name,
            fix="give a path, a hub id owner/name, or " + _names(ALIASES),
        )
    return _read_hub(hub, split)


def _read_file(path: Path) -> list[Row]:
    if path.suffix == ".parquet":
        return _read_parquet(path)
    if path.suffix not in _KINDS:
        raise InputError("not a data set file", where=str(path), fix="use " + ", ".join(_KINDS))
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            rows = []
            for number, line in enumerate(text.split("\n"), 1):
                if line.strip():
                    try:
                        rows.append(json.loads(line))
                    except ValueError as error:
                        raise InputError(f"line {number} is not JSON: {error}", where=str(path)) from None
        else:
            body = json.loads(text)
            rows = list(body.values()) if isinstance(body, dict) else body
    except ValueError as error:
        raise InputError(f"not JSON in UTF-8: {error}", where=str(path)) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("not a list of rows", where=str(path), fix="one JSON object an instance")
    return rows


def _read_parquet(path: Path) -> list[Row]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise InputError("reading Parquet needs pyarrow", where=str(path), fix="pip install pyarrow") from None
    try:
        return list(parquet.read_table(path).to_pylist())
    except (ValueError, OSError) as error:  # pyarrow's own errors are both
        raise InputError(f"not a Parquet file: {error}", where=str(path)) from None


def _read_folder(folder: Path, split: str) -> list[Row]:
    if (folder / "tasks").is_dir():
        return _read_task_repo(folder, split)
    if (folder / split / "dataset_info.json").is_file() or (folder / "dataset_info.json").is_file():
        datasets = _datasets(str(folder))
        saved = folder / split if (folder / split).is_dir() else folder
        return [dict(row) for row in datasets.load_from_disk(str(saved))]
    for base in (folder, folder / "data"):
        for kind in _KINDS:
            if (base / f"{split}{kind}").is_file():
                return _read_file(base / f"{split}{kind}")
        shards = sorted(base.glob(f"{split}-*.parquet"))  # as downloaded from the hub
        if shards:
            return [row for shard in shards for row in _read_parquet(shard)]
    found = sorted(file for kind in _KINDS for file in folder.glob(f"*{kind}"))
    if len(found) == 1:
        return _read_file(found[0])
    raise InputError(
        f"no split {split!r} in this folder",
        where=str(folder),
        field="split",
        fix="it holds " + _names(file.name for file in found) if found else "put test.jsonl or test.parquet there",
    )


def _read_task_repo(folder: Path, split: str) -> list[Row]:
    try:
        load_task_repo = import_module("swebench.task.repo").load_task_repo
    except ImportError:
        raise InputError("a task repository needs swebench 5", where=str(folder), fix=INSTALL) from None
    try:
        rows = [dict(row) for row in load_task_repo(folder)]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"not a task repository: {error}", where=str(folder)) from None
    chosen = [row for row in rows if row.get("split", split) == split]
    if not chosen:
        known = _names({str(row.get("split")) for row in rows})
        raise InputError(f"no split {split!r}", where=str(folder), field="split", fix=f"it has {known}")
    return chosen


INSTALL = "pip install 'hybrid-agent[swebench]'"


def _read_hub(hub: str, split: str) -> list[Row]:
    datasets = _datasets(hub)
    try:
        return [dict(row) for row in datasets.load_dataset(hub, split=split)]
    except Exception as error:  # the library raises many kinds: no network, no such name, no such split, gated
        said = str(error).strip().splitlines()
        raise InputError(
            f"cannot load it from the hub: {said[0] if said else type(error).__name__}",
            where=hub,
            fix="check the name, split and network (HF_HUB_OFFLINE=1 forbids it), or give a downloaded file",
        ) from None


def _datasets(where: str) -> Any:
    try:
        return import_module("datasets")
    except ImportError:
        raise InputError("this source needs the datasets package", where=where, fix=INSTALL) from None


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
