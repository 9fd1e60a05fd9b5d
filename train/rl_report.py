"""What training gained: `python -m train.rl_report before=sft/tiny after=rl/tiny [suites=os,code] [key=value ...]`.

Both are evaluated on every split of the suites (done tasks are taken over), and their success is compared task by
task. `before` and `after` are runs, folders, `bundle`, or folders of finished evaluations (then one for each suite,
separated by commas). `suites=`, `splits=`, `seeds=`, `runs=` and `out=FOLDER` (rl_report.json) are read here, all else
is passed on to eval.run, for example `hybrid=greedy limit=40`.

Exit codes: 0 at least one split improves and none is worse beyond its 95 % interval; 1 otherwise; 2 bad input.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from eval.intervals import Estimate, difference, mean
from eval.result import TaskResult, read_results
from hybrid_agent.errors import InputError

RESULTS = "results.jsonl"
Key = tuple[str, int]  # (task, seed)


@dataclass
class Options:
    """See the module's text."""

    before: str = ""
    after: str = ""
    suites: tuple[str, ...] = ("os", "code")
    splits: tuple[str, ...] = ("test",)
    seeds: tuple[int, ...] = (0,)
    runs: str = "runs"
    out: str = ""
    rest: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """One split of one suite: success before and after, and the paired difference."""

    suite: str
    split: str
    before: Estimate
    after: Estimate
    gain: Estimate

    @property
    def better(self) -> bool:
        """The interval of the difference lies above zero."""
        return self.gain.low > 0

    @property
    def worse(self) -> bool:
        """The interval of the difference lies below zero."""
        return self.gain.high < 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    console = Console(highlight=False)
    try:
        options = parse(arguments)
        lines = compare(_all_results(options.before, options, console), _all_results(options.after, options, console))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show(lines, console)
    if options.out:
        from hybrid_agent.runs.atomic import write_json

        write_json(Path(options.out) / "rl_report.json", as_json(lines))
    return 0 if any(line.better for line in lines) and not any(line.worse for line in lines) else 1


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line.

    Raises:
        InputError: an argument is not key=value, or before or after is missing.
    """
    options = Options()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise InputError(f"unknown argument {argument!r}", fix="give key=value")
        if name in ("suites", "splits"):
            setattr(options, name, tuple(value.split(",")))
        elif name == "seeds":
            if not all(part.isdigit() for part in value.split(",")):
                raise InputError(f"{value!r} is no list of numbers", field="seeds", fix="seeds=0,1,2")
            options.seeds = tuple(int(part) for part in value.split(","))
        elif name in ("before", "after", "runs", "out"):
            setattr(options, name, value)
        else:
            options.rest.append(argument)
    for name in ("before", "after"):
        if not getattr(options, name):
            raise InputError("nothing to compare", field=name, fix=f"{name}=sft/tiny")
    return options


def compare(before: Mapping[Key, TaskResult], after: Mapping[Key, TaskResult]) -> list[Line]:
    """One line a suite and split, over the tasks (and seeds) that both have; masked results count for neither.

    Raises:
        InputError: they have no task in common.
    """
    pairs = {k: (old, after[k]) for k, old in before.items() if k in after and not old.infra and not after[k].infra}
    if not pairs:
        raise InputError("the two evaluations have no task in common", fix="evaluate the same suites and splits")
    lines = []
    for suite, split in sorted({(old.pack, old.split) for old, _ in pairs.values()}):
        chosen = {k: pair for k, pair in pairs.items() if (pair[0].pack, pair[0].split) == (suite, split)}
        old = {k: float(pair[0].success) for k, pair in chosen.items()}
        new = {k: float(pair[1].success) for k, pair in chosen.items()}
        lines.append(Line(suite, split, mean(old, share=True), mean(new, share=True), difference(new, old)))
    return lines


def show(lines: Sequence[Line], console: Console) -> None:
    """A table for people."""
    table = Table("suite", "split", "tasks", "before", "after", "difference [95 %]", "", box=None, pad_edge=False)
    for line in lines:
        gain = f"{100 * line.gain.value:+.1f} [{100 * line.gain.low:+.1f}, {100 * line.gain.high:+.1f}]"
        said = "better" if line.better else "worse" if line.worse else "not told apart"
        table.add_row(
            line.suite, line.split, str(line.gain.n), f"{line.before.value:.1%}", f"{line.after.value:.1%}", gain, said
        )
    console.print(table)


def as_json(lines: Sequence[Line]) -> dict[str, Any]:
    """For machines."""
    return {
        "lines": [
            {
                "suite": line.suite,
                "split": line.split,
                "before": line.before.as_json(),
                "after": line.after.as_json(),
                "difference": line.gain.as_json(),
            }
            for line in lines
        ],
        "better": [f"{line.suite}/{line.split}" for line in lines if line.better],
        "worse": [f"{line.suite}/{line.split}" for line in lines if line.worse],
    }


def _all_results(reference: str, options: Options, console: Console) -> dict[Key, TaskResult]:
    """Results of a model, from stored evaluations or by evaluating it now."""
    folders = [Path(part) for part in reference.split(",")]
    if all((folder / RESULTS).is_file() for folder in folders):
        return {(name, 0): result for folder in folders for name, result in read_results(folder / RESULTS).items()}
    from eval.run import evaluate
    from hybrid_agent.config.eval import EvalConfig
    from hybrid_agent.config.load import load_config
    from hybrid_agent.runs.layout import find_run

    decoder = "tiny" if reference == "bundle" else f"hf:{find_run(Path(options.runs), reference)}"
    found: dict[Key, TaskResult] = {}
    for suite in options.suites:
        for split in options.splits:
            for seed in options.seeds:
                given = [f"suite={suite}", f"split={split}", f"seed={seed}", f"decoder={decoder}"]
                config = load_config("eval", [*given, f"runs={options.runs}", *options.rest], EvalConfig)
                outcome = evaluate(config, console)
                if not outcome.complete:
                    raise InputError("the evaluation was stopped", fix="run the same command again, it goes on")
                found |= {(result.task_id, seed): result for result in outcome.results}
    return found


if __name__ == "__main__":
    sys.exit(main())
