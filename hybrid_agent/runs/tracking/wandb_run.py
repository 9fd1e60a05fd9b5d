"""Weights & Biases. Offline, nothing leaves the machine; online, what fails falls back to offline."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_agent.runs.tracking.backend import Cell, Warn, plain

KEYS = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")
STEP = "step"


class WandbRun:
    """Implements `Backend`.

    Args:
        folder: gets wandb/offline-run-*; `wandb sync` uploads that.
        run_id: the same for all parts of a resumed run.
        config: settings of the run.
        machine: record the machine, too.
        wait_s: longest wait for the server at the beginning.
    """

    def __init__(
        self,
        folder: Path,
        *,
        run_id: str,
        stage: str,
        name: str,
        config: Mapping[str, Any],
        project: str,
        entity: str | None,
        online: bool,
        machine: bool,
        wait_s: float,
        warn: Warn,
    ) -> None:
        if not online:
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # else it is sent over the network
        import wandb

        if not os.access(folder, os.W_OK):  # it would take a folder elsewhere
            raise PermissionError(f"cannot write to {folder}")
        common: dict[str, Any] = {
            "root_dir": str(folder),
            "silent": True,
            "console": "off",
            "disable_git": True,
            "disable_code": True,
            "save_code": False,
            "x_disable_stats": not machine,
            "x_disable_meta": not machine,
            "init_timeout": wait_s,
            "finish_timeout": wait_s,
        }
        how: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "dir": str(folder),
            "id": run_id,
            "name": name,
            "job_type": stage,
            "config": dict(config),
            "reinit": "create_new",
        }
        self._wandb: Any = wandb
        self._run: Any = None
        if online:
            try:
                if not has_key(wandb):
                    raise LookupError("there is no key: set WANDB_API_KEY or run `wandb login`")
                online_how = wandb.Settings(mode="online", **common)
                self._run = wandb.init(**how, resume="allow", settings=online_how)
            except Exception as error:
                why = (str(error).strip() or type(error).__name__).splitlines()[0]
                where = folder / "wandb" / "offline-run-*"
                warn(f"W&B cannot be reached ({why}): kept offline; upload later with wandb sync {where}")
                how["id"] = f"{run_id}-offline"  # the id of a run that failed to begin stays taken in this process
        if self._run is None:
            self._run = wandb.init(**how, settings=wandb.Settings(mode="offline", **common))
        self._run.define_metric("*", step_metric=STEP)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Under our own step: W&B's only grows, and a resumed run repeats some."""
        self._run.log({**values, STEP: step})

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """A W&B table; all cells of a column are of one type there, so mixed ones become text."""
        data = [list(row) for row in rows]
        for place in range(len(columns)):
            if len({type(row[place]) for row in data if row[place] is not None}) > 1:
                for row in data:
                    row[place] = None if row[place] is None else str(row[place])
        self._run.log({f"tables/{name}": self._wandb.Table(columns=list(columns), data=data)})

    def image(self, name: str, path: Path) -> None:
        """A W&B image."""
        self._run.log({f"plots/{name}": self._wandb.Image(str(path))})

    def summary(self, values: Mapping[str, object]) -> None:
        """The run's summary."""
        self._run.summary.update(plain(values))

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def has_key(wandb: Any) -> bool:
    """Whether there are credentials, so that nobody is asked."""
    from wandb.sdk.lib import wbauth

    if any(os.environ.get(key) for key in KEYS):
        return True
    return wbauth.read_netrc_auth(host=wandb.setup().settings.base_url) is not None
