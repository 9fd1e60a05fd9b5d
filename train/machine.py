"""What a profile means for torch: number formats, attention kernels, activations."""

from __future__ import annotations

import importlib.util

import torch
from torch import nn
from transformers import PreTrainedModel

from hybrid_agent.config.optim import ProfileConfig
from hybrid_agent.errors import InputError


def need_devices(profile: ProfileConfig) -> None:
    """Refuse ranks on GPUs that this machine has not.

    Raises:
        InputError: torch sees fewer.
    """
    found, wanted = torch.cuda.device_count(), max(1, profile.ranks)
    if profile.device == "cuda" and found < wanted:
        fix = f"profile.ranks={found}, or another profile" if found else "take another profile, or profile.device=cpu"
        what = f"{profile.name} needs {wanted} GPUs a node; torch sees {found}"
        raise InputError(what, field="profile.ranks", fix=fix)


def use_bf16(profile: ProfileConfig) -> bool:
    """True if matrix products should run in bf16."""
    if profile.precision != "auto":
        return profile.precision == "bf16"
    if profile.device == "cuda":
        return torch.cuda.is_bf16_supported()
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe)() for probe in probes if hasattr(torch.cpu, probe))


def attention(profile: ProfileConfig) -> str:
    """The value of transformers' `attn_implementation`: FlashAttention-2 where it is installed and can run, else SDPA.

    FlashAttention takes no four-dimensional masks: a model whose rows are packed with one (the energy model) keeps
    SDPA.
    """
    if profile.attention != "auto":
        return profile.attention
    installed = importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if profile.device == "cuda" and installed and use_bf16(profile) else "sdpa"


def checkpoint_activations(model: nn.Module) -> None:
    """Compute activations of every Hugging Face model in `model` again in the backward pass instead of keeping them."""
    outermost: set[nn.Module] = set()
    for module in model.modules():
        if isinstance(module, PreTrainedModel) and module not in outermost:
            if module.supports_gradient_checkpointing:
                module.activation_checkpointing_enable({"use_reentrant": False})
            outermost.update(module.modules())
