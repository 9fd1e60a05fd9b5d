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
            "into a [new|fresh] file {file}, [write|put|type] the [text|words|line] {text}",
            "{file}: a new [file|document] that [says|reads|contains] {text}",
            "the [words|text|line] {text}, [saved|stored|written] as a new [file|document] {file}",
            "to [record|keep|save] the [text|words|line] {text}, [create|make|set up] the file {file}",
            "i would like a new [document|file] {file} that [holds|contains|says] {text}",
            "there should be a new file [named|called|titled] {file} with {text} [in it|as its content|as its text]",
            "a new file {file} [is to be|has to be|must be] [created|written|made] with the [contents|content|text] {text}",
            "there is no {file} [yet|so far], [create|write|generate] it [containing|holding|with the text] {text}",
            "a new {file} with the [content|text|words] {text}",
            "under the [name|title] {file}, [store|save|record] a [new|fresh] file [holding|containing] {text}",
            "how about a [new|fresh] [file|document] {file} [saying|reading|containing] {text}",
            "see to it that a file {file} is [created|written|made] whose [text|content] is {text}",
            "have a new file {file} [contain|hold|say] [just|only] {text}",
            "what i want is a [document|file] {file} with nothing [but|except] {text} [in it|inside]",
            "with {text} as its [only line|text|content], [create|generate|produce] the [new|] file {file}",
            "produce a [new|fresh] document {file} and [put|write|place] the [words|text|line] {text} in it",
            "one new file is [needed|wanted]: [call|name] it {file} and [let it say|have it contain|fill it with] {text}",
            "let's [create|set up|prepare|make] {file} as a new file [that reads|with the words|with the content] {text}",
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
            "under the last line of {file}, [write|put|place|insert] {text}",
            "{file}: [append|add|attach] the [line|words|text] {text} at the [end|bottom]",
            "the [line|text|words] {text}, [added|appended|attached] to the end of {file}",
            "to [finish|complete|end] {file}, [write|put|add] {text} after its last line",
            "i would like {file} to [end|finish|close] with {text}, [below|after] all that is there [now|already]",
            "there should be one [more|extra|additional] line at the [end|bottom] of {file} [saying|reading] {text}",
            "{text} [is to be|has to be|must be] [appended|attached] to the [end|bottom] of {file}",
            "{file} [is missing|lacks] its [last|final|closing] line, [append|add|write] {text} there",
            "{text} as [the|a] new [last|final] line of {file}",
            "after [everything|all the text|all lines] in {file}, [insert|add|write|put] {text}",
            "how about [appending|adding|attaching] {text} at the [end|bottom] of {file}",
            "see to it that {text} [follows|comes after|stands below] the last line of {file}",
            "have {text} [added|appended|written] [below|under|after] the [current|existing|old] text of {file}",
            "what i want is {text} [below|after] all the other [lines|rows|entries] of {file}",
            "without changing [the rest|what is there], [append|attach] the [line|text|words] {text} to {file}",
            "go to the [end|bottom] of {file} and [type|write|insert] {text} there",
            "take {file} and [add|append|attach] [one more|an extra|another] [row|line|entry] to its end, {text}",
            "we [want|need] {text} on a new line [after|below|under] the [last|final] one in {file}",
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
            "above the first line of {file}, [write|put|place|insert] {text}",
            "{file}: [insert|add|put] the [line|words|text] {text} at the [top|start|beginning]",
            "the [line|text|words] {text}, [added|inserted|placed] at the [top|beginning|start] of {file}",
            "to [open|start|begin] {file}, [write|put|add] {text} [before|above] its first line",
            "i would like {file} to [start|begin|open] with {text}, with [the rest|the old text|everything else] below it",
            "there should be one [more|extra|additional|new] line at the [top|start|beginning] of {file} [saying|reading] {text}",
            "{text} [is to be|has to be|must be] [prepended to|put on top of|inserted at the start of] {file}",
            "{file} [has no|lacks a|needs a] [heading|title|header], [put|insert|add] {text} [at the top|as its first line|above everything]",
            "{text} as [the|a] new [first|top|opening] line of {file}",
            "before the [existing|current|old] [text|lines|content] of {file}, [write|insert|put] {text}",
            "how about [adding|inserting|putting] {text} at the [top|start|beginning] of {file}",
            "see to it that {text} [comes before|precedes|stands above] the [old text|other lines] of {file}",
            "have {text} [added|inserted|written] [above|before] all the [lines|entries|rows] of {file}",
            "what i want is {text} [above|before] [everything else|all other lines|the rest] in {file}",
            "prepend the [line|text|words] {text} to {file} without [replacing|changing|deleting] [anything|the rest]",
            "go to the [top|start|beginning] of {file} and [type|write|insert] {text} there",
            "take {file} and [put|set|place] [one more|an extra|another|a new] line [in front of|above] the others, {text}",
            "we [want|need] {text} on a line of its own above what is now the [first|top] line of {file}",
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
