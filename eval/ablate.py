"""The hybrid with and without each part: python -m eval.ablate suite=os splits=[test_names] limit=40 seeds=3

Every variant runs on the same tasks with the same seeds and limits. Each variant x seed x split is an evaluation that
is not repeated when it is known; a stopped run goes on where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.config.ablate import AblateConfig
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.hybrid import EVERYTHING, HybridConfig
from hybrid_agent.config.load import load_config

if TYPE_CHECKING:
    from eval.ablation import Gain, Row
    from eval.result import TaskResult

STAGE, REPORT, PLOT = "ablate", "report.json", "ablate.png"
# The part that a variant leaves out.
WITHOUT = {
    "no_planner": "planner",
    "no_scorer": "scorer",
    "no_experts": "experts",
    "no_speculation": "draft",
    "no_shaping": "shaping",
}
IDLE = {"experts": "route is off", "shaping": "alpha is 0"}  # why a part that is there may do nothing


@dataclass(frozen=True)
class Variant:
    """A variant as it can be run with the parts that are there.

    Attributes:
        agent: equal for variants that do the same.
        drawn: False if nothing is drawn at random, so that one seed says it all.
    """

    name: str
    hybrid: HybridConfig
    agent: str
    note: str = ""
    drawn: bool = True


@dataclass(frozen=True)
class Ablation:
    """What came of it. `results`: variant -> seed -> results; `rows` and `gains` of all splits, and of each."""

    config: AblateConfig
    results: dict[str, dict[int, list[TaskResult]]]
    rows: dict[str, list[Row]]
    gains: dict[str, list[Gain]]
    complete: bool

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "suite": self.config.suite.name,
            "complete": self.complete,
            "rows": {split: [row.as_json() for row in rows] for split, rows in self.rows.items()},
            "gains": {
                split: [{"claim": g.claim, "holds": g.holds, "figures": g.figures} for g in gains]
                for split, gains in self.gains.items()
            },
        }


def variants_of(config: AblateConfig) -> list[Variant]:
    """The variants, the full hybrid first; parts that are not there are switched off and named in a note.

    Raises:
        InputError: a part that was named does not exist.
    """
    from eval.stored import same_agent
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.parts import PARTS, find_parts
    from hybrid_agent.assemble.presets import preset

    decoder, runs = parse_decoder(config.decoder), Path(config.runs)
    named = config.overrides()
    there = find_parts(decoder, HybridConfig(mode="greedy", set=EVERYTHING), named, runs).parts
    found: list[Variant] = []
    for name in ("full", *(v for v in config.variants if v != "full")):
        hybrid = preset(name)
        absent = [part for part in PARTS if getattr(hybrid, part) == "on" and part not in there]
        changes: dict[str, Any] = dict.fromkeys(absent, "off")
        if hybrid.mode == "energy" and "scorer" not in there:
            changes["mode"] = "logprob"
        hybrid = hybrid.model_copy(update=changes)
        spec = find_parts(decoder, hybrid, named, runs)
        twin = next((v.name for v in found if v.agent == same_agent(spec)), None)
        part = WITHOUT.get(name)
        why = f"{part} absent" if part and part not in there else IDLE.get(part or "", "part absent")
        note = f"same as {twin}, {why}" if twin else f"without {', '.join(absent)}" if absent else ""
        found.append(Variant(name, hybrid, same_agent(spec), note, drawn=spec.mode != "greedy"))
    return found


def ablate(config: AblateConfig, console: Console) -> Ablation:
    """Run what is not known yet, seed by seed, so that a run that is stopped has compared all variants on some."""
    from eval.ablation import FULL, gains, row
    from eval.stored import results_of

    variants = variants_of(config)
    splits = config.splits or config.suite.splits
    known: dict[tuple[str, int, str], list[TaskResult]] = {}
    results: dict[str, dict[int, list[TaskResult]]] = {variant.name: {} for variant in variants}
    complete = True
    cells = [(seed, split, variant) for seed in range(config.seeds) for split in splits for variant in variants]
    for seed, split, variant in cells:
        key = (variant.agent, seed if variant.drawn else 0, split)
        if key not in known:
            found = results_of(evaluation(config, variant, key[1], split), console)
            said = "known" if found.stored else "run" if found.complete else "stopped"
            hits = sum(result.success for result in found.results)
            console.print(f"{variant.name} {split} seed {key[1]}: {hits}/{len(found.results)} ({said})", soft_wrap=True)
            if not found.complete:
                complete = False
                break
            known[key] = found.results
        results[variant.name].setdefault(seed, []).extend(known[key])
    results = {name: by_seed for name, by_seed in results.items() if by_seed}
    notes = {variant.name: variant.note for variant in variants}

    def figures(chosen: dict[str, dict[int, list[TaskResult]]]) -> list[Row]:
        full = chosen.get(FULL)
        return [
            row(name, found, full if name != FULL else None, note=notes[name], resamples=config.resamples)
            for name, found in chosen.items()
        ]

    rows, said_of = {}, {}
    for name in ("all", *splits) if len(splits) > 1 else splits:
        part = results if name == "all" else only(results, name)
        rows[name], said_of[name] = figures(part), gains(part, config.token_share, config.resamples)
    return Ablation(config, results, rows, said_of, complete)


def only(results: dict[str, dict[int, list[TaskResult]]], split: str) -> dict[str, dict[int, list[TaskResult]]]:
    """The results of one split."""
    return {
        name: {seed: [r for r in found if r.split == split] for seed, found in by_seed.items()}
        for name, by_seed in results.items()
    }


def evaluation(config: AblateConfig, variant: Variant, seed: int, split: str) -> EvalConfig:
    """The evaluation of one variant with one seed on one split."""
    shared = config.model_dump(include=set(EvalConfig.model_fields) - {"hybrid", "split", "seed", "suite"})
    return EvalConfig.model_validate(
        {**shared, "suite": config.suite, "hybrid": variant.hybrid, "seed": seed, "split": split}
    )


def store(done: Ablation) -> Path:
    """Write the report, the plot and the manifest; returns the folder."""
    from eval.ablate_report import plot
    from eval.manifest import seal
    from hybrid_agent.assemble.decoders import decoder_hash, parse_decoder
    from hybrid_agent.packs.store import pack_hash
    from hybrid_agent.runs.atomic import write_json
    from hybrid_agent.runs.layout import new_attempt

    config = done.config
    name = config.name or config.suite.name
    folder = new_attempt(Path(config.out), STAGE, name)
    write_json(folder / REPORT, done.as_json())
    plot(folder / PLOT, next(iter(done.rows.values())), f"{config.suite.name}: {config.decoder}")
    seal(
        folder,
        "eval.ablate",
        config,
        [REPORT, PLOT],
        parents={"model": decoder_hash(parse_decoder(config.decoder))},
        data_hash=pack_hash(config.suite.pack),
        metrics={"gains": done.as_json()["gains"]},
    )
    return folder


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/ablate.yaml: suite=os limit=20.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Compare the full hybrid with itself without each part, and with plain baselines."""
    config = load_config("ablate", overrides or [], AblateConfig)
    console = Console(stderr=as_json, highlight=False)
    done = ablate(config, console)
    from eval.ablate_report import show

    show(done, console)
    if done.complete:
        console.print(f"report: {store(done)}", soft_wrap=True)
    else:
        console.print("stopped; what is finished is kept, the same command goes on from there")
    if as_json:
        print(json.dumps(done.as_json()))
    if not done.complete:
        raise typer.Exit(STOPPED)


if __name__ == "__main__":
    program(command)
