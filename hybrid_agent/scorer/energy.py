"""The scorer that the decode loop and the gate use: a trained energy model with its calibration.

A scorer folder holds config.json, model.safetensors (fp16), tokenizer.json (if there is a trunk) and
calibration.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import load_tokenizer
from hybrid_agent.scorer.calibration import Calibration, Head
from hybrid_agent.scorer.encode import Encoder
from hybrid_agent.scorer.features import FEATURES, VERSION, features
from hybrid_agent.scorer.model import EnergyModel, trunk_from_config
from hybrid_agent.scorer.prefix import Texts, TextStates
from hybrid_agent.scorer.view import view_of
from hybrid_agent.traces.domains import DOMAINS, domain_of
from hybrid_agent.traces.window_text import END
from hybrid_agent.types import Record, Score, Segment, ToolCall, Verdict, Window

CONFIG, WEIGHTS, CALIBRATION, TOKENIZER = "config.json", "model.safetensors", "calibration.json", "tokenizer.json"
Judge = Callable[[ToolCall], Verdict]


class ScorerConfig(Record):
    """config.json. `trunk` is a Hugging Face config, or null for features only; `context` its positions."""

    format: Literal[1] = 1
    feature_version: int = VERSION
    features: tuple[str, ...] = FEATURES
    hidden: int = Field(ge=1)
    context: int = Field(default=0, ge=0)
    packed: bool = True
    trunk: dict[str, Any] | None = None


@dataclass(frozen=True)
class Veto:
    """What the energy model says to one call before it acts: `vetoed` if `score.p` < `threshold`."""

    vetoed: bool
    score: Score
    threshold: float


@dataclass(frozen=True)
class Prepared:
    """K candidates as the model sees them: features (K, F), index of each one's domain, their text if it is read."""

    features: np.ndarray[Any, np.dtype[np.float32]]
    domains: list[int]
    texts: Texts | None


class EnergyScorer:
    """Implements `protocols.Scorer`. Not for use by several threads at once.

    Args:
        model: on `device`, in inference mode.
        tokenizer: None if the model has no trunk.
        judge: the gate's answer to a call, as a feature; without it those features are 0.
    """

    def __init__(
        self,
        model: EnergyModel,
        config: ScorerConfig,
        tokenizer: PreTrainedTokenizerFast | None,
        calibration: Calibration,
        judge: Judge | None = None,
        device: str = "cpu",
    ) -> None:
        self.model, self.config, self.calibration, self.judge, self.device = model, config, calibration, judge, device
        self.encoder = Encoder(tokenizer, config.context) if tokenizer is not None else None
        self.text = TextStates(model, packed=config.packed, device=device) if self.encoder else None

    @classmethod
    def load(cls, folder: Path, judge: Judge | None = None, device: str = "cpu") -> EnergyScorer:
        """Read a scorer folder.

        Raises:
            InputError: a file is missing or unreadable, or the model was made for other features.
        """
        config = read_config(folder)
        try:
            calibration = Calibration.model_validate_json((folder / CALIBRATION).read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise InputError("no readable calibration", where=str(folder), field=CALIBRATION) from error
        if missing := set(DOMAINS) - set(calibration.heads):
            raise InputError(f"no calibration of {', '.join(sorted(missing))}", where=str(folder), field=CALIBRATION)
        model, tokenizer = load_model(folder, config)
        return cls(model.to(device), config, tokenizer, calibration, judge, device)

    def prepare(self, window: Window, candidates: Sequence[Segment], judge: Judge | None = None) -> Prepared:
        """What the model needs to know of candidates (at least one); may be called in any thread.

        Args:
            judge: instead of the scorer's own.
        """
        view, judge = view_of(window), judge or self.judge
        rows = np.stack([features(view, c, _verdict(judge, c.text)) for c in candidates])
        domains = [DOMAINS.index(domain_of(c.text)) for c in candidates]
        texts = None
        if self.encoder is not None:
            texts = Texts(self.encoder.prefix(window), [self.encoder.candidate(c.text) for c in candidates])
        return Prepared(rows, domains, texts)

    @torch.inference_mode()
    def energies_of(self, asked: Sequence[Prepared]) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
        """Energies (K,) of each group of candidates, in one batch."""
        rows = torch.from_numpy(np.concatenate([one.features for one in asked])).to(self.device)
        domain = torch.tensor([d for one in asked for d in one.domains], device=self.device)
        pooled = self.text.pooled([t for one in asked if (t := one.texts) is not None]) if self.text else None
        # A product of very few rows takes another way through the library, with another rounding.
        few = max(0, 4 - len(rows))
        if few:
            rows, domain = torch.cat([rows, rows[:1].repeat(few, 1)]), torch.cat([domain, domain[:1].repeat(few)])
            pooled = torch.cat([pooled, pooled[:1].repeat(few, 1)]) if pooled is not None else None
        energies = self.model.energy(pooled, rows, domain).cpu().double().numpy()
        return np.split(energies[: len(energies) - few], np.cumsum([len(one.domains) for one in asked])[:-1])

    def energies(self, window: Window, candidates: Sequence[Segment]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Energies (K,) of candidates, in one batch."""
        return self.energies_of([self.prepare(window, candidates)])[0]

    def score(self, window: Window, candidates: Sequence[Segment]) -> list[Score]:
        """See `protocols.Scorer`."""
        return self.scores(candidates, self.energies(window, candidates)) if candidates else []

    def scores(self, candidates: Sequence[Segment], energies: np.ndarray[Any, np.dtype[np.float64]]) -> list[Score]:
        """Energies with their calibrated probabilities."""
        heads = [self.head(c.text) for c in candidates]
        found = zip(energies, heads, strict=True)
        return [Score(energy=float(e), p=float(h.probabilities(np.array([e]))[0])) for e, h in found]

    def head(self, call: str) -> Head:
        """The calibration that applies to a call."""
        return self.calibration.heads[domain_of(call)]

    def veto(self, window: Window, call: Segment | ToolCall) -> Veto:
        """Judge one call. Whether there is an alternative is for the caller to see."""
        return self.veto_by(self.score, window, call)

    def veto_by(
        self, score: Callable[[Window, Sequence[Segment]], Sequence[Score]], window: Window, call: Segment | ToolCall
    ) -> Veto:
        """The same with scores from elsewhere."""
        if isinstance(call, ToolCall):
            call = Segment(text=call.model_dump_json(exclude_defaults=True))
        found, threshold = score(window, [call])[0], self.head(call.text).threshold
        return Veto(found.p < threshold, found, threshold)


def _verdict(judge: Judge | None, text: str) -> Verdict | None:
    if judge is None:
        return None
    try:
        return judge(ToolCall.model_validate_json(text))
    except ValidationError:
        return None


def read_config(folder: Path) -> ScorerConfig:
    """The config of a scorer folder.

    Raises:
        InputError: missing, unreadable, or of other features than this version computes.
    """
    path = folder / CONFIG
    try:
        config = ScorerConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError("not a scorer folder", where=str(folder), field=CONFIG, fix="train one: stage=ebm") from None
    except ValidationError as error:
        what = error.errors(include_url=False)[0]
        raise InputError(what["msg"], where=str(path), field=".".join(map(str, what["loc"]))) from None
    if (config.feature_version, config.features) != (VERSION, FEATURES):
        raise InputError("made for other features", where=str(path), field="features", fix="train it again")
    return config


def load_model(folder: Path, config: ScorerConfig) -> tuple[EnergyModel, PreTrainedTokenizerFast | None]:
    """The model (fp32, inference mode) and its tokenizer.

    Raises:
        InputError: weights or tokenizer are missing or do not fit.
    """
    try:
        trunk = trunk_from_config(config.trunk) if config.trunk is not None else None
        model = EnergyModel(trunk, config.hidden)
        model.load_state_dict({k: v.float() for k, v in load_file(str(folder / WEIGHTS)).items()})
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"not loadable: {what}", where=str(folder), field=WEIGHTS, fix="train it again") from error
    return model.eval(), read_tokenizer(folder) if trunk is not None else None


def save_model(
    folder: Path, model: EnergyModel, config: ScorerConfig, tokenizer: PreTrainedTokenizerFast | None
) -> list[Path]:
    """Write config, weights (fp16) and tokenizer; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config.model_dump(mode="json"), indent=1)
    (folder / CONFIG).write_text(text, encoding="utf-8")
    save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, str(folder / WEIGHTS))
    written = [folder / CONFIG, folder / WEIGHTS]
    if tokenizer is not None:
        tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
        written.append(folder / TOKENIZER)
    return written


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in a folder (or of a hub id): ours, or any fast one.

    Raises:
        InputError: there is none.
    """
    path = folder / TOKENIZER
    if path.is_file():
        ours = load_tokenizer(folder)
        raw = Tokenizer.from_file(str(path))
        # Ours knows its control tokens; added to another one they would be ids that its model has no embedding for.
        if raw.token_to_id(END) is None:
            return PreTrainedTokenizerFast(tokenizer_object=raw)  # type: ignore[no-untyped-call]
        return ours
    try:
        made: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=folder.is_dir())
    except (OSError, ValueError, KeyError) as error:
        raise InputError("no tokenizer", where=str(folder), field=TOKENIZER) from error
    return cast(PreTrainedTokenizerFast, made)
