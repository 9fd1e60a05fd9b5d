"""What each rank holds of a model under ZeRO-3, and checkpoints made of it that any number of ranks can read.

A parameter of n elements is flattened, padded to a multiple of the ranks and cut into equal slices, one a rank. A
checkpoint folder holds one safetensors file a rank with its slices (padding left out) of the weights, of AdamW's two
moments and of the averaged weights, all in float32, under the parameter's name; another number of ranks reads the
stretches that it needs out of several files. Nobody ever holds the whole state, and nothing has to be converted.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from deepspeed.runtime.zero.partition_parameters import ZeroParamStatus
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_atomic, write_json
from train.checkpoint import MARKER, checkpoints, prune
from train.ranks import Ranks

STATE = "state.pt"
MOMENTS = ("exp_avg", "exp_avg_sq")
WEIGHTS, AVERAGE = "weights", "average"


class Shards:
    """This rank's slices of what is trained. `inner` is DeepSpeed's ZeRO-3 optimizer around `torch.optim.AdamW`; with
    `whole`, every rank also keeps all weights."""

    def __init__(self, model: nn.Module, inner: Any, whole: bool) -> None:
        self.inner = inner
        self.all: list[Any] = list(model.parameters()) if whole else []
        self.trained = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def weight(self, parameter: Any) -> torch.Tensor:
        """The float32 slice that is stepped; changes to it count after `publish`."""
        found: torch.Tensor = self.inner.get_local_fp32_param(parameter)
        return found

    def weights(self) -> list[torch.Tensor]:
        """Of all trained parameters, in their order."""
        return [self.weight(p) for p in self.trained.values()]

    def moment(self, parameter: Any, key: str) -> torch.Tensor:
        """A moment's slice."""
        found: torch.Tensor = self.inner.get_local_fp32_param(parameter, key)
        return found

    def make_moments(self, steps: int) -> None:
        """Give the optimizer the state that it has after `steps` steps, its moments at zero (to be filled)."""
        for flat in self.inner.fp32_partitioned_groups_flat:
            state = self.inner.optimizer.state[flat]
            state["step"] = torch.tensor(float(steps))
            for key in MOMENTS:
                state[key] = torch.zeros_like(flat)

    def publish(self) -> None:
        """Make forward passes see slices that were changed."""
        for parameter in self.trained.values():
            zero: Any = parameter
            if zero.ds_status == ZeroParamStatus.AVAILABLE:
                zero.partition()
            ours = self.weight(zero)
            if zero.ds_tensor.data_ptr() != ours.data_ptr():
                zero.ds_tensor.data.copy_(ours)
        absent = [p for p in self.all if p.ds_status == ZeroParamStatus.NOT_AVAILABLE]
        if absent:
            absent[0].all_gather(absent)

    def parts(self, average: list[torch.Tensor] | None) -> Iterator[tuple[str, str, torch.Tensor, int]]:
        """(kind, name, slice with padding, elements of the whole parameter) of all that a checkpoint holds."""
        for number, (name, parameter) in enumerate(self.trained.items()):
            whole = int(parameter.ds_numel)  # type: ignore[attr-defined]
            yield WEIGHTS, name, self.weight(parameter), whole
            for key in MOMENTS:
                yield key, name, self.moment(parameter, key), whole
            if average is not None:
                yield AVERAGE, name, average[number], whole


def span(whole: int, rank: int, world: int) -> tuple[int, int]:
    """The elements [begin, end) of a flat parameter that a rank holds."""
    size = -(-whole // world)
    return min(whole, rank * size), min(whole, (rank + 1) * size)


def save_shards(
    folder: Path, step: int, shards: Shards, average: list[torch.Tensor] | None, state: dict[str, Any], ranks: Ranks
) -> None:
    """Write `ckpt-STEP/`: each rank its file, then the first rank the state and, last, the marker."""
    target = folder / f"ckpt-{step}"
    if ranks.first:
        shutil.rmtree(target, ignore_errors=True)  # of a run that died while writing it
        target.mkdir()
    ranks.wait()
    slices = {}
    for kind, name, part, whole in shards.parts(average):
        begin, end = span(whole, ranks.rank, ranks.world)
        slices[f"{kind}/{name}"] = part[: end - begin].detach().cpu().contiguous()
    write_atomic(_file(target, ranks.rank), lambda temp: save_file(slices, temp))
    ranks.wait()
    if ranks.first:
        write_atomic(target / STATE, lambda temp: torch.save(state, temp))
        write_json(target / MARKER, {"step": step, "world": ranks.world})
        prune(folder)


def load_shards(
    folder: Path, shards: Shards, average: list[torch.Tensor] | None, ranks: Ranks
) -> dict[str, Any] | None:
    """Fill in this rank's slices from the newest complete checkpoint and return its state; None if there is none.

    Raises:
        InputError: the checkpoint is of another model, or was not made under ZeRO-3.
    """
    found = checkpoints(folder)
    if not found:
        return None
    source = found[-1]
    if source.is_file():
        raise InputError("this checkpoint was not made under ZeRO-3", where=str(source), fix="add fresh=true")
    marker = json.loads((source / MARKER).read_text(encoding="utf-8"))
    state: dict[str, Any] = torch.load(source / STATE, map_location="cpu", weights_only=True)
    shards.make_moments(int(marker["step"]))
    with ExitStack() as stack:
        files = [
            stack.enter_context(safe_open(_file(source, rank), "pt"))  # type: ignore[no-untyped-call]
            for rank in range(marker["world"])
        ]
        known = set(files[0].keys())
        for kind, name, part, whole in shards.parts(average):
            key = f"{kind}/{name}"
            if key not in known:
                raise InputError(f"no {key} in this checkpoint", where=str(source), fix="add fresh=true")
            begin, end = span(whole, ranks.rank, ranks.world)
            pieces = []
            for rank, file in enumerate(files):
                start, stop = span(whole, rank, len(files))
                first, last = max(begin, start), min(end, stop)
                if first < last:
                    pieces.append(file.get_slice(key)[first - start : last - start])
            if pieces:
                part[: end - begin].copy_(torch.cat(pieces))
    shards.publish()
    return state


def gather(parameter: Any, slice_: torch.Tensor | None = None) -> torch.Tensor:
    """The whole parameter, on every rank, from each rank's slice (default: the weights)."""
    mine = (parameter.ds_tensor.data if slice_ is None else slice_).to(parameter.device)
    if parameter.ds_zero_partition_world_size == 1:
        return mine[: parameter.ds_numel].view(parameter.ds_shape)
    out = torch.empty(parameter.ds_zero_partition_world_size * mine.numel(), dtype=mine.dtype, device=mine.device)
    dist.all_gather_into_tensor(out, mine, group=parameter.ds_process_group)
    return out[: parameter.ds_numel].view(parameter.ds_shape)


def _file(folder: Path, rank: int) -> Path:
    return folder / f"rank-{rank:05d}.safetensors"
