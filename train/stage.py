"""What every training stage does around its training: take a directory, hold on to its data, write the manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import new_attempt, open_attempt
from hybrid_agent.runs.manifest import Manifest, git_state, library_versions, write_manifest
from train.checkpoint import checkpoints
from train.engine import METRICS
from train.ranks import Ranks

CONFIG, DATA = "config.json", "data.json"
LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")


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
    wanted = config.model_dump(mode="json", exclude={"fresh"})
    folder = None if config.fresh else open_attempt(root, stage, config.name)
    if folder is not None and checkpoints(folder):
        if json.loads((folder / CONFIG).read_text()) != wanted:
            raise InputError(
                f"{folder} was left unfinished with another config",
                field="name",
                fix="add fresh=true, or give another name=",
            )
        return folder
    folder = folder or new_attempt(root, stage, config.name)
    for name in (*leftovers, DATA):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    write_json(folder / CONFIG, wanted)
    return folder


def same_data(folder: Path, data: Path) -> str:
    """The hash of the data; an attempt goes on only with the data that it began with.

    Raises:
        InputError: the data changed since the attempt began.
    """
    digest, record = file_hash(data), folder / DATA
    if not record.is_file():
        write_json(record, {"data": digest})
    elif json.loads(record.read_text())["data"] != digest:
        raise InputError(f"the data of {folder} has changed since it began", where=str(data), fix="add fresh=true")
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
) -> Manifest:
    """Write the manifest over the stage's files, its metrics log and its config: the last act of a stage."""
    sha, dirty = git_state(Path(__file__).parents[1])
    every = [f.relative_to(folder) for f in (*files, folder / METRICS, folder / CONFIG) if f.is_file()]
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
