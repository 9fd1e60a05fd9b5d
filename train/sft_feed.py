"""What the sft stage trains on and is judged on: sequences in memory, or a mixture that is streamed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from hybrid_agent.config.model import HfModelConfig
from hybrid_agent.config.stages.sft import SftConfig
from hybrid_agent.config.train import TrainConfig
from train.chat_data import load_chat
from train.data import BatchStream, Sequences, load_sequences, split
from train.decontaminate import screen_for
from train.engine import Stream
from train.stream import MixtureStream, Part, validation
from train.stream_readers import fingerprint, open_reader
from train.stream_records import Encoder, line_of, tiny_lines


@dataclass(frozen=True)
class Feed:
    """Batches to train on, and the held-out ones: rows of `data`.

    Attributes:
        mean_length: tokens of a sequence.
        said: the data in words.
        figures: asked at the end of the run.
    """

    stream: Stream
    data: Sequences
    val_rows: NDArray[np.int64]
    mean_length: int
    said: str
    figures: Callable[[], dict[str, float]] = dict


def from_memory(config: TrainConfig, path: Path, tokenizer: PreTrainedTokenizerFast, pad_id: int, cache: Path) -> Feed:
    """All sequences of one file, tokenised once."""
    stage = config.stage
    assert isinstance(stage, SftConfig)
    load = load_chat if isinstance(config.model, HfModelConfig) else load_sequences
    data = load(path, tokenizer, config.model.context, cache)
    train_rows, val_rows = split(data, stage.val_share, config.seed)
    said = (
        f"{len(train_rows):,} sequences, {len(data.tokens) / 1e6:.1f} M tokens "
        f"({(data.answer > 0).mean():.0%} answers, {data.dropped} dropped)"
    )
    stream = BatchStream(data, train_rows, stage.optim.batch_tokens, config.seed, pad_id)
    return Feed(stream, data, val_rows, int(data.lengths.mean()), said)


def from_mixture(config: TrainConfig, tokenizer: PreTrainedTokenizerFast, pad_id: int) -> Feed:
    """The sources of `stage.mixture`, streamed as `stage.stream` says."""
    stage = config.stage
    assert isinstance(stage, SftConfig)
    settings = stage.stream
    screen = screen_for(settings.decontaminate) if settings.decontaminate else None
    encoder = Encoder(tokenizer, config.model.context)
    parts = [
        Part(source, encoder.end, val_share=stage.val_share, seed=config.seed, screen=screen)
        for source in stage.mixture
    ]
    data = validation(parts, encoder, settings.val_records)
    stream = MixtureStream(
        parts, encoder, settings, batch_tokens=stage.optim.batch_tokens, seed=config.seed, pad_id=pad_id
    )
    total = sum(source.weight for source in stage.mixture)
    shares = ", ".join(f"{source.kind or source.path} {source.weight / total:.0%}" for source in stage.mixture)
    said = f"mixture of {shares}; {'packed' if settings.pack else 'padded'}, {len(data)} sequences held out"
    mean = int(data.lengths.mean()) if len(data) else config.model.context
    return Feed(stream, data, np.arange(len(data)), mean, said, stream.figures)


def mixture_digest(stage: SftConfig) -> str:
    """Hash of what the sources of a mixture hold."""
    return hashlib.sha256(json.dumps([fingerprint(source) for source in stage.mixture]).encode()).hexdigest()


def mixture_texts(stage: SftConfig) -> Iterator[str]:
    """Texts from the beginning of each source by its weight, as the tiny decoder would read them."""
    total = sum(source.weight for source in stage.mixture)
    for source in stage.mixture:
        reader = open_reader(source)
        for _ in range(round(stage.tokenizer_sequences * source.weight / total)):
            record, where = reader.next()
            if reader.cursor()["epoch"]:
                break
            line = line_of(record, source, where, "")
            for sequence in tiny_lines(line) if line is not None else ():
                yield "".join(segment.text for segment in sequence.segments)
