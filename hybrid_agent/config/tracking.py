"""Schema of the group `tracking` (configs/tracking): who else is told what a run logs. Loads without wandb."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record

TrackerName = Literal["wandb", "tensorboard"]


class TrackingConfig(Record):
    """metrics.jsonl and tables/ are always written; `to` names who is told as well.

    `mode=online` is the only setting with which anything leaves this machine; `offline` runs of W&B lie in the run
    directory and are uploaded by `wandb sync`. `machine` also records the machine with W&B (its name, GPU and
    processor use). `samples` rows go into a table of samples. A tracker that does not end within `patience_s` seconds
    is left behind.
    """

    to: tuple[TrackerName, ...] = ()
    mode: Literal["offline", "online"] = "offline"
    project: str = Field(default="hybrid-agent", min_length=1, max_length=128, pattern=r"^[^/\\#?%:\s]+$")
    entity: str | None = Field(default=None, min_length=1)
    machine: bool = False
    samples: int = Field(default=20, ge=0, le=1000)
    patience_s: float = Field(default=60.0, gt=0, le=3600)
