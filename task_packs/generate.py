"""Make the stored splits of the task packs anew: `python -m task_packs.generate [PACK ...]`.

Everything follows from the families and the seeds, so two runs give the same bytes. Training episodes are
not stored: `hybrid_agent.packs.compose.make_task(pack, "train", seed)` makes as many as wanted.
"""

from __future__ import annotations

import argparse

from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import SPLITS, Pack, load_pack, pack_names
from hybrid_agent.packs.store import TASKS, write_tasks
from hybrid_agent.types import Split, Task


def stored_split(pack: Pack, split: Split, count: int) -> list[Task]:
    """`count` different tasks: half are single steps that go round all intents evenly, the rest are drawn freely
    (test_composition is drawn wholly by its own rule)."""
    tasks: list[Task] = []
    goals: set[str] = set()
    seed = 0
    while len(tasks) < count:
        even = split != "test_composition" and len(tasks) < count * 0.5
        fixed = [pack.intents[len(tasks) * 7 % len(pack.intents)]] if even else None
        task = make_task(pack, split, f"{seed:04d}", fixed)
        seed += 1
        if task.goal not in goals:
            goals.add(task.goal)
            tasks.append(task)
    return tasks


def main() -> None:
    """Write tasks.jsonl of the named packs (default: all)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packs", nargs="*", help="pack names (default: all)")
    for name in parser.parse_args().packs or pack_names():
        pack = load_pack(name)
        tasks = [t for split in SPLITS for t in stored_split(pack, split, pack.settings.counts.get(split, 0))]
        write_tasks(pack.folder / TASKS, tasks)
        print(
            f"{name}: {len(tasks)} tasks, {len(pack.intents)} intents, {len({i.family for i in pack.intents})} families"
        )


if __name__ == "__main__":
    main()
