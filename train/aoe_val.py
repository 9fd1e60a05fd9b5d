"""Sequences of the packs' val split: what experts are compared on, and never trained on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

from hybrid_agent.config.stages.sft import CorpusConfig, PackShareConfig
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.runs.atomic import write_atomic
from hybrid_agent.traces.window_text import as_json, render_turns
from train.corpus import JUDGED, corpus_key
from train.gold import GoldError, replay, replay_sandbox


def val_sequences(episodes: Mapping[str, int], cache: Path) -> Path:
    """Execute the gold of so many val episodes of each pack (or find them executed); returns the data file."""
    settings = CorpusConfig(packs={name: PackShareConfig(episodes=n) for name, n in sorted(episodes.items())})
    path = cache / f"val-{corpus_key(settings)}.jsonl.gz"
    if not path.is_file():
        lines = []
        with replay_sandbox() as sandbox:
            for name, count in sorted(episodes.items()):
                pack = load_pack(name)
                for seed in range(count):
                    try:
                        turns = replay(make_task(pack, "val", seed), sandbox, judged=seed % JUDGED == 0)
                    except GoldError:
                        continue  # a rare clash of drawn names, as in the corpus
                    for pieces in render_turns([(turn.window, turn.call) for turn in turns]):
                        lines.append(json.dumps({**as_json(pieces), "kind": f"{name}:{seed}"}, ensure_ascii=False))
        data = gzip.compress("\n".join([*lines, ""]).encode(), 3, mtime=0)
        write_atomic(path, lambda temp: _put(temp, data))
    return path


def _put(temp: Path, data: bytes) -> None:
    temp.write_bytes(data)
