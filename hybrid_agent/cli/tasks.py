"""`hybrid-agent tasks`: the stored task packs, their families, and single tasks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hybrid_agent.types import Task


def tasks(
    name: Annotated[
        str | None, typer.Argument(help="A pack, PACK/FAMILY, or the id of a task; nothing lists the packs.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List task packs and families, or show one task: goal, starting files, checks, gold calls."""
    from hybrid_agent.config.explain import nearest
    from hybrid_agent.errors import InputError
    from hybrid_agent.packs.pack import pack_names
    from hybrid_agent.packs.store import load_tasks

    packs = pack_names()
    if name is None:
        _counts({pack: load_tasks(pack) for pack in packs}, as_json)
        return
    pack, _, family = name.partition("/")
    if pack in packs:
        stored = load_tasks(pack)
        if not family:
            groups: dict[str, list[Task]] = {}
            for task in stored:
                groups.setdefault(f"{pack}/{task.family}", []).append(task)
            _counts(dict(sorted(groups.items())), as_json)
            return
        chosen = [task for task in stored if task.family == family]
        if not chosen:
            families = sorted({task.family for task in stored})
            close = nearest(family, families)
            fix = f"did you mean {pack}/{close}?" if close else "use one of " + ", ".join(families)
            raise InputError(f"no family {family!r} in pack {pack}", fix=fix)
        _goals(chosen, as_json)
        return
    everything = {task.id: task for known in packs for task in load_tasks(known)}
    if name not in everything:
        close = nearest(name, [*packs, *everything])
        fix = f"did you mean {close}?" if close else "list packs with: hybrid-agent tasks"
        raise InputError(f"no pack or task {name!r}", fix=fix)
    _show(everything[name], as_json)


def _counts(groups: dict[str, list[Task]], as_json: bool) -> None:
    counts = {group: dict(sorted(Counter(task.split for task in found).items())) for group, found in groups.items()}
    if as_json:
        import json

        print(json.dumps(counts))
        return
    from rich.console import Console
    from rich.table import Table

    splits = sorted({split for count in counts.values() for split in count})
    table = Table("name", *splits, box=None, pad_edge=False)
    for group, count in counts.items():
        table.add_row(group, *(str(count.get(split, 0)) for split in splits))
    Console(highlight=False).print(table)


def _goals(found: list[Task], as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps({task.id: task.goal for task in found}))
        return
    for task in found:
        print(f"{task.id}  {task.goal}")


def _show(task: Task, as_json: bool) -> None:
    if as_json:
        print(task.model_dump_json())
        return
    from hybrid_agent.cli.text import describe_call

    print(f"{task.id} ({task.pack}/{task.family}, {task.split}{', destructive' if task.destructive else ''})")
    print(f"goal: {task.goal}")
    print("starts with:")
    for item in task.setup:
        kind = "dir" if item.dir else "link" if item.link else "run" if item.run else "file"
        print(f"  {kind} {item.run or item.path}{' -> ' + item.link if item.link else ''}")
    print("checks:")
    for check in task.checks:
        fields = check.model_dump(exclude={"kind"}, exclude_none=True)
        print(f"  {check.kind} " + " ".join(f"{key}={value!r}" for key, value in fields.items()))
    print("gold:")
    for call in task.gold:
        print("  " + describe_call(call.model_dump_json()))
