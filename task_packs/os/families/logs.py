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
            "[grab|pull|pick] the [latest|most recent|newest] {count} {level} [rows|entries] out of {file} and [drop|place] them in {out}",
            "into {out}, [put|write|place] the [most recent|final|last] {count} [lines|messages] of level {level} from {file}",
            "{file}: [copy|save] its [last|newest|latest] {count} {level} [lines|entries] to {out}",
            "the [last|newest|latest] {count} {level} [messages|rows] of the log {file} [go to|belong in] {out}",
            "to [prepare|get|fill] {out}, filter {file} for {level} and [keep|take] the [last|final] {count} [lines|rows]",
            "i would like to [see|have] the {count} [most recent|latest|newest] {level} [entries|messages] of {file} in {out}",
            "there should be {count} lines in {out}, the [last|latest|newest] {level} [entries|messages] [of|from] {file}",
            "make sure that {out} [holds|contains|shows] the {count} {level} [lines|entries] [nearest to|closest to] the end of {file}",
            "the [final|last] {count} {level} [rows|lines] in {file} are to be [copied|saved|stored] [as|in] {out}",
            "the log {file} is long, [save|extract|copy] only its [newest|last] {count} {level} [messages|entries] [to|into] {out}",
            "{level} entries of {file}, [last|newest|latest] {count} only, [saved|written] [to|in] {out}",
            "with the [lines|entries] at level {level} in {file}, [fill|create] {out}, but only the [last|latest|newest] {count}",
            "take {file}, [filter|pick] the {level} [lines|entries], [keep|leave] the last {count} and [record|store] them in {out}",
            "how about the [newest|latest|last] {count} {level} [messages|lines] of {file}, [saved|stored] as {out}",
            "let's [copy|duplicate|extract] the {count} [last|latest] {level} [rows|messages] from the log {file} [into|to] {out}",
            "see to it that {out} [has|gets] [just|only] the [last|newest] {count} {level} [lines|messages] from {file}",
            "what i want in {out} is the tail of the {level} [entries|lines] in {file}, {count} [lines|of them] in all",
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
            "[tally|count|total] the [rows|messages|entries] of {file} for each [log level|level] and [place|drop] the [numbers|totals] in {out}",
            "into {out}, [put|write|place] the number of [lines|entries|messages] [per|for each] level in {file}",
            "{file}: count its [lines|entries] [per level|level by level] and [keep|store] the [totals|counts] in {out}",
            "the [totals|counts|numbers] of [messages|entries] [per|for each] level in {file} [go to|belong in] {out}",
            "to [build|prepare|get] {out}, count how [many|often] [lines|entries] of each level [occur|appear] in {file}",
            "i would like to [know|see] in {out} how many [messages|rows|entries] each level of {file} has",
            "there should be a [table|list|summary] {out} of [all|the] levels in {file} with their [counts|totals]",
            "make sure that {out} [shows|reports|gives] the [count|number] of [lines|entries] for every level in {file}",
            "the [entries|messages|rows] of {file} have to be counted [by|per] level, [numbers|counts] [saved|stored] in {out}",
            "we wonder which level is [most common|most frequent] in {file}, [save|report] the [counts|numbers] [per level|for each level] in {out}",
            "the level [counts|totals|statistics] of the log {file}, [saved|written] [as|to] {out}",
            "with one line [per|for each] level, [report|print|write] the [counts|totals] of {file} [to|into] {out}",
            "take the log {file}, group its [lines|entries] by level, count [them|each group] and [write|record] the numbers in {out}",
            "how about [a count|a tally|an overview] of the [entries|messages] per level in {file}, [saved|stored] as {out}",
            "let's [count|tally] how often [every|each] level [turns up|occurs|is used] in {file}, [result|totals] in {out}",
            "see to it that {out} [says|tells|lists] how many [lines|messages] of [every|each] level {file} [has|holds]",
            "what i want in {out} is a [breakdown|tally|count] of {file} by [level|log level]",
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
            "[rename|move] {file} to {old} and [set up|create|make] [a new|an empty|a blank] {file} in its place",
            "to {old}, [move|rotate] the [present|current|existing] log {file}, and [create|start|set up] an empty one in its place",
            "{file}: [rotate|move] it to {old} and [begin|start] over with [a blank|an empty|a fresh] log",
            "the [current|present] log {file} [becomes|should become] {old}, with [a new|an empty|a fresh] log [in|taking] its place",
            "to [get|make] room for new [entries|messages], [rotate|move] {file} to {old} and [create|leave] an empty log",
            "i would like {file} to be [empty|blank] again, with its [old|earlier|present] [entries|lines] [moved to|kept in] {old}",
            "there should be [an empty|a fresh|a new] log {file}, the [old|former|previous] one [moved|renamed] to {old}",
            "make sure that {file} is [rotated|moved] to {old} and [a fresh|an empty|a new] log is [started|created|set up]",
            "the log {file} is to be [rotated|archived], [name|title] of the old [log|one] {old}",
            "{file} has [grown|become] too [big|long|large], [rotate|rename] it to {old} and [start|begin] a new one",
            "{file} [rotated|moved away] to {old}, [fresh|new|empty] log [started|in its place]",
            "with {old} as the [archive|name for the old log], rotate [the log|the log file] {file}",
            "take the log {file}, [move|rename] it to {old} and [create|generate|set up] [a blank|an empty] log under the old name",
            "how about [rotating|a rotation of] the log {file}, with the old [entries|lines] in {old}",
            "let's rotate {file}, so the [old|existing|present] [log|messages] will [be|stay] in {old}",
            "see to it that {old} [holds|gets|keeps] the present [entries|lines] of the log {file} and {file} is [empty|blank]",
            "once the log {file} is [moved|renamed] to {old}, [create|make|start] [a new empty|a blank|a fresh] {file}",
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
