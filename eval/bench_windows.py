"""Windows of held-out tasks with the right call, for measuring speed (nothing is executed)."""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_agent.agent.window import call_text
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.types import Window


@dataclass(frozen=True)
class Example:
    """What a decoder would see at the start of a step, and its gold call."""

    window: Window
    call: str


def held_out_examples(count: int, pack: str = "os") -> list[Example]:
    """The first call of the first step of `count` tasks, spread over the pack."""
    tasks = [t for t in load_tasks(pack) if len(t.gold) > 2]
    every = max(1, len(tasks) // count)
    found = []
    for task in tasks[::every][:count]:
        steps = tuple(task.gold[0].args["steps"])
        files = tuple(sorted(item.path for item in task.setup if item.run is None))[:60]
        window = Window(goal=task.goal, phase="step", steps=steps, files=files)
        found.append(Example(window, call_text(task.gold[1])))
    return found
