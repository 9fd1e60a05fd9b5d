"""Log work: the newest entries of a level, how often each level occurs, rotation."""

from __future__ import annotations

from collections import Counter

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import ContainsCheck, EqualsCheck, ExistsCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import LEVELS, file, log_text

COUNTS = tuple(str(n) for n in range(2, 10))


def last_entries(draw: Draw) -> Scene:
    level, count = draw.cell("logs.last_entries", LEVELS, COUNTS)
    path, out, content = draw.path("log"), draw.file("txt", "log"), log_text(draw, level, 12, 24)
    taken = [line for line in content.splitlines() if f" {level} " in line][-int(count) :]
    return Scene(
        slots={"file": name(path), "level": name(level), "count": plain(count), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"grep '{level}' {path} | tail -n {count} > {out}")],
        done=ContainsCheck(path=out, text=level),
        checks=[EqualsCheck(path=out, text="\n".join(taken)), EqualsCheck(path=path, text=content)],
    )


def level_counts(draw: Draw) -> Scene:
    path, out, content = draw.path("log"), draw.file("txt"), log_text(draw)
    counts = Counter(line.split(" ")[2] for line in content.splitlines())
    return Scene(
        slots={"file": name(path), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"cut -d ' ' -f 3 {path} | sort | uniq -c > {out}")],
        done=ExistsCheck(path=out, type="file"),
        checks=[
            EqualsCheck(path=out, text="\n".join(f"{counts[level]:7} {level}" for level in sorted(counts))),
            EqualsCheck(path=path, text=content),
        ],
    )


def rotate(draw: Draw) -> Scene:
    path, old = draw.path("log"), draw.file("log", "old", "1")
    content = log_text(draw)
    return Scene(
        slots={"file": name(path), "old": name(old)},
        setup=[file(path, content)],
        gold=[fs("move", path, to=old), shell(f"touch {path}")],
        done=ExistsCheck(path=old, type="file"),
        checks=[EqualsCheck(path=old, text=content), EqualsCheck(path=path, text="")],
    )


INTENTS = [
    Intent(
        family="logs",
        name="last_entries",
        train=(
            "[save|write|put|copy] the last {count} {level} [entries|lines|messages] of {file} [to|into|in] {out}",
            "[take|extract] the [newest|latest] {count} {level} [entries|messages] [from|out of] {file} into {out}",
            "from [the log|] {file}, [copy|take|extract] the [last|latest|newest] {count} {level} lines into {out}",
            "{out} should [hold|contain|have] the [last|latest|newest] {count} {level} [entries|lines] of {file}",
            "[find|look for] {level} in {file} and [keep|store|save] the last {count} matches in {out}",
            "[collect|gather] the [newest|latest] {count} {level} [messages|lines] of [the log|] {file} in {out}",
            "[make|create|produce] {out} with the [latest|last] {count} {level} [entries|messages] of {file}",
            "of all {level} [entries|lines] in {file}, [put|write|save] the [last|latest] {count} in {out}",
        ),
        val=(
            "[gather|store] {count} {level} lines from the end of the log {file} in {out}",
            "[keep|pull] the latest {count} {level} matches of {file} as {out}",
        ),
        held=(
            "for {out}, [extract|collect] the newest {count} {level} messages of the log {file}",
            "the last {count} {level} entries in {file} should go into {out}",
            "[look for|find] the latest {count} {level} lines in the log {file} and [write|copy] them to {out}",
        ),
        build=last_entries,
        cells=True,
    ),
    Intent(
        family="logs",
        name="level_counts",
        train=(
            "[count|add up] the [entries|lines|messages] of {file} [by|per] level and [write|save] the result to {out}",
            "[write|save|put|note] [how often|how many times] each level [occurs|appears] in {file} [to|in|into] {out}",
            "[make|create|produce] [a summary|an overview|a table] of the levels in {file} [as|in] {out}",
            "[summarize|sum up] the levels of [the log|] {file} in {out}",
            "{out} should [say|show] how [often|many times] each level [occurs|appears] in {file}",
            "for each level in [the log|] {file}, [count|add up] the [entries|lines] and put the counts in {out}",
            "[report|record] the counts [per|of each|for each] level of [the log|] {file} in {out}",
            "[find out|check|determine] how many entries of each level {file} has and [write|put] the counts in {out}",
            "{out} should be an overview of the levels in {file}",
            "[summarize|sum up] {file} per level in {out}",
        ),
        val=(
            "[record|note] an overview of how often each level appears in the log {file} in {out}",
            "[store|save] the number of entries per level of {file} as {out}",
        ),
        held=(
            "[sum up|summarize] how many messages of each level there are in {file}, the result goes to {out}",
            "{out} should have the counts for each level in {file}",
            "per level, [count|add up] the lines of the log {file} into {out}",
        ),
        build=level_counts,
    ),
    Intent(
        family="logs",
        name="rotate_log",
        train=(
            "rotate [the log|] {file} to {old}",
            "[rotate|archive] the log {file} as {old} and [start|begin] [a new|an empty] one",
            "[move|rename] the log {file} to {old} and [start|begin|open] [an empty|a new empty|a fresh] {file}",
            "[start|begin|open] [a new|a fresh] log {file} after [moving|renaming] the [old|present] one to {old}",
            "[move|put] the [entries|content] of {file} away to {old} and leave {file} empty",
            "[keep|save] the [old|present] log {file} as {old} and [begin|start] with an empty {file}",
            "the log {file} is [full|too long], [rotate|move] it to {old} and [start|make] [a fresh|an empty] one",
            "do a log rotation of {file}, the old entries go to {old}",
            "[begin|start] a new {file}, its old entries should be kept in {old}",
            "[do|start] a rotation of the log {file} to {old}",
        ),
        val=(
            "[begin|start] a fresh empty log {file}, the old one should be kept as {old}",
            "[rotate|rename] {file}, its present entries go to {old}",
        ),
        held=(
            "the log {file} is full, [archive|keep] it as {old} and begin a new one",
            "with a log rotation, [move|put] the present {file} to {old}",
            "[rename|move] the old log {file} to {old} and leave an empty log {file}",
        ),
        build=rotate,
    ),
]
