"""The training loop. It knows about steps, clocks, checkpoints and metrics, and nothing about what is trained."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from hybrid_agent.config.optim import LengthConfig, OptimConfig, ProfileConfig
from hybrid_agent.errors import HybridAgentError
from train.checkpoint import load_newest, save_checkpoint
from train.optim import Average, Optimizers, lr_scale
from train.ranks import Ranks

METRICS = "metrics.jsonl"


class Stopped(HybridAgentError):
    """The run was interrupted; its state is saved and can be resumed."""


class Stream(Protocol):
    """An endless source of batches whose position can be saved."""

    def next(self) -> Any:
        """The next batch."""
        ...

    def state(self) -> dict[str, int]:
        """Its position."""
        ...

    def restore(self, state: dict[str, int]) -> None:
        """Go to a position."""
        ...


@dataclass(frozen=True)
class Loss:
    """What a loss function returns: the scalar to descend, tokens processed, and values to log."""

    value: torch.Tensor
    tokens: int
    logs: dict[str, float]


class Watch(Protocol):
    """Whoever wants to see what is logged. It must not raise."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """One entry, as it is written to metrics.jsonl."""
        ...


LossFn = Callable[[Any], Loss]
EvalFn = Callable[[], dict[str, float]]


def use_bf16(profile: ProfileConfig) -> bool:
    """True if matrix products should run in bf16."""
    if profile.precision != "auto":
        return profile.precision == "bf16"
    if profile.device == "cuda":
        return torch.cuda.is_bf16_supported()
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe)() for probe in probes if hasattr(torch.cpu, probe))


class Engine:
    """Trains a model.

    Args:
        model: its parameters are updated in place.
        stream: where batches come from.
        loss: batch -> Loss; runs under autocast when the profile asks for bf16.
        evaluate: called every `eval_every` steps and at the end, on the averaged weights if there are any.
        folder: checkpoints and metrics.jsonl go here; a checkpoint found here is resumed.
        watch: is told every entry of metrics.jsonl.
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
        self.optimizers = Optimizers(model, optim)
        self.average = Average(model, optim.ema) if optim.ema else None
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
        with self._signals(), self._bar() as bar, metrics.open("a", encoding="utf-8") as log:
            task = bar.add_task("", total=1.0, completed=self._done(), info="")
            window: list[tuple[float, int, float]] = []
            while self._done() < 1:
                began = time.monotonic()
                loss = self._one_step()
                elapsed = self.elapsed + time.monotonic() - began
                self.elapsed, stop = self.ranks.most(elapsed, float(self._stop))
                self._stop = stop > 0
                window.append((time.monotonic() - began, loss.tokens, loss.value.item()))
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
        if self.average:
            self.average.swap(self.model)
        return self.last_eval

    def _one_step(self) -> Loss:
        batch = [self.stream.next() for _ in range(self.ranks.world)][self.ranks.rank]
        with torch.autocast(self.profile.device, torch.bfloat16, enabled=self._bf16):
            loss = self.loss(batch)
        loss.value.backward()
        self.ranks.average_gradients(self.model)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.optim.clip)
        if not torch.isfinite(norm):
            raise HybridAgentError(f"the gradient is not finite at step {self.step}; try a lower stage.optim.lr")
        self.grad_norm = norm.item()
        self.optimizers.step(self._scale())
        self.step += 1
        loss = Loss(loss.value, int(self.ranks.total(loss.tokens)), loss.logs)
        self.tokens += loss.tokens
        if self.average:
            self.average.update(self.model, self.step)
        return loss

    def _done(self) -> float:
        """Share of the run that is over: by steps or by the clock, whichever is further."""
        shares = [self.step / self.length.max_steps] if self.length.max_steps else []
        shares += [self.elapsed / (60 * self.length.max_minutes)] if self.length.max_minutes else []
        return min(1.0, max(shares))

    def _scale(self) -> float:
        return lr_scale(self._done(), self.optim.warmup, self.optim.final_lr)

    def _evaluate(self, log: Any) -> None:
        if self.evaluate is None or not self.ranks.first:
            return
        if self.average:
            self.average.swap(self.model)
        self.model.eval()
        with torch.no_grad(), torch.autocast(self.profile.device, torch.bfloat16, enabled=self._bf16):
            self.last_eval = self.evaluate()
        self.model.train()
        if self.average:
            self.average.swap(self.model)
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
        """Write a checkpoint of everything that the next step depends on (the ranks' states are equal)."""
        if not self.ranks.first:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "average": self.average.weights if self.average else None,
            "stream": self.stream.state(),
            "rng": torch.get_rng_state(),
            "step": self.step,
            "tokens": self.tokens,
            "elapsed": self.elapsed,
            "last_eval": self.last_eval,
        }
        save_checkpoint(self.folder, self.step, state)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = load_newest(self.folder)
        self.ranks.wait()  # nobody changes the folder while others still look
        if state is None:
            if self.ranks.first:
                (self.folder / METRICS).unlink(missing_ok=True)
            return
        self.model.load_state_dict(state["model"])
        self.optimizers.load_state_dict(state["optimizers"])
        if self.average:
            self.average.weights = state["average"]
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
