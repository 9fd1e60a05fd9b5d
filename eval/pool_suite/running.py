"""Run every task of a pool in sandboxes, several at a time, with a progress bar; what is done is kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hybrid_agent.scorer.pool.execute import Ran, run_task
from hybrid_agent.scorer.pool.records import PoolTask
from hybrid_agent.tools.sandbox import Limits, make_sandbox

LIMITS = Limits(output_kb=16 << 10, flood_mb=64)


def run_pool(tasks: Sequence[PoolTask], cache: Path, workers: int, console: Console) -> list[list[Ran]]:
    """How the candidates of each task ran, in order. Each task gets a sandbox of its own.

    Raises:
        SandboxError: no jail could be built.
    """
    cache.mkdir(parents=True, exist_ok=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar, ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as threads:
        shown = bar.add_task("running candidates in the sandbox", total=len(tasks))

        def one(task: PoolTask) -> list[Ran]:
            with tempfile.TemporaryDirectory(prefix="hybrid-agent-pool-") as folder:
                box = make_sandbox("bubblewrap", Path(folder), LIMITS)
                try:
                    return run_task(task, box, cache)
                finally:
                    box.close()
                    bar.update(shown, advance=1)

        futures = [threads.submit(one, task) for task in tasks]
        try:
            return [future.result() for future in futures]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
