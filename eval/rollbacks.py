"""Random episodes that are rolled back: how often is the workspace again what it was, by a picture of its own?"""

from __future__ import annotations

import hashlib
import os
import random
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from eval.episode import remove
from eval.metrics import Rate
from hybrid_agent.errors import SandboxError
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Task, ToolCall

# Calls that no gold solution makes: whatever happens, it must come back.
BLOWS = (
    "rm -rf -- * .??*",
    "find . -type f -exec sh -c 'echo more >> \"$1\"' _ {} \\;",
    "find . -type f -name '*.*' -delete",
    "chmod -R u=rwX,go= .",
    "mkdir -p new/deep/er && mv * new/ 2>/dev/null; true",
    'for f in *; do ln -s "$f" "$f.link"; done',
    'for f in *; do [ -f "$f" ] && cp "$f" "$f.bak" && : > "$f"; done; true',
    "touch \"$(printf 'new\\nline')\" ' lead' -- '-dash'; mkfifo pipe",
    "head -c 300000 /dev/zero > big; ln big twin",
    'for f in *; do rm -rf "$f"; mkdir "$f"; done',
)
IDLE = ("plan", "finish", "ask")


def roll_back(tasks: Sequence[Task], episodes: int, seed: int = 0, sandbox: str = "bubblewrap") -> Rate:
    """Share of random episodes whose rollback leaves types, modes, contents, links and times as they were.

    An episode starts from a random task's files, makes one to six calls in random order, two thirds of them from the
    task's gold solution, all destructive ones approved, and goes back to its first snapshot.
    """
    same = 0
    for number in range(episodes):
        rng = random.Random(seed * 1_000_003 + number)
        task = rng.choice(tasks)
        same += goes_back(task, _calls(task, rng), sandbox)
    return Rate(same, episodes)


def picture(root: Path) -> dict[str, tuple[object, ...]]:
    """What lies in a folder, by means that share no code with the snapshots."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in [*folders, *files, b"."]:
            path = Path(os.fsdecode(folder)) / os.fsdecode(name)
            status = path.lstat()
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = str(path.readlink())
            elif stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[repr(path)] = (status.st_mode, content, status.st_mtime_ns)
    return found


def goes_back(task: Task, calls: Sequence[ToolCall], sandbox: str = "bubblewrap") -> bool:
    """Whether a task's workspace is what it was after these calls and a rollback; destructive ones are approved."""
    base = Path(tempfile.mkdtemp(prefix="hybrid-agent-rollback-"))
    workspace = base / "workspace"
    workspace.mkdir()
    box = make_sandbox(sandbox, workspace, Limits(), session=True)
    try:
        prepare_workspace(task.setup, box)
        before = picture(workspace)
        toolbox = LocalToolbox(workspace, base / "state", box, approve="auto")
        try:
            for call in calls:
                toolbox.execute(call)
            first = toolbox.snapshots.first()
            if first is not None:
                toolbox.rollback(first)
            return picture(workspace) == before
        except (SandboxError, OSError):
            return False
        finally:
            toolbox.close()
    finally:
        box.close()
        remove(base)


def _calls(task: Task, rng: random.Random) -> list[ToolCall]:
    gold = [call for call in task.gold if call.tool not in IDLE]
    blows = [ToolCall(tool="shell", args={"cmd": command}) for command in BLOWS]
    return [rng.choice(gold if gold and rng.random() < 2 / 3 else blows) for _ in range(rng.randint(1, 6))]
