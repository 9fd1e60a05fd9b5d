"""From a stage's config to a row of the plan, and the plan for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from hybrid_agent.config.model import HfModelConfig
from hybrid_agent.config.optim import ProfileConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.layout import attempts
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from train.engine import METRICS, read_metrics
from train.flops import flops_per_token
from train.optim import micro_steps
from train.plan_count import count, on_meta
from train.plan_memory import Memory, serving_memory, training_memory, ways_to_fit
from train.plan_stages import Work, architecture_of, work_of

Row = dict[str, Any]
# Stated, not measured: the share of the peak that training gets, by parameters.
STATED_MFU = ((1e9, 0.35), (1e8, 0.25), (0.0, 0.05))
FORMATS = {"bf16": 16.0, "fp8": 8.0, "awq": 4.16}  # bits of a matrix; AWQ: a scale and a zero for 128 of 4 bits each


def plan_stage(name: str, config: TrainConfig, *, mfu: float | None = None) -> Row:
    """Memory, tokens, steps and hours of one stage.

    Raises:
        InputError: the model's config cannot be had.
    """
    work = work_of(config)
    if work is None:
        return {"stage": name, "what": "on the CPU", "fits": True}
    memory, limit = memory_of(work, config.profile), config.profile.memory_gib
    fits = limit is None or memory.total <= limit
    row: Row = {
        "stage": name,
        "what": work.what,
        "parameters": work.counts.parameters,
        "trained": work.counts.trained,
        "micro_batch": work.setup.tokens,
        "context": work.setup.context,
        "memory_gib": {**_rounded(asdict(memory)), "total": round(memory.total, 2)},
        "limit_gib": limit,
        "fits": fits,
        "note": work.note,
        **_time(config, work, mfu),
    }
    if not fits:
        assert limit is not None
        found = ways_to_fit(work.counts, work.setup, limit, lora=work.lora)
        row["ways_to_fit"] = [{"change": way.change, "total": round(way.memory.total, 2)} for way in found]
    return row


def memory_of(work: Work, profile: ProfileConfig) -> Memory:
    """What the stage takes; on a CPU nothing is held back for CUDA."""
    reserve = {} if profile.device == "cuda" else {"reserve": 0.0}
    return training_memory(work.counts, work.setup, **reserve)


def refuse(config: TrainConfig) -> None:
    """See `train.plan.check`.

    Raises:
        InputError: it cannot fit.
    """
    work, limit = work_of(config), config.profile.memory_gib
    if work is None or limit is None:
        return
    memory = memory_of(work, config.profile)
    if memory.total <= limit:
        return
    parts = ", ".join(f"{key} {value:.1f}" for key, value in asdict(memory).items() if value >= 0.05 and key != "host")
    ways = ways_to_fit(work.counts, work.setup, limit, lora=work.lora)
    known = "; ".join(f"{way.change} ({way.memory.total:.1f} GiB)" for way in ways)
    fix = f"change one: {known}" if ways else "no single change is enough: take a smaller model, or more ranks"
    what = f"{work.what} needs {memory.total:.1f} GiB a rank ({parts}), {config.profile.name} has {limit:g}"
    raise InputError(what, field="profile.memory_gib", fix=fix)


def _time(config: TrainConfig, work: Work, mfu: float | None) -> Row:
    """Tokens a second, tokens, steps and hours, and where the first comes from."""
    stage, profile = config.stage, config.profile
    world = work.setup.ranks if profile.deepspeed is not None else max(1, profile.ranks) * profile.launch.nodes
    rate, source = _measured(config), "measured"
    if rate is None and profile.peak_tflops is not None:
        share = mfu or next(each for size, each in STATED_MFU if work.counts.parameters >= size)
        rate = share * profile.peak_tflops * 1e12 * world / flops_per_token(work.model, work.setup.context)
        source = f"stated (MFU {share:.0%})"
    if rate is None:
        return {"tokens_s": None, "throughput": "not known", "tokens": None, "steps": None, "hours": None}
    optim, length = stage.optim, getattr(stage, "length", None)
    step = optim.batch_tokens * world * micro_steps(optim, world)
    minutes, steps = getattr(length, "max_minutes", None), getattr(length, "max_steps", None)
    if steps is None and minutes is not None:
        steps = round(rate * minutes * 60 / step)
    hours = None if steps is None else steps * step / rate / 3600
    if hours is not None and minutes is not None:
        hours = min(hours, minutes / 60)
    return {
        "tokens_s": round(rate, 1),
        "throughput": source,
        "tokens_a_step": step,
        "steps": steps,
        "tokens": None if steps is None else steps * step,
        "hours": None if hours is None else round(hours, 3),
    }


def _measured(config: TrainConfig) -> float | None:
    """Tokens a second of the newest complete run of this stage with this profile and model."""
    for folder in reversed(attempts(Path(config.runs), config.stage.name, config.name)):
        if not (folder / MANIFEST).is_file() or not (folder / METRICS).is_file():
            continue
        made = read_manifest(folder).config
        try:
            same = TrainConfig.model_validate(made)
        except ValueError:  # of a version with other settings
            continue
        if (same.profile.name, same.model) == (config.profile.name, config.model):
            rates = [entry["tokens_s"] for entry in read_metrics(folder / METRICS) if "tokens_s" in entry]
            if rates:
                return float(statistics.median(rates))
    return None


def plan_serving(config: TrainConfig, *, sequences: int, context: int) -> list[Row]:
    """Weights and cache of decoding with a pretrained model on one device, by number format.

    Raises:
        InputError: the model's config cannot be had.
    """
    model, limit = config.model, config.profile.memory_gib
    assert isinstance(model, HfModelConfig)
    shape = architecture_of(model)
    counts = count(on_meta(shape, torch.bfloat16))
    head = getattr(shape, "head_dim", None) or shape.hidden_size // shape.num_attention_heads
    heads = getattr(shape, "num_key_value_heads", None) or shape.num_attention_heads
    cache = 2 * 2 * shape.num_hidden_layers * heads * head
    rows = []
    for name, bits in FORMATS.items():
        found = serving_memory(
            counts, cache, bits=bits, sequences=sequences, context=context, limit=limit or float("inf")
        )
        rows.append(
            {
                "model": model.path,
                "weights": name,
                "weights_gib": round(found.weights, 2),
                "cache_gib": round(found.cache, 2),
                "cache_kib_a_token": round(cache / 1024, 1),
                "sequences": sequences,
                "context": context,
                "total_gib": round(found.total, 2),
                "limit_gib": limit,
                "most_sequences": found.fit if limit else None,
                "fits": limit is None or found.total <= limit,
            }
        )
    return rows


def show(rows: Sequence[Row], served: Sequence[Row], profile: ProfileConfig) -> None:
    """Print both tables and what to change."""
    console = Console(width=150, highlight=False)
    limit = f"{profile.memory_gib:g} GiB a device" if profile.memory_gib else "no limit named"
    parts = ("weights", "gradients", "optimizer", "gathered", "activations", "logits", "reserve")
    table = Table(title=f"profile {profile.name}: {profile.ranks} x {profile.launch.nodes} ranks, {limit}; GiB a rank")
    for column in ("stage", "what", *parts, "total", "host", "fits"):
        table.add_column(column, justify="left" if column in ("stage", "what", "fits") else "right")
    times = Table(title="time")
    for column in ("stage", "parameters", "trained", "tokens/s", "from", "tokens a step", "steps", "tokens", "hours"):
        times.add_column(column, justify="left" if column in ("stage", "from") else "right")
    for row in rows:
        memory = row.get("memory_gib")
        if memory is None:
            table.add_row(row["stage"], row["what"])
            continue
        numbers = [f"{memory[part]:.1f}" for part in (*parts, "total", "host")]
        table.add_row(row["stage"], row["what"], *numbers, "yes" if row["fits"] else "NO")
        times.add_row(
            row["stage"],
            _short(row["parameters"]),
            _short(row["trained"]),
            _short(row["tokens_s"]),
            row["throughput"],
            _short(row.get("tokens_a_step")),
            _short(row["steps"]),
            _short(row["tokens"]),
            "" if row["hours"] is None else f"{row['hours']:.1f}",
        )
    console.print(table)
    console.print(times)
    if served:
        serving = Table(title="serving on one device, GiB")
        for column in ("model", "format", "weights", "cache", "total", "KiB a token", "sequences", "fits", "most"):
            serving.add_column(column, justify="left" if column in ("model", "format") else "right")
        for row in served:
            serving.add_row(
                row["model"],
                row["weights"],
                f"{row['weights_gib']:.1f}",
                f"{row['cache_gib']:.1f}",
                f"{row['total_gib']:.1f}",
                f"{row['cache_kib_a_token']:g}",
                f"{row['sequences']} x {row['context']}",
                "yes" if row["fits"] else "NO",
                "" if row["most_sequences"] is None else str(row["most_sequences"]),
            )
        console.print(serving)
    for row in rows:
        if not row["fits"]:
            ways = "; ".join(f"{way['change']} ({way['total']:.1f})" for way in row["ways_to_fit"])
            console.print(f"{row['stage']} does not fit. Each alone is enough: {ways or 'nothing known here'}")
        if row.get("note"):
            console.print(f"{row['stage']}: {row['note']}")
    console.print("Not measured on a GPU: memory is a sum of counts and stated parts (docs/backbones.md).")


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 2) for key, value in values.items()}


def _short(value: float | None) -> str:
    if value is None:
        return ""
    for size, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
