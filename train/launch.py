"""Starting the ranks of a run: as children of this process, or through torchrun or DeepSpeed's launcher.

A rank that dies takes the others with it, within seconds: what is lost is the work since the last complete checkpoint,
and the same command goes on from there.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hybrid_agent.config.deepspeed import LaunchConfig
from hybrid_agent.errors import HybridAgentError, InputError
from hybrid_agent.fanout.parent import end_with_parent

MODULE = "train.run"
PARENT = "HYBRID_AGENT_PARENT"
GRACE = 10.0  # seconds for the others to end by themselves, with their own words
SAVING = 600  # seconds for a checkpoint after Ctrl-C, under launchers that kill


class RankDied(HybridAgentError):
    """Another rank of this run is gone."""


def launcher(launch: LaunchConfig, ranks: int, arguments: Sequence[str]) -> list[str] | None:
    """The command that starts the ranks, `ranks` on each node; None if this process does it itself, or somebody has.

    Raises:
        InputError: several nodes, and no place to meet.
    """
    if launch.kind == "local" or "WORLD_SIZE" in os.environ:
        return None
    if launch.kind == "deepspeed":
        return _deepspeed(launch, ranks, arguments)
    if launch.rendezvous is None:
        if launch.nodes > 1:
            fix = "give HOST:PORT of the first node, the same on each of them"
            raise InputError("several nodes have to meet somewhere", field="profile.launch.rendezvous", fix=fix)
        meet = ["--standalone"]
    else:
        meet = ["--nnodes", str(launch.nodes), "--rdzv-backend", "c10d", "--rdzv-endpoint", launch.rendezvous]
    command = [sys.executable, "-m", "torch.distributed.run", *meet, "--nproc-per-node", str(ranks)]
    return [*command, "--shutdown-timeout", str(SAVING), "-m", MODULE, *arguments]


def _deepspeed(launch: LaunchConfig, ranks: int, arguments: Sequence[str]) -> list[str]:
    hosts = ["--num_gpus", str(ranks)]
    if launch.hostfile is not None:
        hosts += ["--hostfile", launch.hostfile, "--num_nodes", str(launch.nodes)]
    if launch.nodes > 1:
        # A shell on each node reads them; DeepSpeed quotes for it only those with a blank.
        arguments = [word if " " in word else shlex.quote(word) for word in arguments]
    command = [sys.executable, "-m", "deepspeed.launcher.runner", "--quiet", *hosts]
    # Else every rank gets --local_rank=N, which is no setting of ours.
    return [*command, "--no_local_rank", "--module", MODULE, *arguments]


@contextmanager
def local_ranks(world: int, arguments: Sequence[str], module: str = MODULE) -> Iterator[None]:
    """Become rank 0 of `world` and start the others, as `python -m module arguments`; they end with us.

    Does nothing for a world of 1, or when somebody else (torchrun, or we as their parent) has made the ranks already.

    Raises:
        RankDied: another rank died. If this process is stuck waiting for it, it ends with exit code 1 instead.
    """
    if "WORLD_SIZE" in os.environ:
        _end_with_parent()
        yield
        return
    if world == 1:
        yield
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": "0",
        "LOCAL_RANK": "0",
    }
    os.environ.update(own)
    command = [sys.executable, "-m", module, *arguments]
    others = [
        subprocess.Popen(command, env={**os.environ, "RANK": f"{n}", "LOCAL_RANK": f"{n}", PARENT: f"{os.getpid()}"})
        for n in range(1, world)
    ]
    over = threading.Event()
    threading.Thread(target=_watch, args=(others, over), daemon=True).start()
    failed = True
    try:
        yield
        failed = False
    except RuntimeError as error:  # of a collective whose other end is gone
        if isinstance(error, HybridAgentError) or (said := _wait_for_death(others)) is None:
            raise
        raise RankDied(said) from error
    finally:
        over.set()
        _end(others, failed)
        for key in own:
            os.environ.pop(key, None)


def _watch(others: Sequence[subprocess.Popen[bytes]], over: threading.Event) -> None:
    """End this process when another rank has died and it is still there a while later: it waits for nothing."""
    while not over.wait(1.0):
        said = _death(others)
        if said is not None and not over.wait(GRACE):
            print(f"error: {said}", file=sys.stderr, flush=True)
            _end(others, True)
            os._exit(1)


def _death(others: Sequence[subprocess.Popen[bytes]]) -> str | None:
    for rank, other in enumerate(others, 1):
        code = other.poll()
        if code:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            return f"rank {rank} {how}; the same command goes on from the last complete checkpoint"
    return None


def _wait_for_death(others: Sequence[subprocess.Popen[bytes]]) -> str | None:
    """What happened to another rank, which may take a moment to be seen."""
    for _ in range(20):
        if (said := _death(others)) is not None:
            return said
        time.sleep(0.1)
    return None


def _end(others: Sequence[subprocess.Popen[bytes]], failed: bool) -> None:
    for other in others:
        if failed:
            other.terminate()
    for other in others:
        try:
            other.wait(timeout=60)
        except subprocess.TimeoutExpired:
            other.kill()
            other.wait()


def _end_with_parent() -> None:
    """Die with the process that started this rank, if it was one of ours."""
    parent = os.environ.get(PARENT)
    if parent is not None:
        end_with_parent(int(parent))
