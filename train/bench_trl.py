"""Throughput of our training loop against TRL's SFTTrainer: the same model, batches, optimizer and threads, in one run.

    python -m train.bench_trl steps=1000 [key=value ...] [--json]

Both sides begin with the same weights and see the same padded batches in the same order, in fp32, with fused AdamW, a
constant learning rate, clipping at 1, the loss on the same tokens, and no logging, saving or checkpointing of
activations. They take turns in one process (ours, TRL's, ours, ...), each sleeping while the other works; the first
turn of each does not count. Exit codes: 0 measured, 2 bad input.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from hybrid_agent.config.bench_trl import BenchTrlConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.optim import LengthConfig, OptimConfig, ProfileConfig
from hybrid_agent.errors import InputError

OURS, TRL = 0, 1


@dataclass(frozen=True)
class Throughput:
    """What was measured; `tokens` of one side, padding not counted. `ratio` is ours over TRL's by the wall clock,
    `ratio_cpu` by processor time, `ratio_blocks` the median over pairs of turns. `loss` (ours, TRL's) is the mean over
    the last turn."""

    steps: int
    tokens: int
    ours_tokens_s: float
    trl_tokens_s: float
    ratio: float
    ratio_cpu: float
    ratio_blocks: float
    loss: tuple[float, float]
    threads: int
    parameters: int


class _Measured(Exception):
    """All turns are over."""


@dataclass
class Turns:
    """Two threads of one process that work one after the other, with a clock for each turn (wall, processor)."""

    times: tuple[list[tuple[float, float]], list[tuple[float, float]]] = field(default_factory=lambda: ([], []))
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self._gates = threading.Semaphore(1), threading.Semaphore(0)
        self._began = (0.0, 0.0)

    def begin(self, side: int) -> None:
        """Wait for a turn."""
        self._gates[side].acquire()
        if self.error is not None:
            raise self.error
        self._began = time.perf_counter(), time.process_time()

    def end(self, side: int) -> None:
        """Give the turn to the other side."""
        now = time.perf_counter(), time.process_time()
        self.times[side].append((now[0] - self._began[0], now[1] - self._began[1]))
        self._gates[1 - side].release()

    def fail(self, error: BaseException) -> None:
        """Let whoever waits know that there will be no further turn."""
        self.error = error
        for gate in self._gates:
            gate.release()


def measure(config: BenchTrlConfig) -> tuple[Throughput, tuple[Any, Any]]:
    """Train both sides; returns the figures and the two models.

    Raises:
        InputError: the data has too little, or TRL is not installed.
    """
    import torch

    from hybrid_agent.assemble.decoders import bundle_folder
    from hybrid_agent.nn.build import build_model
    from hybrid_agent.nn.tokenizer import load_tokenizer

    torch.set_num_threads(config.threads)
    tokenizer = load_tokenizer(bundle_folder() / "decoder")
    data = _data(config, tokenizer)
    ids = {"pad_id": int(tokenizer.pad_token_id), "end_id": int(tokenizer.eos_token_id)}
    ours = build_model(config.model, vocab_size=len(tokenizer), seed=config.seed, **ids).train()
    theirs = copy.deepcopy(ours)
    turns = Turns()
    losses: tuple[list[Any], list[Any]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        other = threading.Thread(target=_trl, args=(config, theirs, tokenizer, data, turns, losses[TRL], folder))
        other.start()
        try:
            _ours(config, ours, data, ids["pad_id"], turns, losses[OURS], Path(folder))
        except BaseException as error:
            turns.fail(error)
            raise
        finally:
            other.join()
    if turns.error is not None:
        raise turns.error
    block = config.steps // config.blocks
    lengths = data.lengths.reshape(-1, config.rows).sum(1)
    tokens = int(sum(lengths[step % len(lengths)] for step in range(block, config.steps + block)))
    counted = [times[1:] for times in turns.times]
    wall, cpu = ([sum(t[i] for t in times) for times in counted] for i in (0, 1))
    last = [float(torch.stack(side[-block:]).mean()) for side in losses]
    return Throughput(
        steps=config.steps,
        tokens=tokens,
        ours_tokens_s=tokens / wall[OURS],
        trl_tokens_s=tokens / wall[TRL],
        ratio=wall[TRL] / wall[OURS],
        ratio_cpu=cpu[TRL] / cpu[OURS],
        ratio_blocks=statistics.median(b[0] / a[0] for a, b in zip(*counted, strict=True)),
        loss=(last[OURS], last[TRL]),
        threads=config.threads,
        parameters=sum(p.numel() for p in ours.parameters()),
    ), (ours, theirs)


def _data(config: BenchTrlConfig, tokenizer: Any) -> Any:
    """Sequences of a multiple of `rows`, in the order in which both sides read them."""
    from hybrid_agent.packs.compose import make_task
    from hybrid_agent.packs.pack import load_pack
    from hybrid_agent.types import Window
    from train.chat_data import ChatLine, ChatTurn
    from train.data import read_sequences
    from train.stream import as_sequences
    from train.stream_records import Encoder

    encoder = Encoder(tokenizer, config.model.context)
    if config.data is not None:
        found = [ChatLine(segments=line.segments) for line in read_sequences(Path(config.data))]
    else:
        packs = [load_pack(name) for name in ("os", "code")]
        tasks = [make_task(packs[seed % 2], "train", seed) for seed in range(2 * config.sequences)]  # some are too long
        calls = [task.gold[0].model_dump_json(exclude_defaults=True) for task in tasks]
        windows = [Window(goal=task.goal) for task in tasks]
        found = [ChatLine(turns=(ChatTurn(window=w, call=c),)) for w, c in zip(windows, calls, strict=True)]
    samples = encoder.samples(found)[: config.sequences]
    if len(samples) < config.sequences:
        raise InputError(f"{len(samples)} sequences, not {config.sequences}", where=config.data, field="sequences")
    return as_sequences(samples)


def _ours(
    config: BenchTrlConfig, model: Any, data: Any, pad_id: int, turns: Turns, losses: list[Any], folder: Path
) -> None:
    import numpy as np

    from train.data import collate
    from train.engine import Engine, Loss
    from train.stages.sft import completion_loss

    block, end = config.steps // config.blocks, config.steps + config.steps // config.blocks

    class Batches:
        """Batches in order; turns begin and end where one is asked for."""

        at = 0

        def next(self) -> Any:
            if self.at % block == 0:
                if self.at:
                    turns.end(OURS)
                if self.at == end:
                    raise _Measured
                turns.begin(OURS)
            start = self.at * config.rows % len(data)
            self.at += 1
            return collate(data, np.arange(start, start + config.rows), pad_id)

        def state(self) -> dict[str, Any]:
            return {"at": self.at}

        def restore(self, state: dict[str, Any]) -> None:
            self.at = state["at"]

    def loss(batch: Any) -> Loss:
        found = completion_loss(model, batch)
        losses.append(found.value.detach())
        return found

    # The engine would go on for one more step: asking for its batch ends the last turn, and the run.
    length = LengthConfig(max_steps=end + 1, log_every=end + 2, eval_every=end + 2, save_every=end + 2)
    optim = OptimConfig(
        lr=config.lr, weight_decay=0.01, beta1=0.9, beta2=0.98, clip=1.0, warmup=0.0, final_lr=1.0, batch_tokens=16
    )
    profile = ProfileConfig(name="bench", device="cpu", precision="fp32")
    console = Console(quiet=True)
    engine = Engine(
        model, Batches(), loss, None, folder=folder, optim=optim, length=length, profile=profile, console=console
    )
    with contextlib.suppress(_Measured):
        engine.fit()


def _trl(
    config: BenchTrlConfig, model: Any, tokenizer: Any, data: Any, turns: Turns, losses: list[Any], folder: str
) -> None:
    try:
        _train_trl(config, model, tokenizer, data, turns, losses, folder)
    except BaseException as error:
        turns.fail(error)


def _train_trl(
    config: BenchTrlConfig, model: Any, tokenizer: Any, data: Any, turns: Turns, losses: list[Any], folder: str
) -> None:
    import torch

    torch.set_num_threads(config.threads)  # counts for the calling thread
    try:
        from datasets import Dataset
        from transformers import PrinterCallback, TrainerCallback
        from trl import SFTConfig, SFTTrainer
    except ImportError as error:
        raise InputError(f"TRL is not installed: {error}", fix="install the extra [train]") from None
    block, end = config.steps // config.blocks, config.steps + config.steps // config.blocks
    rows = []
    for a, b in zip(data.starts, data.starts[1:], strict=False):
        ids = data.tokens[a:b].tolist()
        labels = [token if mark else -100 for token, mark in zip(ids, data.answer[a:b], strict=True)]
        rows.append({"input_ids": ids, "labels": labels})

    class TakeTurns(TrainerCallback):
        """Sleeps while the other side works."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            turns.begin(TRL)

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            if state.global_step % block == 0:
                turns.end(TRL)
                if state.global_step < end:
                    turns.begin(TRL)

    class Recorded(SFTTrainer):
        """Keeps the losses, as our side does."""

        def compute_loss(self, *arguments: Any, **more: Any) -> Any:
            found = super().compute_loss(*arguments, **more)
            losses.append(found.detach())
            return found

    settings = SFTConfig(
        output_dir=folder,
        max_steps=end,
        per_device_train_batch_size=config.rows,
        train_sampling_strategy="sequential",
        max_length=None,
        learning_rate=config.lr,
        lr_scheduler_type="constant",
        weight_decay=0.01,
        adam_beta1=0.9,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=False,
        fp16=False,
        gradient_checkpointing=False,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        use_cpu=True,
        seed=config.seed,
    )
    trainer = Recorded(
        model=model,
        args=settings,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[TakeTurns()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def main(arguments: Sequence[str] | None = None) -> int:
    """Load the config, measure, print."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(width=120)
    if "--help" in arguments or "-h" in arguments:
        console.print(__doc__, markup=False)
        return 0
    try:
        config = load_config("bench_trl", [a for a in arguments if a != "--json"], BenchTrlConfig)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        found, _ = measure(config)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(
        f"{found.steps} steps of {config.rows} sequences, {found.parameters / 1e6:.2f} M parameters, "
        f"{found.threads} thread(s)\nours {found.ours_tokens_s:,.0f} tokens/s, TRL {found.trl_tokens_s:,.0f} tokens/s\n"
        f"ratio {found.ratio:.2f} (by processor time {found.ratio_cpu:.2f}, median of turns {found.ratio_blocks:.2f})\n"
        f"loss at the end: ours {found.loss[0]:.4f}, TRL {found.loss[1]:.4f}",
        highlight=False,
    )
    if "--json" in arguments:
        print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
