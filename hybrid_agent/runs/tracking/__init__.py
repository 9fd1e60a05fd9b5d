"""Watching runs: metrics.jsonl and tables always, W&B or TensorBoard on top. The only place that imports wandb.

`with open_tracker(folder, ...) as tracker: tracker.log(step, {"loss": 0.3})`
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_agent.runs.atomic import write_json
from hybrid_agent.runs.tracking.backend import Backend, Cell, Warn
from hybrid_agent.runs.tracking.guard import Guarded
from hybrid_agent.runs.tracking.tracker import Mirror, Tracker

IDENTITY = "tracking.json"
NAMES = {"wandb": "W&B", "tensorboard": "TensorBoard"}


def open_tracker(
    folder: Path,
    *,
    stage: str,
    name: str,
    config: Mapping[str, Any],
    warn: Warn,
    to: Sequence[str] = (),
    mode: str = "offline",
    project: str = "hybrid-agent",
    entity: str | None = None,
    machine: bool = False,
    samples: int = 20,
    patience_s: float = 60.0,
) -> Tracker:
    """A tracker for the run in `folder`; see `hybrid_agent.config.tracking` for the settings.

    Never raises because of a backend, and waits for none.

    Args:
        name: as it is shown, e.g. `sft/tiny/001`.
        config: settings of the run, to be shown with it.
        warn: gets one line if a backend is out of order.
    """

    def wandb() -> Backend:
        from hybrid_agent.runs.tracking.wandb_run import WandbRun

        return WandbRun(
            folder,
            run_id=_identity(folder),
            stage=stage,
            name=name,
            config=config,
            project=project,
            entity=entity,
            online=mode == "online",
            machine=machine,
            wait_s=patience_s / 3,
            warn=warn,
        )

    def tensorboard() -> Backend:
        from hybrid_agent.runs.tracking.tensorboard import TensorBoard

        return TensorBoard(folder, config)

    makers: dict[str, Callable[[], Backend]] = {"wandb": wandb, "tensorboard": tensorboard}
    return Tracker(folder, [Guarded(NAMES[one], makers[one], warn, patience_s) for one in to], samples)


def _identity(folder: Path) -> str:
    """The run's id with W&B: made once, so that a resumed run goes on under it."""
    path = folder / IDENTITY
    if not path.is_file():
        write_json(path, {"id": secrets.token_hex(8)})
    return str(json.loads(path.read_text(encoding="utf-8"))["id"])


__all__ = ["IDENTITY", "Backend", "Cell", "Mirror", "Tracker", "Warn", "open_tracker"]
