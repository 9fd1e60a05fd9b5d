"""The training loop. It knows about steps, clocks, checkpoints and metrics, and nothing about what is trained."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from hybrid_agent.config.optim import LengthConfig, OptimConfig, ProfileConfig
from hybrid_agent.errors import HybridAgentError, InputError
from train.backend import Loss, make_backend
from train.machine import checkpoint_activations, use_bf16
from train.optim import lr_scale, micro_steps
from train.ranks import Ranks

__all__ = ["METRICS", "Engine", "EvalFn", "Loss", "LossFn", "Skips", "Stopped", "Stream", "Watch", "read_metrics"]

METRICS = "metrics.jsonl"


class Stopped(HybridAgentError):
    """The run was interrupted; its state is saved and can be resumed."""


class Stream(Protocol):
    """An endless source of batches whose position can be saved.

    All ranks draw the same batches in the same order and each keeps its own, so a position does not depend on how
    many ranks there are.
    """

    def next(self) -> Any:
        """The next batch."""
        ...

    def state(self) -> dict[str, Any]:
        """Its position: plain numbers, texts, lists and dicts."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go to a position."""
        ...


@runtime_checkable
class Skips(Protocol):
    """A stream that can go past a batch without making it; without this, other ranks' batches are made and dropped."""

    def skip(self) -> None:
        """Go past one batch."""
        ...


class Watch(Protocol):
    """Whoever wants to see what is logged. It must not raise."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """One entry, as it is written to metrics.jsonl."""
        ...


LossFn = Callable[[Any], Loss]
EvalFn = Callable[[], dict[str, float]]


class Engine:
    """Trains a model. A step is `micro_steps` batches on each rank.

    Args:
        model: its parameters are updated in place.
        stream: where batches come from.
        loss: batch -> Loss; runs under autocast when the profile asks for bf16.
        evaluate: called every `eval_every` steps and at the end, on the averaged weights if there are any.
        folder: checkpoints and metrics.jsonl go here; a checkpoint found here is resumed.
        watch: is told every entry of metrics.jsonl, on the first rank.
        flops: floating-point operations that training takes per token (`train.flops`): with the profile's
            `peak_tflops` it gives the MFU.
    """

    def __init__(
        self,
        model: nn.Module,
        stream: Stream,
        loss: LossFn,
        evaluate: EvalFn | None,
        *,
        folder: Path,
        optim: OptimConfig,
        length: LengthConfig,
        profile: ProfileConfig,
        console: Console | None = None,
        ranks: Ranks | None = None,
        watch: Watch | None = None,
        flops: float | None = None,
    ) -> None:
        self.model, self.stream, self.loss, self.evaluate = model, stream, loss, evaluate
        self.folder, self.optim, self.length, self.profile = folder, optim, length, profile
        self.ranks = ranks or Ranks()
        self.console = console or Console(stderr=True, quiet=not self.ranks.first)
        self.watch, self.flops = watch, flops
        self.grad_norm = 0.0
        if profile.checkpointing:
            checkpoint_activations(model)
        self.backend = make_backend(model, optim, profile, self.ranks)
        self.micro_steps = micro_steps(optim, self.ranks.world)
        self.step = self.tokens = 0
        self.elapsed = 0.0
        self.last_eval: dict[str, float] = {}
        self._bf16 = use_bf16(profile)
        self._stop = False

    def fit(self) -> dict[str, float]:
        """Train to the end; leaves the averaged weights, if any, in the model. Returns the last evaluation.

        Raises:
            Stopped: on SIGINT or SIGTERM, after saving.
        """
        self._resume()
        metrics = self.folder / METRICS if self.ranks.first else Path(os.devnull)
        with self._signals(), self._bar() as bar, metrics.open("a", 1, encoding="utf-8") as log:
            task = bar.add_task("", total=1.0, completed=self._done(), info="")
            window: list[tuple[float, int, float]] = []
            while self._done() < 1:
                began = time.monotonic()
                loss = self._one_step()
                elapsed = self.elapsed + time.monotonic() - began
                self.elapsed, stop = self.ranks.most(elapsed, float(self._stop))
                self._stop = stop > 0
                window.append((time.monotonic() - began, loss.tokens, float(loss.value)))
                if self.step % self.length.log_every == 0:
                    seconds, tokens = sum(w[0] for w in window), sum(w[1] for w in window)
                    mean = sum(w[2] for w in window) / len(window)
                    entry = {"step": self.step, "loss": mean, "tokens": self.tokens, "tokens_s": tokens / seconds}
                    entry |= {"lr": self._scale() * self.optim.lr, "grad_norm": self.grad_norm}
                    entry |= {"seconds": self.elapsed, **self._utilisation(tokens / seconds), **loss.logs}
                    self._log(log, entry)
                    info = f"step {self.step}  loss {mean:.4f}  {tokens / seconds:,.0f} tok/s"
                    bar.update(task, info=info + self._shown_eval())
                    window.clear()
                bar.update(task, completed=self._done())
                if self.evaluate and self.step % self.length.eval_every == 0 and self._done() < 1:
                    self._evaluate(log)
                if self.step % self.length.save_every == 0 or self._stop:
                    log.flush()
                    self.save()
                if self._stop and self._done() < 1:
                    raise Stopped(f"stopped at step {self.step}")
            self._evaluate(log)
            self.save()
        self.backend.finish()
        return self.last_eval

    def averaged(self, *inputs: Any) -> Any:
        """What the model makes of `inputs` by its averaged weights (`optim.ema`), without gradients; for losses."""
        return self.backend.averaged(*inputs)

    def _one_step(self) -> Loss:
        """One update. Its loss and values are means over all of its batches."""
        losses = [self.backend.descend(self._work(), 1 / self.micro_steps) for _ in range(self.micro_steps)]
        self.grad_norm = self.backend.step(self._scale(), self.step + 1)
        if not math.isfinite(self.grad_norm):
            raise HybridAgentError(f"the gradient is not finite at step {self.step}; try a lower stage.optim.lr")
        self.step += 1
        logs = {key: sum(loss.logs[key] for loss in losses) / len(losses) for key in losses[-1].logs}
        mean = sum(loss.value.item() for loss in losses) / len(losses)
        tokens, *sums = self.ranks.total(sum(loss.tokens for loss in losses), mean, *logs.values())
        self.tokens += int(tokens)
        value, *means = (total / self.ranks.world for total in sums)
        return Loss(torch.tensor(value, dtype=torch.float64), int(tokens), dict(zip(logs, means, strict=True)))

    def _work(self) -> Callable[[], Loss]:
        """The forward pass over this rank's next batch."""
        batch: Any = None
        for rank in range(self.ranks.world):
            if rank == self.ranks.rank:
                batch = self.stream.next()
            elif isinstance(self.stream, Skips):
                self.stream.skip()
            else:
                self.stream.next()

        def work() -> Loss:
            with self._autocast():
                return self.loss(batch)

        return work

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.profile.device, torch.bfloat16, enabled=self._bf16)

    def _done(self) -> float:
        """Share of the run that is over: by steps or by the clock, whichever is further."""
        shares = [self.step / self.length.max_steps] if self.length.max_steps else []
        shares += [self.elapsed / (60 * self.length.max_minutes)] if self.length.max_minutes else []
        return min(1.0, max(shares))

    def _scale(self) -> float:
        return lr_scale(self._done(), self.optim.warmup, self.optim.final_lr)

    def _evaluate(self, log: Any) -> None:
        if self.evaluate is None or not (self.ranks.first or self.backend.together):
            return
        self.model.eval()
        with torch.no_grad(), self._autocast():
            self.last_eval = self.backend.look(self.evaluate)
        self.model.train()
        self._log(log, {"step": self.step, "tokens": self.tokens, "seconds": self.elapsed, **self.last_eval})

    def _shown_eval(self) -> str:
        return "".join(f"  {k} {v:.3f}" for k, v in list(self.last_eval.items())[:2])

    def _utilisation(self, tokens_s: float) -> dict[str, float]:
        """Model FLOPs per second over what the machines could do; nothing where the peak is not stated."""
        if self.flops is None or self.profile.peak_tflops is None:
            return {}
        return {"mfu": self.flops * tokens_s / (1e12 * self.profile.peak_tflops * self.ranks.world)}

    def _log(self, log: Any, entry: dict[str, float]) -> None:
        entry = {k: round(v, 6) for k, v in entry.items()}
        log.write(json.dumps(entry) + "\n")
        if self.watch and self.ranks.first:
            self.watch.log(self.step, entry)

    def save(self) -> None:
        """Write a checkpoint of everything that the next step depends on."""
        state = {
            "stream": self.stream.state(),
            "rng": torch.get_rng_state(),
            "step": self.step,
            "tokens": self.tokens,
            "elapsed": self.elapsed,
            "last_eval": self.last_eval,
            "batches": self.micro_steps * self.ranks.world,
        }
        self.backend.save(self.folder, self.step, state)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self.backend.load(self.folder)
        self.ranks.wait()  # nobody changes the folder while others still look
        if state is None:
            if self.ranks.first:
                (self.folder / METRICS).unlink(missing_ok=True)
            return
        batches = self.micro_steps * self.ranks.world
        if state.get("batches", batches) != batches:
            raise InputError(
                f"a step would now be {batches} batches and was {state['batches']}",
                where=str(self.folder),
                field="stage.optim.global_tokens",
                fix="use as many ranks as before, or a number that divides the batches of a step",
            )
        self.stream.restore(state["stream"])
        torch.set_rng_state(state["rng"])
        self.step, self.tokens, self.elapsed = state["step"], state["tokens"], state["elapsed"]
        self.last_eval = state["last_eval"]
        if self.ranks.first:
            trim_metrics(self.folder / METRICS, self.step)
        self.console.print(f"resuming at step {self.step} ({self.elapsed / 60:.1f} min trained)")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM lets the step finish and saves; the second one kills as usual."""

        def ask_to_stop(number: int, frame: FrameType | None) -> None:
            self._stop = True
            signal.signal(number, before[number])

        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, ask_to_stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _bar(self) -> Progress:
        columns = (BarColumn(), TextColumn("{task.percentage:>5.1f}%"), TextColumn("{task.fields[info]}"))
        return Progress(*columns, TimeRemainingColumn(), console=self.console, refresh_per_second=2)


def trim_metrics(path: Path, step: int) -> None:
    """Drop what was logged after the checkpoint that is being resumed, a half-written line included."""
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            break
        if entry["step"] <= step:
            kept.append(line)
    path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The logged entries of a run."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
