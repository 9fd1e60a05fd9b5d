"""What every training stage does around its training: take a directory, hold on to its data, write the manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from rich.console import Console

from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import new_attempt, open_attempt
from hybrid_agent.runs.manifest import Manifest, git_state, library_versions, write_manifest
from hybrid_agent.runs.tracking import IDENTITY, Tracker, open_tracker
from hybrid_agent.runs.tracking.files import TABLES, written
from train.checkpoint import checkpoints
from train.ranks import Ranks

CONFIG, DATA = "config.json", "data.json"
LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")
ASIDE = {"fanout", "fresh", "tracking"}  # settings that have no say in what is trained


def use_threads(config: TrainConfig, ranks: Ranks) -> int:
    """Give this rank its share of the threads; returns how many."""
    threads = max(1, (config.profile.threads or len(os.sched_getaffinity(0))) // ranks.world)
    torch.set_num_threads(threads)
    return threads


def open_folder(config: TrainConfig, leftovers: Iterable[str] = ()) -> Path:
    """The directory to train in: the unfinished attempt if its config is the same, else a new one.

    An attempt without a checkpoint has nothing to lose: it is taken over whatever its config was, and its
    `leftovers` (files or folders that the stage makes before training) are removed.

    Raises:
        InputError: an unfinished attempt has another config.
    """
    root, stage = Path(config.runs), config.stage.name
    folder = None if config.fresh else open_attempt(root, stage, config.name)
    if folder is not None and checkpoints(folder):
        if not same_settings(config, folder):
            raise InputError(
                f"{folder} was left unfinished with another config",
                field="name",
                fix="add fresh=true, or give another name=",
            )
        return folder
    folder = folder or new_attempt(root, stage, config.name)
    for name in (*leftovers, DATA, TABLES, IDENTITY):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    write_json(folder / CONFIG, config.model_dump(mode="json", exclude=ASIDE))
    return folder


def same_settings(config: TrainConfig, folder: Path) -> bool:
    """Whether an attempt was begun with this config; what it does not mention is at its default."""
    try:
        begun = TrainConfig.model_validate_json((folder / CONFIG).read_text(encoding="utf-8"))
    except ValidationError:  # of a version with other settings
        return False
    aside: dict[str, Any] = dict.fromkeys(ASIDE, True)
    if config.profile.deepspeed is not None:  # its checkpoints can be read by any number of ranks
        aside["profile"] = {"ranks", "threads", "launch"}
    return begun.model_dump(mode="json", exclude=aside) == config.model_dump(mode="json", exclude=aside)


def watching(config: TrainConfig, folder: Path, ranks: Ranks, console: Console) -> Tracker:
    """Whom the stage tells what it sees (docs/watching.md); ranks other than the first tell nobody."""
    if not ranks.first:
        return Tracker()

    def warn(text: str) -> None:
        console.print(f"warning: {text}", style="yellow", highlight=False, markup=False)

    stage = config.stage.name
    name, settings = f"{stage}/{config.name}/{folder.name}", config.model_dump(mode="json")
    return open_tracker(
        folder, stage=stage, name=name, config=settings, warn=warn, **config.tracking.model_dump(mode="python")
    )


def same_data(folder: Path, data: Path) -> str:
    """The hash of the data; an attempt goes on only with the data that it began with.

    Raises:
        InputError: the data changed since the attempt began.
    """
    return same_digest(folder, file_hash(data), str(data))


def same_digest(folder: Path, digest: str, where: str) -> str:
    """`same_data` for data whose hash is known."""
    record = folder / DATA
    if not record.is_file():
        write_json(record, {"data": digest})
    elif json.loads(record.read_text())["data"] != digest:
        raise InputError(f"the data of {folder} has changed since it began", where=where, fix="add fresh=true")
    return digest


def finish(
    config: TrainConfig,
    folder: Path,
    command: str,
    *,
    parents: Mapping[str, str],
    data_hash: str | None,
    tokenizer_hash: str | None,
    metrics: Mapping[str, object],
    files: Iterable[Path],
    tracker: Tracker | None = None,
) -> Manifest:
    """Write the manifest over the stage's files, its logs and its config: the last act of a stage. The tracker gets
    the figures and the plots among the files."""
    files = [*files, *(folder / name for name in written(folder)), folder / CONFIG]
    if tracker is not None:
        tracker.summary(metrics)
        for plot in (file for file in files if file.suffix == ".png" and file.is_file()):
            tracker.image(plot)
    sha, dirty = git_state(Path(__file__).parents[1])
    every = [f.relative_to(folder) for f in files if f.is_file()]
    manifest = Manifest(
        stage=config.stage.name,
        name=config.name,
        attempt=int(folder.name),
        command=command,
        config=config.model_dump(mode="json"),
        git_sha=sha,
        git_dirty=dirty,
        seed=config.seed,
        parents=dict(parents),
        data_hash=data_hash,
        tokenizer_hash=tokenizer_hash,
        metrics=dict(metrics),
        versions=dict(library_versions(LIBRARIES)),
    )
    return write_manifest(folder, manifest, sorted(set(every)))
