"""Fit logit shaping on labelled candidates: `python -m train.shaping contexts=FILE [key=value ...]`.

Minimises, over the steering matrix A, the mean over contexts of -Σ_k w_k Σ_t log q(y_k,t) + η |A f|², where
w_k = softmax_k(-β E_k) over the context's candidates and q is the frozen decoder under its grammar with its logits
shifted by W A f (convex in A). The strength α is then chosen on held-out groups; 0 is among the choices and wins
unless another one is better beyond its 95 % interval.

    contexts    file(s) of traces.contexts, comma-separated
    scorer      `labels` (0 for a pass, 1 for a failure), or a scorer folder or run
    decoder     `bundle`, a run, or a folder
    out         folder to write to; empty = runs/shaping/NAME/ATTEMPT/shaping
    tracking    `wandb`, `tensorboard` or both, comma-separated: who is told besides metrics.jsonl (docs/watching.md)
    beta, eta, val_share, max_contexts, iterations, seed, name, runs

Exit codes: 0 done, 2 bad input.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError
from rich.console import Console

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run, new_attempt
from hybrid_agent.runs.manifest import MANIFEST, Manifest, git_state, library_versions, write_manifest
from hybrid_agent.runs.tracking import open_tracker
from hybrid_agent.runs.tracking.files import written
from hybrid_agent.types import Record

if TYPE_CHECKING:
    from train.shaping_table import Energies


class ShapingConfig(Record):
    """See the head of this file. `beta` null: 4 for labels, 1 for a scorer."""

    contexts: str = Field(min_length=1)
    scorer: str = "labels"
    decoder: str = "bundle"
    out: str = ""
    name: str = "tiny"
    runs: str = "runs"
    beta: float | None = Field(default=None, gt=0)
    eta: float = Field(default=0.02, ge=0)
    val_share: float = Field(default=0.3, gt=0, lt=1)
    max_contexts: int = Field(default=1500, ge=2)
    iterations: int = Field(default=60, ge=1)
    seed: int = 0
    tracking: str = Field(default="", pattern=r"^(|wandb|tensorboard|wandb,tensorboard)$")


def run(config: ShapingConfig, command: str, console: Console) -> Path:
    """Fit, choose α, write; returns the folder of the shaping.

    Raises:
        InputError: an input is missing, or the contexts say nothing.
    """
    import numpy as np
    import torch

    from hybrid_agent.assemble.decoders import bundle_folder
    from hybrid_agent.decoder.hf import HfDecoder
    from hybrid_agent.decoder.options import DecoderOptions
    from hybrid_agent.decoder.shaping import Shaper
    from hybrid_agent.tools.registry import call_schema
    from hybrid_agent.traces.contexts import read_contexts
    from hybrid_agent.traces.groups import split_groups
    from train.shaping_fit import choose_alpha, fit
    from train.shaping_table import collect

    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    files = [Path(part) for part in config.contexts.split(",")]
    contexts = [context for path in files for context in read_contexts(path)]
    order = np.random.default_rng(config.seed).permutation(len(contexts))[: config.max_contexts]
    kept, held = split_groups([contexts[i] for i in sorted(order)], config.val_share, config.seed)
    source = bundle_folder() if config.decoder == "bundle" else _folder(config, config.decoder)
    decoder = HfDecoder.from_folder(source, call_schema(), DecoderOptions(threads=1), parts={})
    energies, parents = _energies(config)
    if (source / MANIFEST).is_file():
        parents["decoder"] = file_hash(source / MANIFEST)
    train, test = collect(decoder, kept, energies), collect(decoder, held, energies)
    if not train.groups or not test.groups:
        what = f"{len(train.groups)} contexts to fit on and {len(test.groups)} to choose α on"
        raise InputError(what, where=config.contexts, fix="give more contexts with passes and failures")
    console.print(
        f"shaping: {len(train.groups)}+{len(test.groups)} contexts, {len(train.context)} candidates "
        f"({train.skipped} left out), {len(train.target)} choices among {len(train.ids)} tokens"
    )
    beta = config.beta or (4.0 if config.scorer == "labels" else 1.0)
    shaper = Shaper.for_model(decoder.model, decoder.tokenizer)
    shaper.steering, loss = fit(train, shaper, beta=beta, eta=config.eta, iterations=config.iterations)
    alpha, report = choose_alpha(test, shaper, beta, config.seed)
    show(report, console)
    console.print(f"alpha {alpha}")
    home = Path(config.out) if config.out else new_attempt(Path(config.runs), "shaping", config.name)
    folder = home if config.out else home / "shaping"
    made = shaper.save(folder, {"alpha": alpha, "beta": beta, "eta": config.eta, "held_out": report})
    sha, dirty = git_state(Path(__file__).parents[1])
    manifest = Manifest(
        stage="shaping",
        name=config.name,
        command=command,
        config=config.model_dump(mode="json"),
        git_sha=sha,
        git_dirty=dirty,
        seed=config.seed,
        parents={**parents, **{f"contexts/{path.name}": file_hash(path) for path in files}},
        tokenizer_hash=shaper.tokenizer,
        metrics={"alpha": alpha, "objective": loss, "contexts": len(train.groups), "held_out": report},
        versions=dict(library_versions(("torch", "transformers", "numpy"))),
    )
    if not config.out:  # a folder that serves gets what serving needs and nothing else
        made = [*made, *_tell(config, home, manifest, report, console)]
    write_manifest(home, manifest, [file.relative_to(home) for file in made])
    return folder


def show(report: Sequence[Mapping[str, Any]], console: Console) -> None:
    """A table of all strengths: each figure with the interval of its change from the plain decoder."""
    from rich.table import Table

    table = Table("α", "nll", "change [95 %]", "energy", "change [95 %]", "first passes %", "change [95 %]", box=None)
    for entry in report:
        cells = [f"{entry['alpha']:g}"]
        for key, times in (("nll", 1), ("energy", 1), ("first_passes", 100)):
            low, high = (times * edge for edge in entry[f"{key}_change"])
            cells += [f"{times * entry[key]:.3f}", f"{low:+.3f} {high:+.3f}"]
        table.add_row(*cells)
    console.print(table)


def _tell(
    config: ShapingConfig, home: Path, manifest: Manifest, report: list[dict[str, Any]], console: Console
) -> list[Path]:
    """Log the figures of every strength (its number is the step); returns the files of the log."""
    with open_tracker(
        home,
        stage="shaping",
        name=f"shaping/{config.name}/{home.name}",
        config=manifest.config,
        warn=lambda text: console.print(f"warning: {text}", style="yellow", highlight=False, markup=False),
        to=tuple(name for name in config.tracking.split(",") if name),
    ) as tracker:
        for number, entry in enumerate(report):
            numbers = {key: float(value) for key, value in entry.items() if isinstance(value, int | float)}
            tracker.log(number, {f"shaping/{key}": value for key, value in numbers.items()})
        rows = [[value if isinstance(value, int | float) else str(value) for value in e.values()] for e in report]
        tracker.table("strengths", list(report[0]), rows)
        tracker.summary(manifest.metrics)
    return [home / name for name in written(home)]


def _folder(config: ShapingConfig, reference: str) -> Path:
    path = Path(reference)
    return path if path.is_dir() else find_run(Path(config.runs), reference)


def _energies(config: ShapingConfig) -> tuple[Energies, dict[str, str]]:
    from train.shaping_table import from_labels, from_scorer

    if config.scorer == "labels":
        return from_labels, {}
    from hybrid_agent.scorer.energy import EnergyScorer

    home = _folder(config, config.scorer)
    folder = home / "scorer" if (home / "scorer").is_dir() else home
    parents = {"scorer": file_hash(home / MANIFEST)} if (home / MANIFEST).is_file() else {}
    return from_scorer(EnergyScorer.load(folder)), parents


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(stderr=True)
    if not arguments or "-h" in arguments or "--help" in arguments:
        print(__doc__)
        return 0
    try:
        try:
            pairs = dict(argument.split("=", 1) for argument in arguments)
            config = ShapingConfig.model_validate(pairs)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise InputError(first["msg"], field=str(first["loc"][0])) from None
        except ValueError:
            raise InputError("write key=value", where=shlex.join(arguments), fix="see --help") from None
        folder = run(config, shlex.join(["python", "-m", "train.shaping", *arguments]), console)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(f"fitted: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
