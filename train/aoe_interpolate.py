"""A whole checkpoint between two others, layer by layer, one tensor in memory at a time.

    python -m train.aoe_interpolate FIRST SECOND OUT 0.5            # one share (of FIRST) for everything
    python -m train.aoe_interpolate FIRST SECOND OUT 1,0.75,0.5,0   # one a layer; the rest takes their mean

The folders are saved by `save_pretrained` (safetensors, in one file or in shards), with the same tokenizer.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import layer_of

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
TOKENIZER = "tokenizer.json"
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64"}


def interpolate(first: Path, second: Path, out: Path, shares: float | Sequence[float]) -> None:
    """Write share x first + (1 - share) x second to `out`, in the shards and number formats of the first.

    Args:
        shares: of the first; one for everything, or one a layer (tensors outside of layers take the mean).

    Raises:
        InputError: tokenizers, tensor names, shapes or formats differ, or there is not one share a layer.
    """
    if _bytes(first / TOKENIZER) != _bytes(second / TOKENIZER):
        raise InputError("the tokenizers differ", where=f"{first} and {second}", field=TOKENIZER)
    where_first, where_second = _files(first), _files(second)
    if set(where_first) != set(where_second):
        odd = sorted(set(where_first) ^ set(where_second))[0]
        raise InputError("only one of the two has this tensor", where=f"{first} and {second}", field=odd)
    layers = 1 + max(layer_of(name) for name in where_first)
    by_layer = [float(shares)] * layers if isinstance(shares, int | float) else [float(s) for s in shares]
    if len(by_layer) != layers:
        raise InputError(f"{len(by_layer)} shares for {layers} layers", field="shares", fix="give one a layer, or one")
    temp = out.with_name(f".{out.name}.new")
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir(parents=True)
    for file in first.iterdir():
        if file.is_file() and file.suffix == ".json":
            shutil.copyfile(file, temp / file.name)
    for shard in sorted(set(where_first.values())):
        names = [name for name, file in where_first.items() if file == shard]
        _write_shard(first, second, where_second, shard, names, by_layer, temp / shard)
    shutil.rmtree(out, ignore_errors=True)
    temp.rename(out)


def _write_shard(
    first: Path, second: Path, where: dict[str, str], shard: str, names: list[str], by_layer: list[float], out: Path
) -> None:
    """Stream one shard: the header is known from the first's, so tensors follow one by one."""
    with safe_open(first / shard, "pt") as source:
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        at = 0
        for name in names:
            tensor = source.get_tensor(name)
            if tensor.dtype not in NAMES:
                raise InputError(f"tensors of {tensor.dtype} cannot be mixed", where=str(first / shard), field=name)
            end = at + tensor.numel() * tensor.element_size()
            header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, end]}
            at = end
        head = json.dumps(header, separators=(",", ":")).encode()
        head += b" " * (-len(head) % 8)
        with out.open("wb") as target:
            target.write(len(head).to_bytes(8, "little") + head)
            for name in names:
                mine = source.get_tensor(name)
                with safe_open(second / where[name], "pt") as other:
                    theirs = other.get_tensor(name)
                if theirs.shape != mine.shape or theirs.dtype != mine.dtype:
                    what = f"{tuple(mine.shape)} {mine.dtype} against {tuple(theirs.shape)} {theirs.dtype}"
                    raise InputError(what, where=f"{first} and {second}", field=name)
                inside = ".layers." in f".{name}"
                share = by_layer[layer_of(name)] if inside else sum(by_layer) / len(by_layer)
                mixed = torch.lerp(theirs.double(), mine.double(), share).to(mine.dtype).contiguous()
                target.write(mixed.reshape(-1).view(torch.uint8).numpy().tobytes())


def _files(folder: Path) -> dict[str, str]:
    """Tensor name -> the file that holds it."""
    if (folder / INDEX).is_file():
        return dict(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"])
    if not (folder / SINGLE).is_file():
        raise InputError("no safetensors checkpoint here", where=str(folder))
    with safe_open(folder / SINGLE, "pt") as file:
        return dict.fromkeys(file.keys(), SINGLE)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit code 2 for bad input."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 4 or {"-h", "--help"} & set(given):
        print(__doc__)
        return 0 if {"-h", "--help"} & set(given) else 2
    try:
        try:
            shares = [float(part) for part in given[3].split(",")]
        except ValueError:
            raise InputError(f"{given[3]!r} are not shares", fix="numbers, separated by commas") from None
        interpolate(Path(given[0]), Path(given[1]), Path(given[2]), shares[0] if len(shares) == 1 else shares)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
