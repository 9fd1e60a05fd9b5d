"""The training backend that spreads weights, gradients and optimizer states over the ranks (ZeRO-3)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from torch.func import functional_call

from hybrid_agent.config.optim import OptimConfig, ProfileConfig
from hybrid_agent.errors import InputError
from train.backend import Loss
from train.optim import adamw
from train.ranks import Ranks
from train.zero.settings import deepspeed_config, load_deepspeed

T = TypeVar("T")

# What DeepSpeed hangs on parameters and modules, besides names that begin with ds_.
ON_PARAMETERS = (
    "all_gather all_gather_coalesced partition reduce_gradients_at_owner partition_gradients aligned_size "
    "padding_size partition_numel item convert_to_zero_parameters is_external_param nvme_swapper _z3_optimizer "
    "group_id comm_dtype"
).split()
ON_MODULES = (
    "pre_bwd_fn post_bwd_fn applied_pre_backward_ref_cnt _external_params _z3_leaf _n_available_params all_parameters"
).split()


class Pass(nn.Module):
    """The module that DeepSpeed sees: a forward pass of it is any piece of work with the model.

    Our losses and evaluations call parts of the model in their own ways, and all of that happens inside one pass, so
    DeepSpeed knows when weights are wanted.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.work: Callable[[], Any] | None = None
        self.result: Any = None

    def forward(self) -> torch.Tensor:
        assert self.work is not None
        self.result = self.work()
        return self.result.value if isinstance(self.result, Loss) else torch.zeros(())

    def take(self) -> Any:
        """The result, which is then forgotten here (it holds on to activations)."""
        result, self.work, self.result = self.result, None, None
        return result


class ZeroBackend:
    """Implements `train.backend.Backend`."""

    together = True

    def __init__(self, model: nn.Module, optim: OptimConfig, profile: ProfileConfig, ranks: Ranks) -> None:
        if optim.kind != "adamw":
            raise InputError(
                f"{optim.kind} needs whole matrices, and ZeRO-3 leaves each rank a slice of them",
                field="stage.optim.kind",
                fix="use stage.optim.kind=adamw, or a profile without deepspeed",
            )
        deepspeed = load_deepspeed(profile.device)
        from train.zero.shards import Shards

        ranks.join_alone()
        deepspeed.init_distributed(auto_mpi_discovery=False)
        assert profile.deepspeed is not None
        self.model, self.ranks, self.lr = model, ranks, optim.lr
        size = sum(int(getattr(p, "ds_numel", 0) or p.numel()) for p in model.parameters())
        self.whole = size <= profile.deepspeed.whole_below
        self._twin = _twin(model) if optim.ema else None
        self.module = Pass(model)
        optimizer = adamw([p for p in model.parameters() if p.requires_grad], optim)
        optimizer.param_groups = [group for group in optimizer.param_groups if group["params"]]
        config = deepspeed_config(profile, optim, ranks.world, self.whole)
        self.engine, *_ = deepspeed.initialize(
            model=self.module, optimizer=optimizer, config=config, dist_init_required=False
        )
        self.shards = Shards(model, self.engine.optimizer, self.whole)
        if self.whole:
            # Weights are always there: no hook has to fetch them, and ranks may call layers in different order.
            self.engine.optimizer.parameter_offload.destroy()
            self.shards.publish()
        self.decay = optim.ema
        self.average = [w.detach().clone() for w in self.shards.weights()] if optim.ema else None
        self._open = False

    def descend(self, work: Callable[[], Loss], share: float) -> Loss:
        # DeepSpeed divides by the micro-batches of a step itself, which is `share`.
        if self._open:
            self.engine.step()  # counts the last micro-batch
        self.module.work = work
        value = self.engine()
        self.engine.backward(value)
        self._open = True
        loss: Loss = self.module.take()
        return Loss(loss.value.detach(), loss.tokens, loss.logs)

    def step(self, scale: float, number: int) -> float:
        for group in self.engine.optimizer.param_groups:
            group["lr"] = self.lr * scale
        self.engine.step()
        self._open = False
        if self.engine.optimizer.overflow:
            return math.nan
        if self.average is not None:
            decay = min(self.decay, (1 + number) / (10 + number))  # as train.optim.Average
            torch._foreach_lerp_(self.average, self.shards.weights(), 1 - decay)
        return float(self.engine.get_global_grad_norm())

    @torch.no_grad()
    def look(self, work: Callable[[], T]) -> T:
        with self._averaged():
            self.module.work = work
            self.engine()
            found: T = self.module.take()
        return found

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        self._swap()
        yield
        self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        if self.average is not None:
            for mine, theirs in zip(self.average, self.shards.weights(), strict=True):
                kept = theirs.clone()
                theirs.copy_(mine)
                mine.copy_(kept)
            self.shards.publish()

    @torch.no_grad()
    def averaged(self, *inputs: Any) -> Any:
        from train.zero.shards import gather

        assert self.average is not None and self._twin is not None
        found = dict(zip(self.shards.trained.items(), self.average, strict=True))
        weights = {name: gather(parameter, mine) for (name, parameter), mine in found.items()}
        weights |= {name: gather(p) for name, p in self.model.named_parameters() if name not in weights}
        return functional_call(self._twin, weights, inputs)

    def save(self, folder: Path, step: int, state: dict[str, Any]) -> None:
        from train.zero.shards import save_shards

        save_shards(folder, step, self.shards, self.average, state, self.ranks)

    @torch.no_grad()
    def load(self, folder: Path) -> dict[str, Any] | None:
        from train.zero.shards import load_shards

        return load_shards(folder, self.shards, self.average, self.ranks)

    @torch.no_grad()
    def finish(self) -> None:
        """As the protocol says, on the first rank in host memory; a model that is gathered as one, on every rank."""
        from train.zero.shards import gather

        self._swap()
        full: dict[int, torch.Tensor] = {}
        for parameter in self.model.parameters():
            found = gather(parameter)
            if self.whole:
                full[id(parameter)] = found.clone()
            elif self.ranks.first:
                full[id(parameter)] = found.cpu()
        self.engine.destroy()
        _forget(self.module)
        for parameter in self.model.parameters():
            _plain(parameter, ON_PARAMETERS)
            parameter.grad = None
            if id(parameter) in full:
                parameter.data = full[id(parameter)]
        if not self.whole:
            for buffer in self.model.buffers():
                buffer.data = buffer.data.cpu()


def _twin(model: nn.Module) -> nn.Module:
    """The same modules around parameters without data, in eval mode: to be called with others' weights."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        shape = getattr(parameter, "ds_shape", parameter.shape)
        memo[id(parameter)] = nn.Parameter(torch.empty(shape, dtype=parameter.dtype, device="meta"), False)
    return copy.deepcopy(model, memo).eval()


def _forget(module: nn.Module) -> None:
    """Take off what DeepSpeed has put on modules (its hooks are gone by now)."""
    from deepspeed.runtime.zero.parameter_offload import FWD_MODULE_STACK

    if module in FWD_MODULE_STACK:
        FWD_MODULE_STACK.remove(module)
    for part in module.modules():
        original = vars(part).pop("_original_parameters", None)
        if original is not None:
            part._parameters = original
        _plain(part, ON_MODULES)


def _plain(thing: Any, names: list[str]) -> None:
    for name in [name for name in vars(thing) if name.startswith("ds_") or name in names]:
        delattr(thing, name)
