"""What each training stage would train with a config, built on the meta device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, PretrainedConfig

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.model import HfModelConfig, LoraSettings, ModelConfig
from hybrid_agent.config.stages.aoe import AoeConfig
from hybrid_agent.config.stages.ebm import EbmConfig
from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.config.stages.sft import SftConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.decoder.bundle import DECODER
from hybrid_agent.errors import InputError
from hybrid_agent.nn.build import build_model
from hybrid_agent.planner.model import PlannerNet
from hybrid_agent.runs.layout import find_run
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.domains import EXPERTS
from train.plan_count import COUNTED, Counts, adapted, count, decoder_on_meta, hf_config, on_meta
from train.plan_memory import Setup

LARGE_VOCABULARY, LOGITS = 8192, 2048  # as train.stages.sft
TOOLS = 7
ENCODER_CONTEXT = 4096  # as train.stages.ebm


@dataclass(frozen=True)
class Work:
    """A stage on the meta device. `what` is for people; `lora` are the counts with adapters where all weights would
    be trained without; `note` says what the numbers leave out."""

    what: str
    model: nn.Module
    counts: Counts
    setup: Setup
    lora: Counts | None = None
    note: str = ""


def work_of(config: TrainConfig) -> Work | None:
    """What a stage trains; None where nothing of note is held on a device (the gate).

    Raises:
        InputError: the model's config cannot be had, or is not what was published.
    """
    stage = config.stage
    if isinstance(stage, SftConfig):
        return _sft(config)
    if isinstance(stage, AoeConfig | RlConfig):
        return _on_decoder(config, stage)
    if isinstance(stage, EbmConfig):
        return _ebm(config, stage)
    if isinstance(stage, HrmConfig):
        with torch.device("meta"):
            net = PlannerNet(stage.planner, TOOLS, len(EXPERTS))
        counts = replace(count(net), layer_bytes=40.0 * 4 * stage.planner.width, layers=stage.planner.blocks)
        return Work("planner", net, counts, _setup(config, stage.optim.batch_tokens, stage.max_turns, ema=True))
    return None


def architecture_of(model: HfModelConfig) -> PretrainedConfig:
    """The config of a pretrained model: its folder's, or the published one.

    Raises:
        InputError: neither is there.
    """
    folder = Path(model.path).expanduser()
    for place in (folder / "decoder", folder):
        if (place / "config.json").is_file():
            return AutoConfig.from_pretrained(str(place))
    if model.architecture is not None:
        return hf_config(model.architecture)
    try:
        return AutoConfig.from_pretrained(model.path, revision=model.revision)
    except (OSError, ValueError):
        fix = "give model.architecture, or a folder that is on this machine"
        raise InputError(f"what {model.path} looks like is not known here", field="model.path", fix=fix) from None


def weights_dtype(config: TrainConfig) -> torch.dtype:
    """As train.backbone.dtype_of; models of our own are float32."""
    from train.backbone import dtype_of

    return dtype_of(config.model, config.profile) if isinstance(config.model, HfModelConfig) else torch.float32


def _setup(config: TrainConfig, tokens: int, context: int, **more: Any) -> Setup:
    profile = config.profile
    ranks = max(1, profile.ranks) * profile.launch.nodes
    optim = getattr(config.stage, "optim", None)
    more.setdefault("ema", bool(optim is not None and optim.ema))
    return Setup(ranks, profile.deepspeed, tokens, context, profile.checkpointing, **more)


def _sft(config: TrainConfig) -> Work:
    stage, model = config.stage, config.model
    assert isinstance(stage, SftConfig)
    tokens, context = stage.optim.batch_tokens, model.context
    if isinstance(model, ModelConfig):
        made, name, lora, nf4 = _tiny(model), f"{model.layers} layers of {model.d_model}", None, False
    else:
        shape = architecture_of(model)
        made = decoder_on_meta(model, shape, weights_dtype(config))
        name, nf4 = model.path, model.quantize is not None
        lora = None
        if model.lora is None:
            lora = count(adapted(on_meta(shape, weights_dtype(config)), LoraSettings()))
        name += " (all weights)" if model.lora is None else f" (LoRA r={model.lora.r}{', NF4' if nf4 else ''})"
    counts = count(made)
    return Work(name, made, counts, _setup(config, tokens, context, logits=_logits(counts, tokens), nf4=nf4), lora)


def _on_decoder(config: TrainConfig, stage: AoeConfig | RlConfig) -> Work:
    """Experts and reinforcement learning take their decoder from a run, whatever `model` says."""
    folder = bundle_folder() if stage.decoder == "bundle" else find_run(Path(config.runs), stage.decoder)
    shape = AutoConfig.from_pretrained(str(folder / DECODER))
    made, name = on_meta(shape, torch.float32), f"decoder of {stage.decoder}"
    if isinstance(stage, AoeConfig):
        made, name = adapted(made, LoraSettings(r=stage.rank)), f"{name} (LoRA r={stage.rank})"
    counts, tokens, zero = count(made), stage.optim.batch_tokens, config.profile.deepspeed
    if isinstance(stage, RlConfig) and zero is not None and counts.parameters > zero.whole_below:
        what = (
            f"rollouts need all weights on a rank: {counts.parameters:,} parameters, whole_below={zero.whole_below:,}"
        )
        raise InputError(what, field="profile.deepspeed.whole_below", fix="raise it to the size of the model")
    note = "updates only; rollouts take what serving takes"
    note = "an expert; one after the other" if isinstance(stage, AoeConfig) else note
    setup = _setup(config, tokens, int(shape.max_position_embeddings), logits=_logits(counts, tokens))
    return Work(name, made, counts, setup, note=note)


def _ebm(config: TrainConfig, stage: EbmConfig) -> Work:
    shape: PretrainedConfig | None = None
    name = "features only"
    if stage.trunk.startswith("hf:"):
        name = stage.trunk.removeprefix("hf:")
        if Path(name).is_dir():
            shape = AutoConfig.from_pretrained(name)
        elif stage.trunk_architecture is not None:
            shape = hf_config(stage.trunk_architecture, "stage.trunk_architecture")
        else:
            fix = "give stage.trunk_architecture, or a folder that is on this machine"
            raise InputError(f"what {name} looks like is not known here", field="stage.trunk", fix=fix)
    elif stage.trunk == "decoder":
        folder = bundle_folder() if stage.decoder == "bundle" else find_run(Path(config.runs), stage.decoder)
        name = f"decoder of {stage.decoder}"
        shape = AutoConfig.from_pretrained(str(folder / "decoder"))
    trunk = on_meta(shape, torch.float32, encoder=True) if shape is not None else None
    with torch.device("meta"):
        model = EnergyModel(trunk, stage.hidden, stage.dropout)
    has = int(getattr(shape, "max_position_embeddings", 0) or ENCODER_CONTEXT) if shape is not None else 0
    context = min(has, stage.context or ENCODER_CONTEXT)
    counts = count(model)
    return Work(name, model, counts, _setup(config, stage.optim.batch_tokens, context, masked=stage.packed))


def _tiny(model: ModelConfig) -> nn.Module:
    with torch.device("meta"):  # looking back changes weights, of which there are none
        made = build_model(
            model.model_copy(update={"look_back": 0}), vocab_size=model.vocab_size, pad_id=0, end_id=1
        ).train()
    made.config._attn_implementation = COUNTED
    return made


def _logits(counts: Counts, tokens: int) -> int:
    return min(tokens, LOGITS) if counts.vocabulary > LARGE_VOCABULARY else tokens
