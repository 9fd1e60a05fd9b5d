"""Drives the official harness (swebench 5) in a process of its own, in a folder named after what it evaluates.

The harness answers a run id that it knows with the stored result, whatever the patch is now. The id here therefore
holds a hash of every patch and of everything in the rows that decides a grade.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.swe_grading import INSTANCE_LOG, REPORT, check_version
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.swe.bench.dataset import Row, grading_hash, write_rows
from hybrid_agent.swe.bench.predictions import Prediction, predictions_hash, write_predictions

LOGS = Path("logs/run_evaluation")
MODULE = "swebench.harness.run_evaluation"
POLL_S, PATIENCE_S = 1.0, 10.0
_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*$")


def run_id_of(name: str, rows: Sequence[Row], predictions: Sequence[Prediction]) -> str:
    """`name-` and 12 digits of a hash over patches, models, rows and the version of the harness.

    Raises:
        InputError: the name cannot be part of a container's name.
    """
    if not _NAME.match(name):
        raise InputError(f"{name!r} cannot name a container", where="--run_id", fix="use letters, digits, - _ .")
    body = "\n".join([predictions_hash(predictions), grading_hash(rows), check_version()])
    return f"{name}-{hashlib.sha256(body.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class HarnessRun:
    """One run of the harness: its folder holds the inputs, `harness.log` and the official logs."""

    folder: Path
    run_id: str
    max_workers: int
    timeout_s: int

    @property
    def logs(self) -> Path:
        """The official logs of this run."""
        return self.folder / LOGS / self.run_id

    def prepare(self, rows: Sequence[Row], predictions: Sequence[Prediction]) -> None:
        """Write the inputs as the harness reads them."""
        write_rows(self.folder / "dataset.jsonl", rows)
        write_predictions(self.folder / "predictions.jsonl", predictions)

    def command(self) -> list[str]:
        """The official command line."""
        options = {
            "--dataset_name": "dataset.jsonl",
            "--predictions_path": "predictions.jsonl",
            "--max_workers": str(self.max_workers),
            "--timeout": str(self.timeout_s),
            "--run_id": self.run_id,
            "--report_dir": ".",
        }
        return [sys.executable, "-m", MODULE, *(word for option in options.items() for word in option)]

    def finished(self) -> int:
        """Instances with a report, or whose log says that they have been given up."""
        count = 0
        for folder in self.logs.glob("*/*"):
            if (folder / REPORT).is_file():
                count += 1
            elif (folder / INSTANCE_LOG).is_file():
                count += "EvaluationError" in (folder / INSTANCE_LOG).read_text(errors="replace")
        return count

    def run(self, progress: Callable[[int], None]) -> None:
        """Run the harness to its end; Ctrl-C ends it and removes its containers.

        Args:
            progress: told the number of finished instances now and then.

        Raises:
            InfraError: it ended with an error; the message holds its last words.
        """
        said = self.folder / "harness.log"
        with said.open("wb") as log:
            process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                while process.poll() is None:
                    progress(self.finished())
                    time.sleep(POLL_S)
            finally:
                if process.poll() is None:
                    self._end(process)
        progress(self.finished())
        if process.returncode:
            lines = said.read_text(errors="replace").strip().splitlines()
            last = lines[-1] if lines else f"exit code {process.returncode}"
            raise InfraError(f"the harness ended with an error: {last[:300]} (see {said})")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for number, patience in ((signal.SIGINT, PATIENCE_S), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=patience)
                break
        self.remove_containers()

    def remove_containers(self) -> int:
        """Remove containers of this run that are left; how many there were."""
        import docker

        removed = 0
        with contextlib.suppress(docker.errors.DockerException):
            client = docker.from_env()
            for container in client.containers.list(all=True, filters={"name": self.run_id}):
                container.remove(force=True)
                removed += 1
            client.close()
        return removed
