"""Which parts are worth being in force? python -m eval.worth experts=aoe/tiny shaping=shaping/tiny

A part that costs time or changes what is written must earn it: each try is run on validation tasks beside the agent
without it, and stays in force only if it solves more tasks than it loses. Every evaluation is kept; a stopped run goes
on where it stopped. Exit codes: 0 done, 2 bad input, 130 stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.config.hybrid import EVERYTHING, TUNED, HybridConfig, Overrides
from hybrid_agent.config.load import load_config
from hybrid_agent.config.worth import WorthConfig
from hybrid_agent.errors import InputError

if TYPE_CHECKING:
    from hybrid_agent.assemble.parts import HybridSpec

STAGE, REPORT = "worth", "report.json"
Solved = dict[tuple[str, int], bool]  # (task, seed) -> success


@dataclass(frozen=True)
class Try:
    """One part against the agent without it: `won` and `lost` are runs that only the one, only the other solved.

    `interval` is that of the difference of the shares.
    """

    name: str
    runs: int
    without: int
    solved: int
    won: int
    lost: int
    interval: tuple[float, float]

    @property
    def kept(self) -> bool:
        """It solves more than it loses."""
        return self.won > self.lost


def judge(config: WorthConfig, console: Console) -> tuple[Overrides, list[Try]]:
    """Try every part; returns the settings that stay in force, and what came of each try.

    Raises:
        InputError: a part does not exist, or a try changes nothing that the agent does.
        Interrupted: an evaluation was stopped.
    """
    from eval.paired import score_interval
    from eval.stored import same_agent

    kept, tries = config.without, list[Try]()
    before = _solved(config, kept, console)
    for name, change in config.tries.items():
        chosen = _over(kept, change)
        if same_agent(_spec(config, chosen)) == same_agent(_spec(config, kept)):
            fix = f"name the part that it is about, for example {name}=RUN, or leave it out of tries"
            raise InputError("this changes nothing that the agent does", field=f"tries.{name}", fix=fix)
        after = _solved(config, chosen, console)
        both = [(before[key], after[key]) for key in before if key in after]
        won, lost = sum(new > old for old, new in both), sum(new < old for old, new in both)
        interval = score_interval(won, lost, len(both))
        done = Try(name, len(both), sum(old for old, _ in both), sum(new for _, new in both), won, lost, interval)
        tries.append(done)
        if done.kept:
            kept, before = chosen, after
    return kept, tries


def run(config: WorthConfig, console: Console) -> Path:
    """Judge and store; returns the folder with hybrid.json.

    Raises:
        InputError, Interrupted: see `judge`.
    """
    from eval.manifest import seal
    from hybrid_agent.assemble.decoders import decoder_hash
    from hybrid_agent.assemble.parts import part_hash
    from hybrid_agent.runs.atomic import write_json
    from hybrid_agent.runs.layout import new_attempt

    kept, tries = judge(config, console)
    show(tries, console)
    folder = new_attempt(Path(config.out), STAGE, config.name)
    write_json(folder / TUNED, _spec(config, kept).rules.model_dump(mode="json"))
    figures = [{**asdict(each), "kept": each.kept} for each in tries]
    write_json(folder / REPORT, {"tries": figures})
    everything = _spec(config, EVERYTHING)
    seal(
        folder,
        "eval.worth",
        config,
        [TUNED, REPORT],
        parents={"decoder": decoder_hash(everything.decoder)}
        | {name: part_hash(path) for name, path in everything.parts.items()},
        metrics={str(each["name"]): each for each in figures},
    )
    return folder


def show(tries: list[Try], console: Console) -> None:
    """A table for people."""
    table = Table("part", "runs", "solved without", "with", "won", "lost", "difference [95 %]", "", box=None)
    for each in tries:
        low, high = (100 * edge for edge in each.interval)
        gain = f"{100 * (each.won - each.lost) / max(1, each.runs):+.1f} [{low:+.1f}, {high:+.1f}]"
        numbers = (each.runs, each.without, each.solved, each.won, each.lost)
        table.add_row(each.name, *map(str, numbers), gain, "in force" if each.kept else "left out")
    console.print(table)


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/worth.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Decide on validation tasks which parts are in force, and write hybrid.json."""
    from eval.stored import Interrupted

    console = Console(stderr=as_json, highlight=False)
    try:
        folder = run(load_config("worth", overrides or [], WorthConfig), console)
    except Interrupted:
        console.print("stopped; what is finished is kept, the same command goes on from there")
        raise typer.Exit(STOPPED) from None
    console.print(f"use it: tuned={folder}, or copy {folder}/hybrid.json beside the decoder", soft_wrap=True)
    if as_json:
        print(json.dumps({"folder": str(folder), **json.loads((folder / REPORT).read_text())}))


def _solved(config: WorthConfig, settings: Overrides, console: Console) -> Solved:
    """Success on every validation task with every seed (masked ones left out)."""
    from eval.stored import all_of
    from hybrid_agent.config.eval import EvalConfig

    found: Solved = {}
    shared = config.model_dump(include=set(EvalConfig.model_fields))
    for pack, limit in config.tasks.items():
        for seed in range(config.seeds):
            body = {**shared, "suite": {"name": pack, "pack": pack}, "hybrid": HybridConfig(set=settings)}
            asked = EvalConfig.model_validate({**body, "split": "val", "limit": limit, "seed": seed})
            results = all_of(asked, console).results
            found |= {(result.task_id, seed): result.success for result in results if not result.infra}
    return found


def _spec(config: WorthConfig, settings: Overrides) -> HybridSpec:
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.parts import find_parts

    switches = HybridConfig(set=settings)
    return find_parts(parse_decoder(config.decoder), switches, config.overrides(), Path(config.runs))


def _over(settings: Overrides, change: Overrides) -> Overrides:
    return settings.model_copy(update=change.model_dump(exclude_none=True))


if __name__ == "__main__":
    program(command)
