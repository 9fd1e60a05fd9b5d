"""Workers as actors of a Ray cluster (extra [cluster]).

Ray only places and feeds them: retries, restarts and stragglers are those of `dispatch`, as with local workers.
"""

from __future__ import annotations

import os
import pickle
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.fanout.inside import THREADS, Inside, leave_interrupts_to_parent
from hybrid_agent.fanout.work import Event

OBJECT_STORE = 100 * 2**20  # bytes; items and results are small, what is large lies in files
PATIENCE_S = 10.0
STARTS = 3
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_worker_niceness": "0",  # as local workers; Ray's own default is 15
    "RAY_DASHBOARD_STARTUP_TIMEOUT_S": "600",  # a busy machine is no error
}
CARRIED = ("AGENT_", "HF_", "HYBRID_AGENT_", "TRANSFORMERS_")  # prefixes of variables that our code reads


class RayWorkers:
    """Implements `Workers`. A cluster that was started for this is ended with it; one that was there stays.

    Args:
        start: pickled `Start`.
        config: address, number and GPUs of the workers.
        items: how many there are to do.

    Attributes:
        count: how many workers to keep alive.

    Raises:
        InputError: Ray is not installed, no cluster answers, or no worker fits into it.
        InfraError: no cluster can be started here.
    """

    def __init__(self, start: bytes, config: FanoutConfig, items: int) -> None:
        ray = import_ray()
        self._ray, self._start, self._config = ray, start, config
        self._actors: dict[int, Any] = {}
        self._running: dict[Any, int] = {}  # what Ray promises: worker
        self._next = 0
        wanted = min(config.workers or items, items)
        self._mine = not ray.is_initialized()
        if self._mine:
            _connect(ray, config, wanted)
        try:
            self.count = min(config.workers or _cores(ray), items)
            self._make = ray.remote(num_cpus=1, num_gpus=config.gpus, max_restarts=0, max_task_retries=0)(_Actor)
            self._setting = _Setting.of_driver()
        except BaseException:
            self._end_cluster()
            raise

    def add(self) -> int:
        """Ask Ray for an actor; it is `ready` when it has found a place."""
        number, self._next = self._next, self._next + 1
        actor = self._make.remote(self._setting, self._start)
        self._actors[number] = actor
        self._running[actor.prepare.remote()] = number
        return number

    def give(self, worker: int, item: Any) -> None:
        """Send an item."""
        self._running[self._actors[worker].run.remote(pickle.dumps(item))] = worker

    def wait(self, seconds: float | None) -> list[Event]:
        """Replies and deaths."""
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [self._hear(promise) for promise in ready]

    def close(self) -> None:
        """Actors without work clean up after themselves; the others are ended at once."""
        busy = set(self._running.values())
        with suppress(self._ray.exceptions.RayError):
            leaving = [actor.close.remote() for number, actor in self._actors.items() if number not in busy]
            if leaving:
                self._ray.wait(leaving, num_returns=len(leaving), timeout=PATIENCE_S)
        for actor in self._actors.values():
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(actor)
        self._actors.clear()
        self._running.clear()
        self._end_cluster()

    def _hear(self, promise: Any) -> Event:
        number = self._running.pop(promise)
        try:
            kind, value = pickle.loads(self._ray.get(promise))
        except self._ray.exceptions.RayTaskError as error:
            return Event(number, "failed", error.cause)
        except self._ray.exceptions.RayError as error:
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(self._actors[number])  # it may be out of reach only
            del self._actors[number]
            return Event(number, "died", type(error).__name__)
        return Event(number, kind, value)

    def _end_cluster(self) -> None:
        if self._mine:
            self._ray.shutdown()


def _connect(ray: Any, config: FanoutConfig, wanted: int) -> None:
    if config.address is not None:
        try:
            _knock(config.address)
            ray.init(address=config.address, **QUIET)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(
                f"no Ray cluster answers: {str(error).splitlines()[0]}",
                where=f"fanout.address={config.address}",
                fix="start one (ray start --head), or fanout.address=null",
            ) from None
        return
    start_cluster(wanted if config.workers else len(os.sched_getaffinity(0)))


def _knock(address: str) -> None:
    """Ray itself tries for minutes.

    Raises:
        OSError: nobody listens there.
    """
    if address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE_S).close()


def _cores(ray: Any) -> int:
    found = int(ray.cluster_resources().get("CPU", 0))
    if found < 1:
        raise InputError("the Ray cluster has no cores", field="fanout.address", fix="add a node: ray start --address")
    return found


def import_ray() -> Any:
    """The module, told how we want it before it is loaded.

    Raises:
        InputError: Ray is not installed.
    """
    if find_spec("ray") is None:
        raise InputError("Ray is not installed", field="fanout", fix="pip install -e '.[cluster]', or fanout=local")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


def start_cluster(cores: int) -> None:
    """A cluster of this machine alone; it ends with this process, or with `ray.shutdown()`.

    Raises:
        InputError: Ray is not installed.
        InfraError: it does not start.
    """
    ray = import_ray()
    for attempt in range(1, STARTS + 1):
        try:
            ray.init(
                address="local", num_cpus=cores, include_dashboard=False, object_store_memory=OBJECT_STORE, **QUIET
            )
            return
        except Exception as error:  # on a busy machine Ray gives up after half a minute, with a bare `Exception`
            ray.shutdown()
            if attempt == STARTS:
                raise InfraError(f"Ray does not start here: {error}") from error


@dataclass(frozen=True)
class _Setting:
    """What a worker takes over from the driver: folder, import paths, environment."""

    folder: str
    paths: tuple[str, ...]
    variables: dict[str, str]

    @classmethod
    def of_driver(cls) -> _Setting:
        paths = tuple(str(Path(path).absolute()) for path in sys.path if not path.endswith(".zip"))
        return cls(str(Path.cwd()), paths, {k: v for k, v in os.environ.items() if k.startswith(CARRIED)})

    def apply(self) -> None:
        """In a worker, before anything else is imported.

        Raises:
            InputError: the driver's folder is not there.
        """
        os.environ.update({**self.variables, **dict.fromkeys(THREADS, "1")})
        sys.path.extend(path for path in self.paths if path not in sys.path)
        if not Path(self.folder).is_dir():
            raise InputError(
                "a node of the Ray cluster does not have this folder",
                where=self.folder,
                fix="keep the checkout and the runs on a file system that all nodes share",
            )
        os.chdir(self.folder)


class _Actor:
    """What Ray runs. Its calls run in the main thread, one after the other."""

    def __init__(self, setting: _Setting, start: bytes) -> None:
        leave_interrupts_to_parent()
        self._setting, self._inside = setting, Inside(start)

    def prepare(self) -> bytes:
        self._setting.apply()
        return self._inside.prepare()

    def run(self, item: bytes) -> bytes:
        return self._inside.run(item)

    def close(self) -> None:
        self._inside.close()
