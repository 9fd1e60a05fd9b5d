"""Opening a memory with the scanner that everything passes before it is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hybrid_agent.config.memory import MemoryConfig
from hybrid_agent.errors import InputError
from hybrid_agent.tools import registry
from hybrid_agent.tools.redact import redact
from hybrid_agent.tools.rules import judge, judge_shell
from hybrid_agent.types import ToolCall, Verdict

if TYPE_CHECKING:
    from hybrid_agent.assemble.recall import Recall
    from hybrid_agent.memory.scan import Scanner
    from hybrid_agent.memory.store import ColdMemory

MEMORY_VARIABLE = "HYBRID_AGENT_MEMORY"
FOLDER = "memory"


def memory_folder(runs: Path, option: Path | None = None) -> Path:
    """Where the memory lies: the option, $HYBRID_AGENT_MEMORY, or the folder `memory` among the runs."""
    if option is not None:
        return option.absolute()
    named = os.environ.get(MEMORY_VARIABLE)
    return Path(named).absolute() if named else runs / FOLDER


def memory_config() -> MemoryConfig:
    """configs/memory.yaml; the same defaults where an installed package has no configs beside it.

    Raises:
        InputError: the file is wrong.
    """
    from hybrid_agent.config.load import config_root, load_config

    try:
        config_root()
    except InputError:
        return MemoryConfig()
    return load_config("memory", [], MemoryConfig)


def open_memory(
    folder: Path,
    config: MemoryConfig | None = None,
    *,
    mode: Literal["write", "read"] = "write",
    reembed: bool = False,
) -> ColdMemory:
    """The memory of a folder, with secrets cut out and the gate's rules looking at what is to be kept.

    Args:
        folder: see `memory_folder`.
        config: see there; None: the defaults.
        mode: "read" never writes (evaluation).
        reembed: after a change of embedder, embed everything again.

    Raises:
        InputError: see `ColdMemory.open`.
    """
    from hybrid_agent.memory.store import ColdMemory

    return ColdMemory.open(folder, config, mode=mode, scan=make_scanner(), reembed=reembed)


def remembering(memory: ColdMemory | None, goal: str) -> Recall | None:
    """What a memory has for a goal; None without a memory."""
    if memory is None:
        return None
    from hybrid_agent.assemble.recall import Recall

    return Recall(memory, goal)


def make_scanner() -> Scanner:
    """The scanner with this project's redaction and rules."""
    from hybrid_agent.memory.scan import Scanner

    return Scanner(redact, _judge, judge_shell)


def _judge(call: ToolCall) -> Verdict:
    """What the rules say of a call wherever it may run."""
    try:
        return judge(registry.parse_args(call.tool, call.args))
    except InputError as error:
        return Verdict(allow=False, rule="schema", reason=str(error))
