"""Writing small text files: create one, add a line at its end, put a line at its top."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, text
from hybrid_agent.types import ContainsCheck, EqualsCheck
from task_packs.os.calls import edit, fs
from task_packs.os.data import file, fresh_phrase


def create(draw: Draw) -> Scene:
    path, words = draw.path(), draw.phrase(1, 5)
    made = EqualsCheck(path=path, text=words)
    return Scene(
        slots={"file": name(path), "text": text(words)},
        gold=[fs("write", path, text=words)],
        done=made,
        checks=[made],
    )


def append(draw: Draw) -> Scene:
    path, old = draw.path("txt", "md", "log", "cfg"), draw.lines()
    words = fresh_phrase(draw, old)
    return Scene(
        slots={"file": name(path), "text": text(words)},
        setup=[file(path, old)],
        gold=[edit(path, "append", text=words)],
        done=ContainsCheck(path=path, text=words),
        checks=[EqualsCheck(path=path, text=old + words + "\n")],
    )


def prepend(draw: Draw) -> Scene:
    path, old = draw.path("txt", "md", "log", "cfg"), draw.lines()
    words = fresh_phrase(draw, old)
    return Scene(
        slots={"file": name(path), "text": text(words)},
        setup=[file(path, old)],
        gold=[edit(path, "prepend", text=words)],
        done=ContainsCheck(path=path, text=words),
        checks=[EqualsCheck(path=path, text=words + "\n" + old)],
    )


INTENTS = [
    Intent(
        family="files",
        name="create_file",
        train=(
            "[create|make|write|start|add] [a|the] file {file} [containing|holding|with the text|that says] {text}",
            "[write|save|store|put] {text} [in|into|to] a new file [called|named] {file}",
            "[make|create|set up] {file} with the [content|contents|text] {text}",
            "[save|store|record|keep] the [text|words|line] {text} as {file}",
            "[I need|we need|set up] a new [text|] file {file} [whose content is|that contains|that reads] {text}",
            "a [new|] file [called|named] {file} should [exist|be created] [holding|containing|with the words] {text}",
            "[write|produce|generate] a file that [says|reads|contains] {text} and [call|name] it {file}",
            "[fill|start] the new file {file} with {text}",
            "{file} does not exist yet, [create|make|write] it with the [text|words] {text}",
            "the [words|text|line] {text} should be [saved|stored|kept] under the name {file}",
        ),
        val=(
            "[put|record] the words {text} in a file to be called {file}",
            "[produce|add] {file}, a new file whose text is {text}",
        ),
        held=(
            "[generate|start] a new file that holds {text}, its name is {file}",
            "[call|name] a new file {file} and [write|store] the line {text} in it",
            "the file {file} is new, it should hold the words {text}",
            "[set up|save] a file {file} that contains only {text}",
        ),
        build=create,
    ),
    Intent(
        family="files",
        name="append_line",
        train=(
            "[append|add|attach] [the line|the text|] {text} to the end of {file}",
            "[add|put|write|place] {text} at the [end|bottom] of {file}",
            "[append|attach] {text} to [the file|] {file}",
            "in {file}, [add|append|write] a [last|final|closing] line {text}",
            "[extend|finish|close] {file} with [the line|one more line] {text}",
            "[let|make] {file} end with [the line|the words] {text}",
            "[at the bottom of|at the end of|below everything in] {file}, [write|put|insert|add] {text}",
            "{file} [needs|should get] [one more|a last|a final] line at its end: {text}",
            "[write|place] the line {text} [below|after] everything [else|] in {file}",
            "[finish|close] {file} by [adding|appending|writing] {text} below everything else",
            "[close|end] the text of {file} with the line {text}",
        ),
        val=(
            "[put|attach] the final line {text} in {file}, at the bottom",
            "[close|extend] the file {file} by [adding|appending] {text} as its last line",
        ),
        held=(
            "the last line of {file} should [be|become] {text}, [add|append] it",
            "[insert|place] {text} below the last line of {file}",
            "[finish|extend] the text in {file} by [appending|adding] {text}",
            "for {file}, [write|attach] one more line at the end that says {text}",
        ),
        build=append,
    ),
    Intent(
        family="files",
        name="prepend_line",
        train=(
            "[put|add|insert|place|write] [the line|] {text} at the [top|beginning|start] of {file}",
            "[prepend|add] {text} [to the top of|to the beginning of|to the start of] [the file|] {file}",
            "[prepend] [the line|the text|] {text} to {file}",
            "[make|let] {text} [be|become|] the first line of {file}",
            "in {file}, [write|put|insert] a [first|opening] line {text}",
            "[start|begin|open] {file} with the line {text}, above [what is there|the rest]",
            "[at the top of|at the start of|above everything in] {file}, [add|write|insert|put] {text}",
            "{file} [needs|should get] a [heading|title|first line] {text} at the top",
            "[write|place] the [heading|title|line] {text} [above|before] everything [else|] in {file}",
            "before everything in {file}, [put|add|write] the line {text}",
        ),
        val=(
            "[prepend|place] an opening line {text} in {file}, above the rest",
            "[insert|write] {text} as the first line of {file}",
        ),
        held=(
            "the first line of {file} should [be|become] {text}, [prepend|insert] it",
            "[put|place] {text} [before|above] the first line of {file}",
            "for {file}, [add|write] the heading {text} at the beginning",
            "[let|make] the file {file} [begin|start] with {text}, [before|above] everything else",
        ),
        build=prepend,
    ),
]
