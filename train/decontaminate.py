"""Take out of training data what repeats held-out tasks.

    python -m train.decontaminate data=FILE against=[os,code] out=clean.jsonl.gz
    python -m train.decontaminate data=FILE against=[os,code,swe-bench.jsonl] format=messages

`data` is any source of a mixture (docs/data.md), `against` names packs (the goals and solutions of their test splits)
and SWE-bench rows (ids and problem statements; a file, a folder, a hub id or an alias). Without `out` it only reports.
Exit codes: 0 done, 2 bad input.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hybrid_agent.config.decontaminate import DecontaminateConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.mixture import ScreenConfig
from hybrid_agent.errors import InputError
from hybrid_agent.packs.pack import pack_names
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.runs.atomic import write_json, write_lines
from hybrid_agent.swe.bench.dataset import load_rows
from train.ngrams import BREAK, Held, Screen

SHOWN = 10


def screen_for(config: ScreenConfig) -> Screen:
    """The screen against all that a config names.

    Raises:
        InputError: a name is neither a pack nor a data set.
    """
    return Screen(_held(config.against), config)


def _held(against: Sequence[str]) -> Iterator[Held]:
    for name in against:
        if name in pack_names():
            for task in load_tasks(name):
                if task.split != "val":
                    yield Held(task.id, "goal", task.goal)
                    acts = (call.args for call in task.gold if call.tool not in ("plan", "finish", "ask"))
                    text = BREAK.join(json.dumps(args, ensure_ascii=False) for args in acts)
                    yield Held(task.id, "gold", text, whole=True)
        else:
            for row in load_rows(name):
                yield Held(row["instance_id"], "instance_id", row["instance_id"], exact=True)
                yield Held(row["instance_id"], "problem_statement", row["problem_statement"])


def decontaminate(config: DecontaminateConfig) -> dict[str, Any]:
    """Go through the data once, write what is kept, and report.

    Raises:
        InputError: the data or what it is held against cannot be read.
    """
    # Only now: these bring torch.
    from train.stream_readers import open_reader
    from train.stream_records import line_of, text_of

    if config.data is None:
        raise InputError("no data given", field="data", fix="data=FILE")
    out = Path(config.out) if config.out else None
    if out is not None and not out.name.endswith((".jsonl", ".jsonl.gz")):
        raise InputError("out must end in .jsonl or .jsonl.gz", where=str(out), field="out")
    source, screen = config.source(), screen_for(config.screen())
    reader = open_reader(source)
    records, dropped = 0, []

    def kept() -> Iterator[str]:
        nonlocal records
        while True:
            record, where = reader.next()
            if reader.cursor()["epoch"]:
                return
            records += 1
            line = line_of(record, source, where, "")
            hit = screen.find(text_of(line)) if line is not None else None
            if hit is None:
                yield json.dumps(record, ensure_ascii=False)
            else:
                dropped.append({"record": records, **asdict(hit)})

    if out is None:
        for _ in kept():
            pass
    else:
        write_lines(out, kept())
    report = {
        "data": config.data,
        "against": list(config.against),
        "settings": config.screen().model_dump(exclude={"against"}),
        "held_out_texts": len(screen.items),
        "too_short_to_look_for": screen.skipped,
        "records": records,
        "dropped": len(dropped),
        "by_field": dict(Counter(hit["field"] for hit in dropped)),
        "hits": dropped,
    }
    place = config.report or (f"{out}.report.json" if out else None)
    if place:
        write_json(Path(place), report)
    return report


def main(overrides: Sequence[str] | None = None) -> int:
    """Load the config, screen, print a table."""
    overrides = list(sys.argv[1:] if overrides is None else overrides)
    console = Console()
    if "--help" in overrides or "-h" in overrides:
        console.print(__doc__, markup=False)
        return 0
    try:
        report = decontaminate(load_config("decontaminate", overrides, DecontaminateConfig))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    table = Table("record", "repeats", "its", "share", "found")
    for hit in report["hits"][:SHOWN]:
        table.add_row(str(hit["record"]), hit["name"], hit["field"], f"{hit['share']:.2f}", hit["found"])
    if report["hits"]:
        console.print(table)
    console.print(
        f"{report['dropped']:,} of {report['records']:,} records repeat one of {report['held_out_texts']:,} held-out "
        f"texts ({report['too_short_to_look_for']} were too short to look for)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
