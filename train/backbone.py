"""Pretrained Hugging Face models in the sft stage: loaded, given adapters, and saved so that decoding finds them.

run/decoder/adapter_config.json, adapter_model.safetensors    save=adapter: the change, and the name of its base
run/decoder/model.safetensors                                 save=merged, or all weights were trained
run/decoder/config.json, tokenizer*.json, chat_template*      always
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.assemble.decoders import DecoderSpec, decoder_hash
from hybrid_agent.config.model import HfModelConfig
from hybrid_agent.config.optim import ProfileConfig
from hybrid_agent.decoder.bundle import ADAPTER, DECODER
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST
from train.machine import attention

# Configs of models whose logits are not what the language head gives.
SCALED = ("final_logit_softcapping", "logits_scaling", "logit_scale")


@dataclass(frozen=True)
class Backbone:
    """A model ready to be trained (a `PeftModel` if it has adapters), its tokenizer, and what identifies its base."""

    model: Any
    tokenizer: PreTrainedTokenizerFast
    base: str


def load_backbone(config: HfModelConfig, profile: ProfileConfig, init: Path | None = None) -> Backbone:
    """Load the weights, in training mode; with `lora`, new adapters on top of them.

    Args:
        init: a finished run of ours to go on from; its adapter, or its whole model, is taken.

    Raises:
        InputError: it is not there, not a causal language model with a fast tokenizer, or cannot be had on this
            machine as configured.
    """
    check_quantization(config, profile)
    source, revision = base_of(config)
    adapter = None
    if init is not None:
        adapter = init / DECODER if (init / DECODER / ADAPTER).is_file() else None
        if adapter is None:
            source, revision = str(init / DECODER), None
        elif config.lora is None:
            raise InputError("the run holds an adapter", where=str(init), field="model.lora", fix="set model.lora")
    disable_progress_bar()  # type: ignore[no-untyped-call]
    where = {"revision": revision, "local_files_only": Path(source).is_dir()}
    try:
        found = AutoConfig.from_pretrained(source, **where)
        _same_architecture(config, found)
        model: Any = AutoModelForCausalLM.from_pretrained(
            source,
            dtype=dtype_of(config, profile),
            attn_implementation=attention(profile),
            **_in_four_bits(config),
            **where,
        )
        tokenizer = AutoTokenizer.from_pretrained(source, **where)
    except (OSError, ValueError, KeyError) as error:
        fix = "give a folder saved by save_pretrained, or the id of a repository on the hub"
        what = f"not loadable: {str(error).splitlines()[0]}"
        raise InputError(what, where=source, field="model.path", fix=fix) from None
    if not tokenizer.is_fast:
        raise InputError("it has no fast tokenizer (tokenizer.json)", where=source, field="model.path")
    model.config.use_cache = False
    if config.lora is not None:
        model = _with_adapter(model, config, source, revision, adapter)
        only_trained(model)
    return Backbone(model.train(), tokenizer, identity(source, revision))


def base_of(config: HfModelConfig) -> tuple[str, str | None]:
    """Where the weights are: an absolute folder (of a run of ours: its decoder) or a hub id, and the revision."""
    path = Path(config.path).expanduser()
    if not path.is_dir():
        if config.path.startswith((".", "/", "~")) or config.path.count("/") != 1:
            fix = "give a folder saved by save_pretrained, or the id of a repository on the hub"
            raise InputError("no such folder", where=config.path, field="model.path", fix=fix)
        return config.path, config.revision
    inside = path / DECODER
    return str((inside if (inside / "config.json").is_file() else path).resolve()), None


def identity(source: str, revision: str | None) -> str:
    """What names the base in a manifest: the hash of a folder's files (or of its run), or hub id and revision."""
    folder = Path(source)
    if not folder.is_dir():
        return f"{source}@{revision or 'main'}"
    run = folder.parent / MANIFEST
    return file_hash(run) if folder.name == DECODER and run.is_file() else decoder_hash(DecoderSpec("hf", source))


def dtype_of(config: HfModelConfig, profile: ProfileConfig) -> torch.dtype:
    """The number format of the weights."""
    if config.dtype != "auto":
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[config.dtype]
    # Plain AdamW on bf16 weights loses small updates; adapters and ZeRO's masters are fp32.
    small = profile.device == "cuda" and (config.lora is not None or profile.deepspeed is not None)
    return torch.bfloat16 if small else torch.float32


def check_quantization(config: HfModelConfig, profile: ProfileConfig) -> None:
    """Refuse 4-bit weights where they cannot be had.

    Raises:
        InputError: no GPU, or bitsandbytes is not installed.
    """
    if config.quantize is None:
        return
    field = "model.quantize"
    if profile.device != "cuda" or not torch.cuda.is_available():
        raise InputError("4-bit weights need a GPU", field=field, fix="set it to null, or use a profile with a GPU")
    if importlib.util.find_spec("bitsandbytes") is None:
        fix = "pip install bitsandbytes, or set it to null"
        raise InputError("bitsandbytes is not installed", field=field, fix=fix)


def _in_four_bits(config: HfModelConfig) -> dict[str, Any]:
    if config.quantize is None:
        return {}
    from transformers import BitsAndBytesConfig

    made = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=config.quantize,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        # A floating type, so that ZeRO-3 can spread the packed weights like any others.
        bnb_4bit_quant_storage=torch.bfloat16,
    )
    return {"quantization_config": made, "device_map": {"": torch.cuda.current_device()}}


def _same_architecture(config: HfModelConfig, found: PretrainedConfig) -> None:
    for key, said in (config.architecture or {}).items():
        if (has := getattr(found, key, said)) != said:
            fix = "set model.architecture=null, or give the model that the config describes"
            raise InputError(f"it has {key}={has}, the config says {said}", field=f"model.architecture.{key}", fix=fix)
    for key in SCALED:
        if getattr(found, key, None) not in (None, 1, 1.0):
            raise InputError(f"models with {key} cannot be trained here", field="model.path", fix="use another model")


def _with_adapter(model: Any, config: HfModelConfig, source: str, revision: str | None, adapter: Path | None) -> Any:
    from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training

    if config.quantize is not None:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if adapter is not None:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
    lora = config.lora
    assert lora is not None
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=source,
        revision=revision,
        r=lora.r,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        target_modules=lora.targets if lora.targets == "all-linear" else list(lora.targets),
    )
    try:
        return get_peft_model(model, settings)
    except ValueError as error:
        raise InputError(str(error).splitlines()[0], field="model.lora.targets", fix="use all-linear") from None


def only_trained(model: nn.Module) -> None:
    """Let the model's state dict hold what is trained only: the frozen base is on disk already."""
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}

    def drop(module: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
        for name in frozen | {name for name, _ in module.named_buffers()}:
            state.pop(prefix + name, None)

    def forgive(module: nn.Module, keys: Any) -> None:
        keys.missing_keys[:] = [name for name in keys.missing_keys if name not in frozen]

    model.register_state_dict_post_hook(drop)
    model.register_load_state_dict_post_hook(forgive)


def trunk_and_head(model: Any) -> tuple[nn.Module, nn.Module]:
    """The part that makes hidden states, adapters in place, and the language head."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return getattr(causal, causal.base_model_prefix), causal.get_output_embeddings()


def pad_of(tokenizer: PreTrainedTokenizerFast) -> int:
    """What fills rows up; no position that counts ever sees it."""
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return int(pad or 0)  # type: ignore[arg-type]


def move(model: Any, device: torch.device) -> Any:
    """The model on a device; 4-bit weights stay where they were loaded."""
    return model if getattr(model, "is_quantized", False) else model.to(device)


def save_backbone(backbone: Backbone, config: HfModelConfig, folder: Path) -> None:
    """Write what decoding loads (see the top of this file) into `folder`."""
    model = backbone.model
    if config.lora is not None and config.save == "merged":
        model = model.merge_and_unload()
    model.config.use_cache = True
    model.save_pretrained(str(folder))
    model.config.save_pretrained(str(folder))
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    backbone.tokenizer.save_pretrained(str(folder))
