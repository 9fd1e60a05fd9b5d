"""TensorBoard event files in the run's directory: `tensorboard --logdir runs`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_agent.runs.tracking.backend import Cell, plain
from hybrid_agent.runs.tracking.panels import tensorboard_layout

FOLDER = "tensorboard"


class TensorBoard:
    """Implements `Backend`. The panels of the dashboard are its custom scalars."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / FOLDER), flush_secs=10)
        self._writer.add_custom_scalars(tensorboard_layout())
        self._writer.add_text("config", f"```\n{json.dumps(config, indent=1, default=str)}\n```")
        self._last = 0

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Scalars."""
        self._last = step
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """A Markdown table."""
        lines = [_line(columns), _line(["---"] * len(columns)), *(_line(row) for row in rows)]
        self._writer.add_text(f"tables/{name}", "\n".join(lines), self._last)

    def image(self, name: str, path: Path) -> None:
        """A picture, (height, width, channels) in [0, 1]."""
        from matplotlib import image

        self._writer.add_image(f"plots/{name}", image.imread(path), self._last, dataformats="HWC")

    def summary(self, values: Mapping[str, object]) -> None:
        """Numbers as scalars of the last step."""
        for name, value in plain(values).items():
            if isinstance(value, int | float):
                self._writer.add_scalar(f"summary/{name}", value, self._last)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _line(cells: Sequence[Cell]) -> str:
    shown = ["" if cell is None else str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells]
    return f"| {' | '.join(shown)} |"
