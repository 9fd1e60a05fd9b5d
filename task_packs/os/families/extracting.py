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
