"""Train one stage: `python -m train.run stage=sft [key=value ...]`.

Exit codes: 0 trained, 1 a failure (another rank died, say), 2 bad input, 130 interrupted (and saved).
"""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from collections.abc import Sequence

from rich.console import Console

from hybrid_agent.config.load import load_config
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import HybridAgentError, InputError
from train.launch import launcher, local_ranks
from train.plan import check


def main(overrides: Sequence[str] | None = None) -> int:
    """Load the config, then torch, then train."""
    overrides = list(sys.argv[1:] if overrides is None else overrides)
    console = Console(stderr=True, quiet=os.environ.get("RANK", "0") != "0")
    if "--help" in overrides or "-h" in overrides:
        console.print(__doc__)
        return 0
    command = shlex.join(["python", "-m", "train.run", *overrides])
    try:
        config = load_config("train", overrides, TrainConfig)
        # Spinning threads starve each other on a shared machine (measured: 7 times slower).
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        if os.environ.get("RANK", "0") == "0":
            check(config)
        if config.profile.device == "cuda" and "WORLD_SIZE" not in os.environ:
            from train.machine import need_devices

            need_devices(config.profile)
        os.environ.setdefault("DS_ACCELERATOR", config.profile.device)  # else it says aloud what it guesses
        world = config.profile.ranks or len(os.sched_getaffinity(0))
        if starter := launcher(config.profile.launch, world, overrides):
            os.execv(starter[0], starter)
        # Only now: a typo is reported without waiting for torch.
        from train.engine import Stopped
        from train.ranks import Ranks

        try:
            with local_ranks(world, overrides):
                Ranks.from_environment(config.profile.device)
                stage = importlib.import_module(f"train.stages.{config.stage.name}")
                folder = stage.run(config, command, console)
                Ranks.leave()
        except Stopped as stop:
            console.print(f"{stop}; it is saved. Go on with:\n  {command}", highlight=False)
            return 130
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except HybridAgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    console.print(f"trained: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
