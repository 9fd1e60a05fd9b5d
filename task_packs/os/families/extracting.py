"""Taking part of a file into another: matching lines, all others, the first, the last."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import ContainsCheck, EqualsCheck, ExistsCheck, LacksCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import LEVELS, file, log_text, marked_lines, place


def _marked(draw: Draw) -> tuple[str, str, str]:
    """A log with a level or a text with a word: (path, word, content)."""
    if draw.chance(0.5):
        word = draw.choice(LEVELS)
        return draw.path("log"), word, log_text(draw, word)
    word = draw.word()
    return draw.path("txt", "md", "csv"), word, marked_lines(draw, word)


def matching(draw: Draw) -> Scene:
    path, word, content = _marked(draw)
    out = draw.file("txt", "log")
    taken = [line for line in content.splitlines() if word in line]
    return Scene(
        slots={"file": name(path), "word": name(word), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"grep '{word}' {path} > {out}")],
        done=ContainsCheck(path=out, text=word),
        checks=[EqualsCheck(path=out, text="\n".join(taken)), EqualsCheck(path=path, text=content)],
    )


def others(draw: Draw) -> Scene:
    path, word, content = _marked(draw)
    content += "last line of all\n"
    out = draw.file("txt", "log")
    taken = [line for line in content.splitlines() if word not in line]
    return Scene(
        slots={"file": name(path), "word": name(word), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"grep -v '{word}' {path} > {out}")],
        done=LacksCheck(path=out, text=word),
        checks=[EqualsCheck(path=out, text="\n".join(taken)), EqualsCheck(path=path, text=content)],
    )


def _end(draw: Draw, program: str) -> Scene:
    lost, count = draw.chance(0.25), draw.number(2, 9)
    asked = draw.file("txt", "log", "md") if lost else draw.path("txt", "log", "md")
    content = draw.lines(count + 1, count + 8)
    real, item = place(draw, asked, content, float(lost))
    out = draw.file("txt", "log")
    gold = [shell(f"{program} -n {count} {real} > {out}")]
    if lost:
        gold = [shell(f"{program} -n {count} {asked} > {out}"), fs("find", name=asked), *gold]
    lines = content.splitlines()
    taken = lines[:count] if program == "head" else lines[-count:]
    return Scene(
        slots={"file": name(asked), "count": plain(count), "out": name(out)},
        setup=[item],
        gold=gold,
        done=ExistsCheck(path=out, type="file"),
        checks=[EqualsCheck(path=out, text="\n".join(taken)), EqualsCheck(path=real, text=content)],
    )


def first(draw: Draw) -> Scene:
    return _end(draw, "head")


def last(draw: Draw) -> Scene:
    return _end(draw, "tail")


INTENTS = [
    Intent(
        family="extracting",
        name="matching_lines",
        train=(
            "[copy|save|write|put] [all|the|] lines of {file} [with|containing|that contain] {word} [to|into] {out}",
            "[extract|pull|filter] the {word} lines [from|out of] {file} into {out}",
            "[collect|gather] [all|the|] {word} [lines|entries] of {file} in {out}",
            "[search|grep] {file} for {word} and [save|write|store] the [matches|matching lines] to {out}",
            "from {file}, [take|extract|collect] every line [mentioning|that mentions|with] {word} into {out}",
            "{out} should [hold|contain|have] [all|the] lines of {file} [mentioning|containing|with] {word}",
            "[find|look for] {word} in {file} and [keep|store|save] [the matching lines|those lines] in {out}",
            "[keep|store] only the {word} [lines|entries] of {file} in {out}",
            "every line of {file} [mentioning|with] {word} [should go|goes|belongs] into {out}",
            "into {out}, [write|put|place] [only|just] the [lines|rows] of {file} that [have|contain|mention] {word}",
            "{file}: [pick|pull|single] out the [lines|rows|entries] with {word} and [put|place|record] them in {out}",
            "the [lines|rows|entries] of {file} that [mention|contain|include] {word}, [saved|written|stored] as {out}",
            "to [get|make|build] {out}, [keep|select|take] [nothing but|only] the lines in {file} where {word} [appears|occurs|is found]",
            "i would like {out} to [hold|list|show] [every|each] [line|row|entry] of {file} that has {word} in it",
            "there should be a file {out} with [just|only|exactly] the {word} [lines|entries|rows] of {file}",
            "all {file} lines [that match|matching] {word} [are to be|have to be|must be] [copied|written|saved] to {out}",
            "{file} is too [long|noisy|big], [save|keep|store] only the [lines|entries] that contain {word} in {out}",
            "{word} [lines|rows|entries] of {file} [as|into|to] {out}",
            "wherever {word} [appears|shows up|turns up] in {file}, [copy|add|save] that [whole|] line to {out}",
            "go through {file}, [pick|select] [each|every] line where {word} [occurs|appears] and [write|record] it in {out}",
            "how about a [file|document] {out} that [lists|holds|shows] the lines of {file} containing {word}",
            "see to it that {out} [holds|lists|gets] the [rows|lines] from {file} in which {word} [occurs|appears]",
            "have {out} [contain|hold] all the [entries|lines|rows] of {file} where {word} [is mentioned|comes up]",
            "what i want is {out} [made|built|created] from the lines of {file} that [include|mention|have] {word}",
            "as {out}, [write|save|generate] a shorter version of {file} with [only|just] its {word} [lines|entries]",
            "nothing but the {word} [lines|entries] of {file} [may|should] [end up|land] in {out}",
            "let's [filter|search] {file} for {word} and [put|save|place] the [lines found|matches] in {out}",
        ),
        val=(
            "[gather|pull] the lines that mention {word} out of {file} into {out}",
            "[filter|grep] {file}, the {word} entries go to {out}",
        ),
        held=(
            "[look for|find] the {word} entries in {file} and [put|copy] them into {out}",
            "for {out}, [extract|take] from {file} the lines containing {word}",
            "[gather|store] in {out} every line of {file} that contains {word}",
            "the {word} lines in {file} [belong|should go] into {out}, [extract|filter] them",
        ),
        build=matching,
        weight=1.3,
    ),
    Intent(
        family="extracting",
        name="other_lines",
        train=(
            "[copy|save|write] [all|the|] lines of {file} [without|not containing|that lack] {word} [to|into] {out}",
            "[copy|write|save] {file} to {out} [without|leaving out|except for] the {word} lines",
            "[filter|leave] the {word} lines out of {file} and [save|store|write] the [rest|remaining lines] to {out}",
            "from {file}, [take|keep] [only|] lines without {word} [in|into] {out}",
            "{out} should [hold|contain|have] the lines of {file} [not mentioning|not containing|without] {word}",
            "[exclude|skip|omit] the {word} [lines|entries] of {file} and [put|save] the [rest|others] in {out}",
            "[save|keep|store] everything [from|in] {file} [except|but] the lines with {word} in {out}",
            "every line of {file} that does not [mention|contain] {word} [should go|goes|belongs] into {out}",
            "[exclude|leave out] lines with {word} when copying {file} to {out}",
            "the lines of {file} that lack {word} [go|belong] into {out}",
            "[put|store] the remaining lines of {file} in {out}, leaving out those with {word}",
            "into {out}, [write|put|copy] the [lines|rows] of {file} that do not [have|include|mention] {word}",
            "{file}: [throw away|discard|drop] [the|all] lines with {word} and [write|save|copy] what [remains|is left] to {out}",
            "{file} minus its {word} [lines|rows|entries] [as|to|into] {out}",
            "to [get|make|produce] {out}, [strip|remove|erase] the {word} [lines|entries] from a copy of {file}",
            "i would like {out} to be {file} without [any of|] the [lines|rows] that [mention|contain] {word}",
            "there should be a file {out} with all of {file} [but|except] the {word} [lines|rows|entries]",
            "all [lines|rows|entries] of {file} that are free of {word} [are to be|have to be|must be] [kept|stored|saved] in {out}",
            "the {word} lines [clutter|fill up|spoil] {file}, [make|write|save] a [cleaned|filtered|shorter] copy without them as {out}",
            "no [line|row|entry] with {word} [should|may] be in {out}, all the others from {file} should",
            "once the [lines|entries] with {word} are [removed|dropped|gone], [save|store|write] the rest of {file} as {out}",
            "go through {file}, [skip|ignore] [each|every|any] line that [has|mentions] {word} and [copy|write] the [others|rest] to {out}",
            "how about a [file|document] {out} that [holds|has|shows] {file} without the {word} [lines|rows]",
            "see to it that {out} [gets|holds|has] only those lines of {file} where {word} does not [appear|occur|show up]",
            "have {out} [contain|hold] the [contents|text|content] of {file} with all {word} lines [removed|left out|deleted]",
            "what i want in {out} is {file} [minus|without] [every|each|any] line that [includes|contains|has] {word}",
            "wherever {word} [appears|occurs] in {file}, [leave out|omit|skip] that line, the rest [goes|is to go] into {out}",
            "take {file}, [get rid of|drop|throw out] its {word} [lines|rows|entries] and [store|record|keep] the result as {out}",
            "as {out}, [make|create|generate] a copy of {file} that [lacks|leaves out|omits] [all|the] lines with {word}",
        ),
        val=(
            "[skip|leave out] lines mentioning {word} in {file} and store the others in {out}",
            "[put|keep] all of {file} except the {word} entries in {out}",
        ),
        held=(
            "[omit|exclude] every line with {word}, [write|copy] the remaining lines of {file} into {out}",
            "for {out}, [take|keep] the lines of {file} that lack {word}",
            "[filter|copy] {file} into {out}, leaving out all {word} entries",
        ),
        build=others,
    ),
    Intent(
        family="extracting",
        name="first_lines",
        train=(
            "[copy|save|write|put] the first {count} lines of {file} [to|into|in] {out}",
            "[take|extract|keep] the [first|top] {count} lines [of|from] {file} [and save them in|as] {out}",
            "from {file}, [copy|take|extract] the [first|opening] {count} lines into {out}",
            "{out} should [hold|contain|have] the first {count} lines of {file}",
            "[make|create|produce] {out} [from|with] the [first|top] {count} lines of {file}",
            "[store|save] the [start|beginning|head] of {file}, {count} lines, [as|in] {out}",
            "[cut|pull] the [top|first] {count} lines out of {file} and [put|store|write] them in {out}",
            "the first {count} lines of {file} [should go|go|belong] [to|into] {out}",
            "[take|save] the head of the file {file}, {count} lines, as {out}",
            "into {out}, [put|write|copy] [just|only] the [first|top] {count} [lines|rows] of {file}",
            "{file}: its [first|top|opening] {count} [lines|rows|entries] [go|are to go|should go] into {out}",
            "the [first|top] {count} [rows|entries|lines] of {file}, [saved|written|stored] as {out}",
            "to [make|get|create] {out}, [take|use] [nothing but|only|just] the [first|top] {count} lines of {file}",
            "i would like {out} to [hold|show|contain] the {count} lines at the [top|start|beginning] of {file}",
            "there should be a [file|document] {out} with [just|only] the [opening|first|top] {count} lines of {file}",
            "{count} lines from the [top|start|beginning] of {file} [have to be|are to be|must be] [copied|written|saved] to {out}",
            "{file} is too [long|big], [save|keep|store] only its first {count} [lines|rows|entries] in {out}",
            "{file}, first {count} [lines|rows] only, [as|to|into] {out}",
            "read {file} from the [top|start|beginning], stop after {count} lines and [write|save|copy] those to {out}",
            "how about a [preview|short version|sample] of {file}, its first {count} lines, [saved|stored|kept] as {out}",
            "see to it that {out} [holds|has|gets] the {count} lines that {file} [starts|begins|opens] with",
            "have {out} [contain|hold|show] {file} only [up to|down to] line {count}",
            "what i want is {out} with the [top|first] {count} [entries|lines|rows] of {file} and nothing [more|else|further]",
            "as {out}, [write|make|prepare] a [shortened|trimmed|shorter] copy of {file} that [ends|stops] after the first {count} lines",
            "only the [first|top] {count} lines of {file} [matter|are needed|are useful], [put|record|place] them in {out}",
            "let's [grab|take|get] the first {count} [lines|rows|entries] off the top of {file} and [store|save|keep] them as {out}",
            "everything after line {count} of {file} [can be|is to be] [left out|ignored|skipped], [save|write|place] the beginning in {out}",
        ),
        val=(
            "the {count} opening lines of {file} should be saved in {out}",
            "[produce|write] {out}, the head of {file} with {count} lines",
        ),
        held=(
            "for {out}, [take|pull] {count} lines from the [top|beginning] of {file}",
            "[extract|store] the beginning of {file}, the first {count} lines, in {out}",
            "[keep|cut] {count} lines from the start of {file} as {out}",
        ),
        build=first,
    ),
    Intent(
        family="extracting",
        name="last_lines",
        train=(
            "[copy|save|write|put] the last {count} lines of {file} [to|into|in] {out}",
            "[take|extract|keep] the [last|final] {count} lines [of|from] {file} [and save them in|as] {out}",
            "from {file}, [copy|take|extract] the [last|closing] {count} lines into {out}",
            "{out} should [hold|contain|have] the last {count} lines of {file}",
            "[make|create|produce] {out} [from|with] the [last|final|newest] {count} lines of {file}",
            "[store|save] the [end|tail] of {file}, {count} lines, [as|in] {out}",
            "[cut|pull] the [last|bottom] {count} lines out of {file} and [put|store|write] them in {out}",
            "the last {count} lines of {file} [should go|go|belong] [to|into] {out}",
            "[take|save] the tail of the file {file}, {count} lines, as {out}",
            "into {out}, [write|place|put] [just|only] the [last|bottom|final] {count} [lines|rows] of {file}",
            "{file}: [grab|fetch|take] the [last|bottom] {count} [lines|entries] and [store|write|save] them as {out}",
            "the [bottom|last|closing] {count} [rows|lines|entries] of {file}, [copied|saved|written] to {out}",
            "to [build|get|produce] {out}, [use|take] [just|only] the {count} lines at the [end|bottom] of {file}",
            "i need the {count} lines that {file} [ends|closes|finishes] with [stored|saved|put] in {out}",
            "there should be a [document|file] {out} with [only|just] the [last|final] {count} [lines|rows] of {file}",
            "{count} lines from the [bottom|end|tail] of {file} [have to be|must be|are to be] [written|copied|saved] to {out}",
            "{file} has [grown|become] too [long|big], [keep|save|store] only its [last|final] {count} lines as {out}",
            "{file}, last {count} [lines|rows] only, [as|to|into] {out}",
            "count back {count} lines from the [end|bottom] of {file} and [copy|write|save] that [part|piece] to {out}",
            "how about a file {out} with the [tail|end|bottom] of {file}, {count} lines of it",
            "see to it that {out} [gets|contains|shows] what {file} [says|has|holds] in its [last|final] {count} lines",
            "have the [last|closing|bottom] {count} lines of {file} [saved|stored|recorded] [as|in] {out}",
            "what i want is {out} with the [final|last] {count} [entries|rows|lines] of {file} and nothing [above them|else|more]",
            "as {out}, [create|write|make] a [shortened|trimmed|shorter] copy of {file} that [drops|omits|skips] all but its last {count} lines",
            "only the [end|bottom] of {file} [matters|counts|is needed], [save|record|put] its last {count} lines in {out}",
            "everything [above|before] the last {count} lines of {file} can be [left out|skipped|ignored], [save|write|place] the end in {out}",
            "we want {out} to [hold|have|list] the way {file} [ends|finishes], meaning its [last|bottom] {count} [lines|rows]",
        ),
        val=(
            "the {count} closing lines of {file} should be saved in {out}",
            "[produce|write] {out}, the tail of {file} with {count} lines",
        ),
        held=(
            "for {out}, [take|pull] {count} lines from the [bottom|end] of {file}",
            "[extract|store] the end of {file}, the final {count} lines, in {out}",
            "[keep|cut] {count} lines from the tail of {file} as {out}",
        ),
        build=last,
    ),
]
