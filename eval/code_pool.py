"""Rerank a pool of candidate solutions: python -m eval.code_pool pool=PATH execution=false --json"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hybrid_agent.cli.exits import program
from hybrid_agent.config.load import load_config
from hybrid_agent.config.pool import PoolConfig
from hybrid_agent.errors import InputError

HERE = Path(__file__).resolve().parents[1]
USUAL = HERE.parent / "shared" / "data" / "codegen_pool" / "dev.jsonl.gz"
MARK = "figures.json"


def evaluate(config: PoolConfig, console: Console) -> Path:
    """Read, run, fit, judge; write figures, report, fitted energy and manifest into a new attempt, which is returned.

    Raises:
        InputError: no pool is named, or it cannot be read.
        SandboxError: no jail can be built here.
    """
    from eval.manifest import seal
    from eval.pool_suite.judge import judge
    from eval.pool_suite.report import plot, write_page
    from eval.pool_suite.running import run_pool
    from hybrid_agent.runs.atomic import file_hash, write_json
    from hybrid_agent.runs.layout import new_attempt
    from hybrid_agent.scorer.pool.probes import make_probes
    from hybrid_agent.scorer.pool.records import read_pool
    from hybrid_agent.scorer.pool.view import make_view

    started = time.perf_counter()
    path = pool_file(config.pool)
    tasks = read_pool(path)[: config.limit]
    if len(tasks) < 2:
        raise InputError("one task cannot be divided into folds", where=str(path), fix="give at least two tasks")
    ran = run_pool(tasks, Path(config.cache), config.workers, console) if config.execution else None
    console.print(f"measuring and fitting: {len(tasks)} tasks, {sum(len(t.candidates) for t in tasks)} candidates")
    views = [make_view(t, ran[i], make_probes(t)) if ran else make_view(t) for i, t in enumerate(tasks)]
    judged = judge(tasks, views, config)
    attempt = new_attempt(Path(config.out), "eval", "pool")
    body = {"suite": "pool", "pool": str(path), **judged.figures, "seconds": time.perf_counter() - started}
    body["report"] = str(attempt / "report.html")
    write_json(attempt / MARK, body)
    write_json(attempt / "energy.json", judged.energy.as_json())
    plot(attempt / "figures.png", body)
    write_page(attempt / "report.html", body)
    seal(
        attempt,
        "eval.code_pool",
        config,
        [MARK, "energy.json", "figures.png", "report.html"],
        seed=config.seed,
        data_hash=file_hash(path),
        metrics=body,
        versions=["numpy", "scipy", "scikit-learn"],
    )
    return attempt


def pool_file(name: str | None) -> Path:
    """The file named, or the development pool if it lies beside the checkout.

    Raises:
        InputError: none is named and none is there.
    """
    if name is not None:
        return Path(name)
    if USUAL.is_file():
        return USUAL
    raise InputError("no pool is named", field="pool", fix="make eval SUITE=pool POOL=PATH, or pool=PATH")


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/pool.yaml: pool=PATH folds=5.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Rerank a pool of candidate solutions and say how often the first choice passes."""
    from eval.pool_suite.report import print_tables

    config = load_config("pool", overrides or [], PoolConfig)
    console = Console(stderr=as_json, highlight=False)
    attempt = evaluate(config, console)
    body = json.loads((attempt / MARK).read_text(encoding="utf-8"))
    print_tables(console, body)
    console.print(f"report: {body['report']}", soft_wrap=True)
    if as_json:
        print(json.dumps(body))


if __name__ == "__main__":
    program(command)
