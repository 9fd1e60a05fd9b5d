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
            "[rearrange|organize|sort] the [rows|entries] of {file} [from a to z|in alphabetical order] and [place|drop] them in {out}",
            "into {out}, [put|write|place] the [lines|rows] of {file} in [alphabetical|ascending alphabetical] order",
            "{file}: [sort|alphabetize|order] its lines and [keep|store] the result [in|as] {out}",
            "the [lines|entries|rows] of {file}, [sorted|alphabetized|in alphabetical order], [go to|belong in] {out}",
            "to [get|build|obtain] {out}, [sort|alphabetize|order] the [text|rows|lines] in {file}",
            "i would like {out} to [hold|contain|be] {file} with its lines [sorted|in alphabetical order|from a to z]",
            "there should be [a sorted|an alphabetical|an ordered] [copy|version|duplicate] of {file} [under the name|named|called] {out}",
            "make sure that the [rows|entries] of {file} [appear|end up] [sorted|in alphabetical order] in {out}",
            "the [lines|rows] of {file} have to be [sorted|alphabetized] and [saved|stored|written] [as|to] {out}",
            "everything in {file} is [mixed up|out of order|jumbled], [sort|alphabetize] the lines into {out}",
            "{file} sorted [by the alphabet|alphabetically|from a to z], as {out}",
            "with its [lines|entries] [sorted|ordered] from a to z, [save|copy|write] {file} as {out}",
            "take {file}, [alphabetize|sort] its [rows|entries|lines] and [record|put] them in {out}",
            "how about {out} as the [sorted|alphabetized] [version|copy|edition] of {file}",
            "let's [sort|alphabetize|order] the [contents|text] of {file} line by line [into|to] {out}",
            "see to it that {out} has the [entries|lines|rows] of {file} in [alphabetical order|order from a to z]",
            "what i want is {out}, [produced|made|generated] by running a [plain|normal|simple] sort over {file}",
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
            "[sort|alphabetize|order] {file} and [throw away|discard|drop] [repeated|duplicate] [lines|rows], result [in|to] {out}",
            "into {out}, [put|write|place] every [different|distinct|unique] [line|row|entry] of {file} [just once|only once], sorted",
            "{file}: [get rid of|remove|erase] its [duplicates|repeated lines] and [store|save] the sorted rest as {out}",
            "the [lines|entries] of {file}, sorted and [free of duplicates|without repeats|each just once], [go to|belong in] {out}",
            "to [get|obtain|build] {out}, [sort|order] {file} and [leave out|skip|drop] [all repeats|every duplicate]",
            "i would like {out} to be {file} [sorted with|in order with] [no duplicates|no repeated rows]",
            "there should be no [duplicates|repeated rows|repeats] in {out}, just the [sorted|ordered] [unique|distinct] lines of {file}",
            "make sure that [no line|no entry|no row] of {file} [appears|occurs] twice in the sorted [list|file] {out}",
            "the [duplicate|repeated] [rows|entries|lines] of {file} are to be [removed|dropped], the sorted rest [saved|stored] in {out}",
            "{file} has [many|some|too many] [repeats|duplicates|repeated lines], [write|save] a sorted [list|copy] without them to {out}",
            "{file} [sorted|in order] and [deduplicated|without duplicates], as {out}",
            "with [duplicates|repeats|repeated lines] [removed|erased|left out], [sort|order] {file} into {out}",
            "take the [rows|lines|entries] of {file}, [sort|order] them, keep one of each and [write|record] them in {out}",
            "how about a [sorted|ordered] [list|copy] of the [distinct|unique|different] [entries|lines] of {file}, saved as {out}",
            "let's [dedupe|deduplicate] and sort the [rows|lines|contents] of {file}, [result|output] [in|to] {out}",
            "see to it that {out} [shows|lists|holds] each [distinct|different] [row|line] of {file} once, [sorted|in order]",
            "each line of {file} that [occurs|appears] [several times|more than once] should be in {out} [only once|just once]",
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
            "[rearrange|organize|order] the [rows|entries] of {file} by [numeric value|numerical value|number] and [place|drop] them in {out}",
            "into {out}, [put|write|place] the [rows|entries|lines] of {file} from the [lowest|smallest] number to the [highest|largest]",
            "{file}: [sort|order] its [rows|lines] as numbers and [keep|store] the [result|output] in {out}",
            "the [rows|lines|entries] of {file}, [sorted|ordered] by their numbers, [go to|belong in] {out}",
            "to [get|build|obtain] {out}, do a [numeric|numerical] sort of the [lines|rows] in {file}",
            "i would like {out} to [hold|contain|be] {file} [sorted|ordered] by number, [smallest|lowest] [first|on top]",
            "there should be a [copy|version] of {file} in [numeric|numerical] order [under the name|named|called] {out}",
            "make sure that the [rows|entries] of {file} are in {out} with [growing|rising|increasing] numbers",
            "the [rows|lines] of {file} have to be [sorted|ordered|arranged] numerically and [saved|written|stored] as {out}",
            "in {file} the numbers are [mixed up|jumbled|out of order], [sort|order] it by [number|numeric value] into {out}",
            "{file} sorted [numerically|by number|by the numbers], [save|store] as {out}",
            "with the [lowest|smallest] number [on top|in the first line], [save|write] the [lines|rows] of {file} to {out}",
            "take the [rows|entries] of {file}, [sort|order] them by [size of the number|numeric value] and [record|save] them in {out}",
            "how about {out} as a numerically [sorted|ordered] [version|copy|edition] of {file}",
            "let's [sort|order|arrange] {file} by [the number in front|the leading number|number value], [output|result] in {out}",
            "see to it that {out} has the [lines|entries|rows] of {file} in [order of their numbers|rising numerical order]",
            "what we want in {out} is {file} [counting up|ordered|sorted] from the [smallest|lowest] number to the [biggest|highest]",
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
            "[rearrange|sort|alphabetize] the [rows|entries] of {file} from z [down|back] to a and [place|drop] them in {out}",
            "into {out}, [put|write|place] the [rows|lines] of {file} sorted in [reverse alphabetical|descending] order",
            "{file}: [sort|order] its lines [backwards|in reverse|from z to a] and [keep|store] the [result|output] in {out}",
            "the [rows|lines|entries] of {file}, [sorted from z to a|reverse sorted|in descending order], [go to|belong in] {out}",
            "to [get|build|obtain] {out}, do a [reverse|descending|backward] sort of the [lines|entries] in {file}",
            "i would like {out} to [hold|contain] {file} sorted with z [on top|at the start] and a at the [bottom|end]",
            "there should be a [copy|version] of {file} sorted [from z to a|backwards|in reverse] [under the name|named|called] {out}",
            "make sure that {out} has the [entries|rows] of {file} in [descending|reverse sorted|reverse alphabetical] order",
            "the [lines|rows] of {file} have to be [sorted|alphabetized] in reverse and [saved|written|stored] [as|to] {out}",
            "we read the list from the end, so [sort|order] {file} [backwards|from z to a] into {out}",
            "{file} sorted [backwards|in descending order|from z to a], as {out}",
            "with the last [letter|part] of the alphabet on top, [sort|order] {file} and [save|write] it as {out}",
            "take {file}, [sort|order|alphabetize] its [rows|lines] in descending order and [record|put] them in {out}",
            "how about {out} as a [reverse sorted|backwards sorted] [version|copy|edition] of {file}",
            "let's sort {file} [the reverse way|in reverse|in descending order], [output|result] [in|to] {out}",
            "see to it that the [entries|rows|lines] of {file} [appear|end up] [sorted from z to a|in reverse sorted order] in {out}",
            "what i want in {out} is {file} sorted, but in [reverse|descending|backward] order",
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
