"""Sorting lines: by text, without repeats, by number, backwards."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import CommandCheck, EqualsCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import place


def _scene(draw: Draw, asked: str, content: str, ordered: list[str], flags: str, lost: float = 0.0) -> Scene:
    real, item = place(draw, asked, content, lost)
    out = draw.file("txt", "md", "dat")
    gold = [shell(f"sort {flags}{real} > {out}")]
    if real != asked:
        gold = [shell(f"sort {flags}{asked} > {out}"), fs("find", name=asked), *gold]
    return Scene(
        slots={"file": name(asked), "out": name(out)},
        setup=[item],
        gold=gold,
        done=CommandCheck(cmd=f"sort {flags}-c {out}"),
        checks=[EqualsCheck(path=out, text="\n".join(ordered)), EqualsCheck(path=real, text=content)],
    )


def sort_lines(draw: Draw) -> Scene:
    lost = draw.chance(0.25)
    asked = draw.file("txt", "md", "dat") if lost else draw.path("txt", "md", "dat")
    content = draw.lines(4, 9)
    return _scene(draw, asked, content, sorted(content.splitlines()), "", float(lost))


def sort_unique(draw: Draw) -> Scene:
    lines = [draw.phrase(1, 2) for _ in range(draw.number(3, 6))]
    lines += draw.sample(lines, 2)
    draw.rng.shuffle(lines)
    return _scene(draw, draw.path("txt", "dat"), "\n".join(lines) + "\n", sorted(set(lines)), "-u ")


def sort_numbers(draw: Draw) -> Scene:
    numbers = draw.sample(range(1, 3000), draw.number(4, 9))
    content = "".join(f"{n} {draw.word()}\n" for n in numbers)
    ordered = sorted(content.splitlines(), key=lambda line: int(line.split()[0]))
    return _scene(draw, draw.path("txt", "dat"), content, ordered, "-n ")


def sort_backwards(draw: Draw) -> Scene:
    content = draw.lines(4, 9)
    return _scene(draw, draw.path("txt", "md", "dat"), content, sorted(content.splitlines(), reverse=True), "-r ")


INTENTS = [
    Intent(
        family="sorting",
        name="sort_lines",
        train=(
            "[sort|order|arrange] [the lines of|the lines in|] {file} [into|to] {out}",
            "[sort|order|alphabetize] {file} and [save|write|store] the [result|output] [to|in|as] {out}",
            "[write|save|put] the [sorted|ordered] lines of {file} [to|into|in] {out}",
            "[put|bring] the lines of {file} in [order|alphabetical order] and [save|write] them to {out}",
            "{out} should [hold|contain|have] the [sorted|ordered] lines of {file}",
            "[make|create|produce] a [sorted|ordered] [copy|version] of {file} [called|as|in] {out}",
            "[take|read] the lines of {file}, [sort|order|arrange] them and [store|save] them in {out}",
            "from {file}, [make|create|produce] the sorted file {out}",
            "[arrange|order|sort] {file} alphabetically, the [result|output] goes to {out}",
            "[create|make|get] {out} by [sorting|ordering|arranging] the lines of {file}",
            "alphabetize the lines of {file} into {out}",
        ),
        val=(
            "[store|write] an alphabetical version of the lines of {file} in {out}",
            "[read|take] {file}, [alphabetize|arrange] its lines and write the result to {out}",
        ),
        held=(
            "[alphabetize|arrange] what is in {file}, [store|put] the sorted output in {out}",
            "for {out}, take the lines of {file} in alphabetical order",
            "{file} is to be [ordered|sorted], the [output|result] belongs in {out}",
        ),
        build=sort_lines,
    ),
    Intent(
        family="sorting",
        name="sort_unique",
        train=(
            "[sort|order] {file} without [duplicates|repeats|repeated lines] into {out}",
            "[remove|drop|delete] the [duplicate|repeated] lines of {file} and [save|write] the rest sorted to {out}",
            "[write|save|put] the [unique|distinct|different] lines of {file} [to|into|in] {out}",
            "[sort|order] the lines of {file}, [keep|leave] each only once, [save|write] them to {out}",
            "{out} should [hold|contain|have] each line of {file} [only once|just once]",
            "[make|create|produce] {out} with the [unique|distinct] lines of {file}",
            "[deduplicate|dedupe] {file} [into|to] {out}",
            "from {file}, [keep|take|collect] the [unique|distinct|different] lines [in|into] {out}",
            "[store|save] a [version|copy] of {file} without [duplicates|repeated lines] as {out}",
            "[dedupe|deduplicate] the content of {file} and [save|store] it as {out}",
        ),
        val=(
            "[deduplicate|dedupe] the lines of {file} and write the result to {out}",
            "[take|collect] each different line of {file} just once in {out}",
        ),
        held=(
            "[drop|remove] the duplicates of {file}, the sorted rest goes to {out}",
            "[store|put] every distinct line of {file} only once in {out}",
            "for {out}, [sort|order] the unique lines in {file}",
            "{file} has repeated lines, [write|make] a version without them as {out}",
        ),
        build=sort_unique,
    ),
    Intent(
        family="sorting",
        name="sort_numbers",
        train=(
            "[sort|order|arrange] {file} [numerically|by number|by the numbers] into {out}",
            "[sort|order] the lines of {file} by their [leading|first] number and [save|write] the result to {out}",
            "[write|save|put] the lines of {file} in [numeric|numerical] order [to|into|in] {out}",
            "[arrange|put|bring] {file} [from the smallest to the largest number|by rising number] in {out}",
            "{out} should [hold|contain|have] the lines of {file} [sorted by number|in numeric order]",
            "[make|create|produce] a numerically [sorted|ordered] [copy|version] of {file} [called|as|in] {out}",
            "the lines of {file} start with numbers, [sort|order|arrange] them by number into {out}",
            "[sort|order] {file} by number, not [alphabetically|by letters], and [save|store] it as {out}",
            "[order|arrange] {file} with the smallest number first and the largest last into {out}",
            "[take|read] {file} and [save|keep] its lines in numerical order in {out}",
        ),
        val=(
            "from the smallest to the largest number, [write|put] the lines of {file} in {out}",
            "[store|save] {file} in numerical order as {out}",
        ),
        held=(
            "[arrange|bring] the lines of {file} in numerical order, the result goes to {out}",
            "[produce|create] {out} by [sorting|ordering] {file} numerically",
            "for {out}, [take|read] {file} and order its lines by the first number",
        ),
        build=sort_numbers,
    ),
    Intent(
        family="sorting",
        name="sort_backwards",
        train=(
            "[sort|order|arrange] {file} [in reverse|backwards|in descending order] into {out}",
            "[write|save|put] the lines of {file} in [reverse|descending] [alphabetical|] order [to|into|in] {out}",
            "[reverse sort|sort in reverse] the lines of {file} and [save|write|store] the [result|output] to {out}",
            "[sort|order] {file} from z to a and [save|write|put] it in {out}",
            "{out} should [hold|contain|have] the lines of {file} sorted [backwards|in reverse|from z to a]",
            "[make|create|produce] a [reverse sorted|descending] [copy|version] of {file} [called|as|in] {out}",
            "[arrange|put|bring] the lines of {file} in descending order, the [result|output] goes to {out}",
            "[sort|order] {file} the other way round, from z to a, [into|to] {out}",
        ),
        val=(
            "from z to a, [arrange|sort] the lines of {file} in {out}",
            "[store|save] {file} as {out} in descending order",
        ),
        held=(
            "[produce|create] {out} by [sorting|ordering] the lines of {file} backwards",
            "{out} should be a version of {file} in reverse order",
            "[take|read] {file}, sort it from z to a and [put|store] the result in {out}",
        ),
        build=sort_backwards,
    ),
]
