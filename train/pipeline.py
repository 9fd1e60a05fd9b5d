"""Make the whole bundle: python -m train.pipeline profile=tiny [from=STAGE] [until=STAGE] [skip=[...]] [--dry-run]

Stages that are complete with the same settings and the same parents are not made again. A killed pipeline goes on with
the same command: each stage resumes by itself. Exit codes: 0 done, 1 a stage failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from hybrid_agent.config.load import load_config
from hybrid_agent.config.pipeline import PipelineConfig
from hybrid_agent.errors import InputError
from train.pipeline_steps import Steps

DRY = "--dry-run"
Doing = Literal["run", "complete", "given", "skipped"]


@dataclass(frozen=True)
class Planned:
    """What will happen with a step, and why."""

    name: str
    doing: Doing
    why: str = ""
    minutes: float = 0.0


class Failed(Exception):
    """A stage ended with an error; `code` is its exit code."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} failed")
        self.name, self.code = name, code


def plan(config: PipelineConfig) -> list[Planned]:
    """Every step in order.

    Raises:
        InputError: a step before `from`, or a skipped one, is needed and not there.
    """
    steps, names = Steps(config), list(config.steps)
    first = names.index(config.start) if config.start else 0
    last = names.index(config.until) if config.until else len(names) - 1
    found: dict[str, Planned] = {}
    for number, name in enumerate(names):
        found[name] = _planned(config, steps, name, found, before=number < first, after=number > last)
    for name, each in found.items():
        for need in steps.needs(name) if each.doing == "run" else ():
            if found[need].doing == "skipped" and steps.there(need) is None:
                made = steps.result(need)
                fix = f"leave it out of skip, skip {name} too, or begin with from={need}"
                raise InputError(f"{name} needs {need}, and there is no {made}", field=need, fix=fix)
    return list(found.values())


def _planned(
    config: PipelineConfig, steps: Steps, name: str, earlier: dict[str, Planned], *, before: bool, after: bool
) -> Planned:
    step = config.steps[name]
    if name in config.skip:
        return Planned(name, "skipped", "skip")
    if step.off or (name == "rl" and not config.rl):
        return Planned(name, "skipped", "off")
    if after:
        return Planned(name, "skipped", "after until")
    if before:
        path = steps.there(name)
        return Planned(name, "given", str(path)) if path else Planned(name, "skipped", "before from")
    if name in config.anew:
        return Planned(name, "run", "asked for anew", step.minutes)
    changed = [need for need in steps.needs(name) if earlier[need].doing == "run"]
    if changed:
        return Planned(name, "run", f"{', '.join(changed)} will be made", step.minutes)
    if step.module == "train.export":
        return Planned(name, "run", "", step.minutes)
    if any(earlier[need].doing == "skipped" and steps.there(need) is None for need in steps.needs(name)):
        return Planned(name, "run", "", step.minutes)  # refused by `plan`, with the name of what is missing
    path = steps.complete(name)
    if path is not None:
        return Planned(name, "complete", str(path))
    return Planned(name, "run", "not there" if steps.there(name) is None else "other settings or parents", step.minutes)


def run(config: PipelineConfig, console: Console, command: str) -> None:
    """Make what is missing, then the bundle.

    Raises:
        InputError: see `plan`.
        Failed: a stage ended with an error.
    """
    planned = plan(config)
    show(planned, console)
    steps = Steps(config)
    used = {each.name for each in planned if each.doing != "skipped"}
    for each in planned:
        if each.doing == "run":
            start = time.monotonic()
            console.rule(each.name, align="left")
            for need in steps.needs(each.name):
                console.print(f"inherits {_told(steps, need)}", soft_wrap=True)
            if config.steps[each.name].module == "train.export":
                bundle(config, steps, used, command)
            else:
                _run(config, steps, each.name)
            console.print(f"{each.name}: {(time.monotonic() - start) / 60:.1f} minutes")


def bundle(config: PipelineConfig, steps: Steps, used: set[str], command: str) -> None:
    """Export the decoder with every part that was made or given."""
    from train.export import BUNDLE, export, report

    decoder = "rl" if "rl" in used else "sft"
    parts = {
        str(step.part): str(steps.there(name))
        for name, step in config.steps.items()
        if step.part and name in used and steps.there(name) is not None
    }
    dest = Path(config.dest) if config.dest else BUNDLE.parent / config.name
    home = steps.there(decoder)
    if home is None:
        raise InputError(f"there is no {steps.result(decoder)}", field=decoder, fix=f"begin with from={decoder}")
    report(dest, export(str(home), parts, runs=steps.runs, dest=dest, command=command))


def show(planned: Sequence[Planned], console: Console) -> None:
    """The plan, with minutes on two cores."""
    table = Table("stage", "", "minutes", "", box=None, pad_edge=False)
    for each in planned:
        minutes = f"{each.minutes:.0f}" if each.doing == "run" else ""
        table.add_row(each.name, each.doing, minutes, each.why)
    console.print(table)
    total = sum(each.minutes for each in planned if each.doing == "run")
    console.print(f"about {total:.0f} minutes on two free cores")


def _run(config: PipelineConfig, steps: Steps, name: str) -> None:
    arguments = steps.arguments(name)
    module = config.steps[name].module
    if name in config.anew and module == "train.run":
        arguments.append("fresh=true")
    command = [sys.executable, "-m", module, *arguments]
    print(shlex.join(["python", *command[1:]]), file=sys.stderr, flush=True)
    code = subprocess.run(command, check=False, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}).returncode
    if code != 0:
        raise Failed(name, code)
    if steps.there(name) is None:
        raise InputError(f"{name} ended without leaving {steps.result(name)}", field=f"steps.{name}.made")


def _told(steps: Steps, name: str) -> str:
    """A parent and its first figures."""
    from hybrid_agent.runs.manifest import MANIFEST, read_manifest

    path = steps.there(name)
    if path is None or not (path / MANIFEST).is_file():
        return f"{name}: {path or steps.result(name)}"
    figures = read_manifest(path, verify=False).metrics
    plain = [f"{key} {value:.4g}" for key, value in figures.items() if isinstance(value, int | float)][:3]
    return f"{name}: {path}" + (f" ({', '.join(plain)})" if plain else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(stderr=True, highlight=False)
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    dry = DRY in arguments
    given = [f"start={a.removeprefix('from=')}" if a.startswith("from=") else a for a in arguments if a != DRY]
    command = shlex.join(["python", "-m", "train.pipeline", *(a for a in arguments if a != DRY)])
    try:
        config = load_config("pipeline", given, PipelineConfig)
        if dry:
            show(plan(config), console)
            return 0
        run(config, console, command)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Failed as failed:
        if failed.code != 130:
            print(f"error: {failed} (exit code {failed.code})", file=sys.stderr)
        print(f"go on with:\n  {command}", file=sys.stderr)
        return failed.code if failed.code in (2, 130) else 1
    except KeyboardInterrupt:
        print(f"stopped; go on with:\n  {command}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
