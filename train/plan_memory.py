"""How much memory a rank needs: sums of things counted (train.plan_count) and of things stated here.

ZeRO-3 (Rajbhandari et al. 2020, arXiv:1910.02054) gives each of N ranks 1/N of weights, gradients and optimizer states
and gathers what it is working on. AdamW keeps a float32 copy of the weights and two moments: 12 bytes for each trained
parameter under ZeRO-3; in plain torch the weights are their own copy: 8. Gradients are accumulated in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from hybrid_agent.config.deepspeed import ZeroConfig
from train.plan_count import Counts

GIB = 2**30
RESERVE = 2.0  # stated, GiB: CUDA context, NCCL, cuBLAS workspaces, fragmentation
LOGIT_BYTES = 16  # of one logit: bf16, its float32 copy, the log-softmax, and the gradients of both in bf16 and float32
FOUR_BIT = 0.516  # bytes a weight in NF4: 4 bits, and a scale for 64 of them, itself quantised (Dettmers et al. 2023)


@dataclass(frozen=True)
class Setup:
    """What is decided, not counted.

    Attributes:
        ranks: that share the weights (1 in plain torch, whatever the number of processes).
        zero: None is plain torch.
        tokens: of one rank's micro-batch.
        context: the longest sequence.
        checkpointing: activations of layers are computed again.
        masked: attention gets a four-dimensional mask of 2 bytes an entry.
        logits: positions whose logits are in memory at once.
        nf4: frozen matrices are held in 4 bits, whole on every rank.
        ema: averaged weights are kept.
    """

    ranks: int
    zero: ZeroConfig | None
    tokens: int
    context: int
    checkpointing: bool
    masked: bool = False
    logits: int = 0
    nf4: bool = False
    ema: bool = False


@dataclass(frozen=True)
class Memory:
    """GiB on one device, and in the host's memory for each rank."""

    weights: float
    gradients: float
    optimizer: float
    gathered: float
    activations: float
    logits: float
    reserve: float
    host: float = 0.0

    @property
    def total(self) -> float:
        """On the device."""
        return sum(getattr(self, f.name) for f in fields(self) if f.name != "host")


def training_memory(counts: Counts, setup: Setup, *, reserve: float = RESERVE) -> Memory:
    """What training takes at its peak (in the backward pass of the last micro-batch of a step)."""
    zero, trained = setup.zero, counts.trained
    share = setup.ranks if zero is not None else 1
    each = counts.weights / max(1, counts.parameters)  # bytes of a parameter
    if setup.nf4:
        weights = FOUR_BIT * counts.linear + each * (counts.parameters - counts.linear)
    else:
        weights = counts.weights / share
    optimizer = (12 if zero is not None else 8) * trained / share + (4 * trained / share if setup.ema else 0)
    gathered = host = 0.0
    if zero is not None:
        whole = counts.parameters <= zero.whole_below
        live = counts.parameters if whole else min(zero.max_live_parameters, 2 * counts.largest)
        # Gathered in bf16; buckets of gradients are sent in bf16 while the next one fills.
        gathered = 2 * (live + zero.prefetch_bucket_size) + 2 * 2 * min(trained, zero.reduce_bucket_size)
        if zero.offload_optimizer == "cpu":
            host, optimizer = optimizer, 0.0
        if zero.offload_weights == "cpu":
            host, weights = host + weights, 0.0
    return Memory(
        weights=weights / GIB,
        gradients=4 * trained / share / GIB,
        optimizer=optimizer / GIB,
        gathered=gathered / GIB,
        activations=activations(counts, setup) / GIB,
        logits=LOGIT_BYTES * setup.logits * counts.vocabulary / GIB,
        reserve=reserve,
        host=host / GIB,
    )


def activations(counts: Counts, setup: Setup) -> float:
    """Bytes kept for the backward pass of one micro-batch, and the gradients of one layer's."""
    one = counts.layer_bytes
    kept = counts.layers * counts.width_bytes + one if setup.checkpointing else counts.layers * one
    masks = 2 * setup.context if setup.masked else 0
    # While a layer goes backward, gradients of what it kept come and go: at most as much again.
    return setup.tokens * (kept + one + counts.other_bytes + masks)


@dataclass(frozen=True)
class Way:
    """A change that makes it fit, as a person types it."""

    change: str
    memory: Memory


def ways_to_fit(counts: Counts, setup: Setup, limit: float, *, lora: Counts | None = None) -> list[Way]:
    """Changes, each alone, after which it fits into `limit` GiB.

    Args:
        lora: counts of the same model with adapters, if it has none yet.
    """
    found = []
    for change, (counted, changed) in _changes(counts, setup, lora):
        memory = training_memory(counted, changed)
        if memory.total <= limit:
            found.append(Way(change, memory))
    return found


def _changes(counts: Counts, setup: Setup, lora: Counts | None) -> Iterator[tuple[str, tuple[Counts, Setup]]]:
    smaller = setup.tokens // 2
    while smaller >= max(setup.context, 256):
        changed = replace(setup, tokens=smaller)
        yield f"stage.optim.batch_tokens={smaller}", (counts, changed)
        smaller //= 2
    if not setup.checkpointing:
        yield "profile.checkpointing=true", (counts, replace(setup, checkpointing=True))
    zero = setup.zero
    if zero is not None and zero.offload_optimizer == "none":
        changed = replace(setup, zero=zero.model_copy(update={"offload_optimizer": "cpu"}))
        yield "profile.deepspeed.offload_optimizer=cpu", (counts, changed)
    if zero is None:
        yield "+deepspeed@profile.deepspeed=zero3", (counts, replace(setup, zero=ZeroConfig()))
    if lora is not None:
        yield "model.lora={r: 16}", (lora, setup)
    elif not setup.nf4 and counts.trained < counts.parameters:
        yield "model.quantize=nf4", (counts, replace(setup, nf4=True))


@dataclass(frozen=True)
class Serving:
    """What decoding takes on one device, GiB. `fit` is how many sequences of `context` tokens the cache holds in what
    is left of the device."""

    weights: float
    cache: float
    reserve: float
    fit: int

    @property
    def total(self) -> float:
        """On the device."""
        return self.weights + self.cache + self.reserve


def serving_memory(
    counts: Counts, cache_bytes: int, *, bits: float, sequences: int, context: int, limit: float
) -> Serving:
    """Weights and the cache of keys and values.

    Args:
        counts: of the model in 16 bits.
        cache_bytes: of one token in all layers.
        bits: of a matrix inside the layers; the rest stays in 16 bits.
        sequences: at once.
        context: tokens of each of them.
        limit: GiB of the device.
    """
    weights = (bits / 8 * counts.linear + 2 * (counts.parameters - counts.linear)) / GIB
    left = limit - RESERVE - weights
    one = cache_bytes * context / GIB
    return Serving(weights, sequences * one, RESERVE, max(0, int(left / one)) if one else 0)
