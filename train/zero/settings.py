"""From our config to DeepSpeed's."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from hybrid_agent.config.deepspeed import ZeroConfig
from hybrid_agent.config.optim import OptimConfig, ProfileConfig
from hybrid_agent.errors import InputError
from train.machine import use_bf16
from train.optim import micro_steps
from train.ranks import Ranks

SHM_OP = "deepspeed_shm_comm"


def load_deepspeed(device: str) -> ModuleType:
    """Import DeepSpeed.

    Raises:
        InputError: it is not installed.
    """
    # Its own guess would look for every accelerator there is; and a CPU has no device number.
    os.environ.setdefault("DS_ACCELERATOR", device)
    os.environ.setdefault("LOCAL_RANK", os.environ.get("RANK", "0"))
    try:
        import deepspeed
        import deepspeed.ops
    except ImportError as error:
        fix = "pip install 'hybrid-agent[train]'"
        raise InputError("ZeRO-3 needs DeepSpeed", field="profile.deepspeed", fix=fix) from error
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    # It calls collectives by names that torch is about to rename. Can go with a DeepSpeed that does not.
    warnings.filterwarnings("ignore", r"`torch\.distributed\.\w+_tensor` is deprecated", FutureWarning)
    if device == "cpu":
        # A shared-memory collective that it would compile for minutes; gloo does the same.
        # Can go when DeepSpeed has a setting for it.
        deepspeed.ops.__compatible_ops__[SHM_OP] = False
    return deepspeed


def deepspeed_config(profile: ProfileConfig, optim: OptimConfig, world: int, whole: bool = False) -> dict[str, Any]:
    """The dict that `deepspeed.initialize` takes. With `whole`, weights stay whole on every rank.

    With bf16, weights stay float32 (spread over the ranks) and are sent and multiplied as bf16: what autocast means
    in plain torch. Batches are made elsewhere, so their size here says nothing.
    """
    zero = profile.deepspeed
    assert zero is not None
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": micro_steps(optim, world),
        "gradient_clipping": optim.clip,
        "steps_per_print": 2**31,
        "torch_autocast": {"enabled": use_bf16(profile), "dtype": "bfloat16"},
        # AdamW of torch, also on weights in host memory: its fused kernel is vectorised there and needs no compiling.
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "zero_optimization": _zero(zero, profile.device, 2**62 if whole else zero.persist_below),
    }


def _zero(zero: ZeroConfig, device: str, persist_below: int) -> dict[str, Any]:
    def offload(where: str) -> dict[str, Any]:
        return {"device": where, "pin_memory": zero.pin_memory and device == "cuda"}

    return {
        "stage": 3,
        "contiguous_gradients": True,
        "overlap_comm": zero.overlap_comm and device == "cuda",
        "reduce_bucket_size": zero.reduce_bucket_size,
        "stage3_prefetch_bucket_size": zero.prefetch_bucket_size,
        "stage3_param_persistence_threshold": persist_below,
        "stage3_max_live_parameters": zero.max_live_parameters,
        "stage3_max_reuse_distance": zero.max_live_parameters,
        "sub_group_size": zero.sub_group_size,
        "offload_optimizer": offload(zero.offload_optimizer),
        "offload_param": offload(zero.offload_weights),
        # It would replace torch.nn.functional.linear for the whole process.
        "memory_efficient_linear": False,
    }


@contextmanager
def sharded_init(profile: ProfileConfig, ranks: Ranks) -> Iterator[None]:
    """`from_pretrained` of transformers in here, called on all ranks, leaves each with its share of the weights only.

    What is loaded in here holds no numbers outside of the training engine until that has finished. Adapters are added
    afterwards, as always.
    """
    deepspeed = load_deepspeed(profile.device)
    ranks.join_alone()
    deepspeed.init_distributed(auto_mpi_discovery=False)
    from transformers.integrations import HfDeepSpeedConfig

    config = deepspeed_config(profile, OptimConfig(), ranks.world)
    known = HfDeepSpeedConfig(config)  # transformers looks for one that is alive
    yield
    del known
