"""Schema of `configs/stage/sft.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.config.mixture import SourceConfig, StreamConfig
from hybrid_agent.config.optim import LengthConfig, OptimConfig
from hybrid_agent.types import Record


class PackShareConfig(Record):
    """How much of one pack goes into the corpus (see train.corpus)."""

    episodes: int = Field(ge=0)
    wordings: int = Field(default=4, ge=1)
    plans: int = Field(default=0, ge=0)


class CorpusConfig(Record):
    """What the corpus of gold episodes holds (see train.corpus).

    `finish_share` and `plan_share` of those turns are kept: finish turns are all alike, plans are long and easy.
    """

    packs: dict[str, PackShareConfig]
    first_seed: int = 0
    finish_share: float = Field(default=0.1, gt=0, le=1)
    plan_share: float = Field(default=0.4, gt=0, le=1)
    min_count: int = Field(default=3, ge=1)
    workers: int = Field(default=2, ge=1)


class SftConfig(Record):
    """Supervised training on gold episodes. `data` names a file of sequences; without it the corpus is built. A
    `mixture` is streamed instead, as `stream` says (then data=null and corpus=null).
    `init` is a complete run to go on from (its tokenizer and weights are taken over; with more `model.layers` than it
    has, it is deepened first), `tokenizer` one whose tokenizer alone is taken over, so that the model can draft for
    that run's decoder; `bundle` is the shipped one, of either."""

    name: Literal["sft"] = "sft"
    data: str | None = None
    lexicon: str | None = None
    init: str | None = None
    tokenizer: str | None = None
    corpus: CorpusConfig | None = None
    mixture: tuple[SourceConfig, ...] = ()
    stream: StreamConfig = StreamConfig()
    corpus_dir: str = "runs/corpus"
    val_share: float = Field(default=0.01, ge=0, lt=1)
    tokenizer_sequences: int = Field(default=40000, ge=1)
    optim: OptimConfig = OptimConfig()
    length: LengthConfig

    @model_validator(mode="after")
    def _has_data(self) -> SftConfig:
        if [self.data is None, self.corpus is None, not self.mixture].count(False) != 1:
            raise ValueError("give exactly one of data, corpus and mixture (null, null and [] for the others)")
        if self.init is not None and self.tokenizer is not None:
            raise ValueError("init brings its own tokenizer (set one of the two to null)")
        return self
