"""Editing text in place: replace a word, delete lines, insert a line after another."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, text
from hybrid_agent.types import ContainsCheck, EqualsCheck, LacksCheck
from task_packs.os.calls import edit, fs
from task_packs.os.data import file, fresh_phrase, marked_lines, place


def replace(draw: Draw) -> Scene:
    lost, old = draw.chance(0.25), draw.word()
    content = marked_lines(draw, old)
    phrase = draw.chance(0.3)
    while old in (new := draw.phrase(2, 3) if phrase else draw.word()) or new in content:
        pass
    asked = draw.file("txt", "md", "html", "cfg") if lost else draw.path("txt", "md", "html", "cfg")
    real, item = place(draw, asked, content, float(lost))
    gold = [edit(real, "replace_all", find=old, text=new)]
    if lost:
        gold = [edit(asked, "replace_all", find=old, text=new), fs("find", name=asked), *gold]
    return Scene(
        slots={"file": name(asked), "old": name(old), "new": text(new) if phrase else name(new)},
        setup=[item],
        gold=gold,
        done=LacksCheck(path=real, text=old),
        checks=[EqualsCheck(path=real, text=content.replace(old, new))],
    )


def delete_lines(draw: Draw) -> Scene:
    path, word = draw.path("txt", "md", "log", "csv", "cfg"), draw.word()
    content = marked_lines(draw, word, 1, 3)
    kept = "".join(line + "\n" for line in content.splitlines() if word not in line)
    return Scene(
        slots={"file": name(path), "word": name(word)},
        setup=[file(path, content)],
        gold=[edit(path, "delete", find=word)],
        done=LacksCheck(path=path, text=word),
        checks=[EqualsCheck(path=path, text=kept)],
    )


def insert_after(draw: Draw) -> Scene:
    path = draw.path("txt", "md", "cfg")
    lines = list(dict.fromkeys(draw.lines(4, 7).splitlines()))
    content = "".join(line + "\n" for line in lines)
    anchors = [line for line in lines if content.count(line) == 1]
    anchor, new = draw.choice(anchors or lines[:1]), fresh_phrase(draw, content)
    at = lines.index(anchor) + 1
    wanted = "".join(line + "\n" for line in (*lines[:at], new, *lines[at:]))
    return Scene(
        slots={"file": name(path), "line": text(anchor), "text": text(new)},
        setup=[file(path, content)],
        gold=[edit(path, "insert", after=anchor, text=new)],
        done=ContainsCheck(path=path, text=new),
        checks=[EqualsCheck(path=path, text=wanted)],
    )


INTENTS = [
    Intent(
        family="replacing",
        name="replace_text",
        train=(
            "[replace|change|swap] [every|each|] {old} [with|for|by] {new} in {file}",
            "[change|turn|convert] [all|every] {old} [into|to] {new} in {file}",
            "in {file}, [replace|swap|exchange] {old} [with|for|by] {new}",
            "in {file}, [change|turn] {old} [into|to] {new} [everywhere|throughout]",
            "[swap|exchange|substitute] {old} for {new} [everywhere|throughout] in {file}",
            "{file} should say {new} [instead of|in place of|wherever it says] {old}",
            "[use|write|put] {new} [instead of|in place of] {old} in {file}",
            "[wherever|everywhere] {file} [says|has|mentions] {old}, [make it|write|put] {new}",
            "[edit|update|correct] {file} so that it [says|has] {new} [instead of|in place of] {old}",
            "the word {old} in {file} [is wrong|is outdated], [replace it with|change it to] {new}",
            "[convert|correct|exchange] {old} to {new} in the file {file}",
            "[update|adjust|rework] {file} by [replacing|exchanging|swapping] [every|each] {old} [with|for] {new}",
            "everywhere in the [text|content] of {file}, [switch|change|turn] {old} [to|into] {new}",
            "{file}: [change|update|switch] {old} to {new} [everywhere|throughout|in every line]",
            "{old} is the [wrong|old|outdated] [word|term|name] in {file}, [put|use|write] {new} [everywhere|throughout]",
            "to bring {file} up to date, [replace|exchange] [all|every] {old} [by|with] {new}",
            "i would like {file} to [say|use] {new} [everywhere|in every place] it now [says|uses] {old}",
            "there should be no {old} left in {file}, [replace|swap] [each|every one] [with|for] {new}",
            "make sure that [every|each] {old} in {file} [becomes|is replaced with|is changed to] {new}",
            "all [mentions|occurrences|instances] of {old} in {file} have to be [changed|switched|converted] to {new}",
            "we no longer say {old}, so [make|write] it {new} [everywhere|throughout|all over] in {file}",
            "{old} to {new}, [everywhere|throughout|all occurrences] in {file}",
            "with {new} [in place of|instead of|replacing] every {old}, [save|rewrite|update] the [file|document] {file}",
            "take {file}, [find|look up] [every|each] {old} in it and [make it|turn it into|change it to] {new}",
            "how about [writing|using|saying] {new} [rather than|instead of|in place of] {old} all through {file}",
            "let's [rename|change|switch] {old} to {new} [all over|everywhere in|throughout] the [file|document] {file}",
            "see to it that {new} [replaces|takes the place of] {old} [everywhere|in all places] in {file}",
            "wherever {old} [occurs|appears|turns up] in {file}, it should [be|read|say] {new}",
        ),
        val=(
            "[convert|change] {old} to {new} throughout the file {file}",
            "[correct|update] every {old} in {file}, it should be {new}",
        ),
        held=(
            "everywhere in {file}, [put|use] {new} in place of {old}",
            "[exchange|swap] the word {old} in {file} for {new}",
            "for {file}, [turn|convert] each {old} into {new}",
            "[edit|update] {file}, wherever it has {old} it should say {new}",
        ),
        build=replace,
        weight=1.5,
    ),
    Intent(
        family="replacing",
        name="delete_lines",
        train=(
            "[delete|remove|drop|erase] [the|all|] lines [with|containing|that contain] {word} from {file}",
            "[delete|remove] every line [mentioning|that mentions|with] {word} in {file}",
            "in {file}, [delete|remove|drop|cut] [all|the] lines [containing|mentioning|with] {word}",
            "[strip|clean|clear] {file} of [all|the] lines [with|containing|mentioning] {word}",
            "no line in {file} should [mention|contain|have] {word}, [delete|remove|erase] those [lines|that do]",
            "[take|cut] the lines [mentioning|with|containing] {word} out of {file}",
            "[get rid of|throw away] [the|all] {word} lines in {file}",
            "[edit|clean up] {file} so that [no line|none of its lines] [mentions|contains] {word}",
            "the lines of {file} [with|containing] {word} are [useless|not needed any more], [delete|drop] them",
            "[discard|throw out|clear out] [all|the] [rows|lines|entries] of {file} that [mention|include|contain] {word}",
            "from {file}, [take out|cut|throw out] [every|each] [line|row] [in which|where] {word} [occurs|appears]",
            "{file}: [remove|delete|drop] [each|every] [line|row] that [has|contains|mentions] {word}",
            "the [rows|lines|entries] with {word} in {file} are [wrong|outdated|obsolete], [erase|remove|delete] them",
            "to [clean|clean up|tidy] {file}, [erase|get rid of|throw out] the [lines|rows] [mentioning|containing] {word}",
            "i would like {file} without the [lines|rows|entries] that [contain|mention|include] {word}",
            "there should be no [line|row|entry] [left|any more] in {file} that [contains|mentions] {word}",
            "make sure that [all|the] lines [with|containing|mentioning] {word} are [gone|removed|deleted|dropped] from {file}",
            "[every|each] [line|row] of {file} in which {word} [occurs|appears|turns up] has to be [deleted|removed|erased]",
            "we do not need {word} any more, [drop|delete|remove] its [lines|rows|entries] from {file}",
            "all lines with {word} [out of|gone from|deleted from] {file}",
            "if a [line|row] in {file} [mentions|contains|includes] {word}, [delete|remove|discard] the [whole|entire|complete] line",
            "take {file}, [find|look for] the [lines|rows] [with|containing] {word} and [delete|discard|erase] them",
            "how about [deleting|dropping|removing] [every|each] line that [says|mentions|contains] {word} from {file}",
            "let's [throw out|get rid of|clear out] the [entries|lines|rows] [mentioning|containing] {word} in {file}",
            "see to it that {file} [loses|drops] [all|the] [lines|rows] [with|that mention|that contain] {word}",
            "only the lines of {file} without {word} should [stay|remain], [remove|delete|erase] the [others|rest]",
        ),
        val=(
            "[cut|drop] every {word} line from {file}",
            "[clear|strip] the lines that mention {word} out of {file}",
        ),
        held=(
            "[erase|throw away] those lines in {file} that contain {word}",
            "for {file}, [get rid of|remove] each line with {word}",
            "{file} should have no lines mentioning {word}, [cut|take] them out",
        ),
        build=delete_lines,
    ),
    Intent(
        family="replacing",
        name="insert_after",
        train=(
            "[insert|add|put|write] [the line|] {text} after the line {line} in {file}",
            "in {file}, [insert|add|put|place] {text} [right after|directly after|below|after] [the line|] {line}",
            "after the line {line} [in|of] {file}, [add|insert|write|put] [the line|] {text}",
            "[below|under] the line {line} [in|of] {file}, [put|place|insert] {text}",
            "the line {line} in {file} should be followed by {text}",
            "[let|make] the line {text} follow {line} in {file}",
            "[find|look for] the line {line} in {file} and [add|insert|write] {text} [below|under|after] it",
            "[edit|update|extend] {file} so that {text} comes [right after|directly after|after] {line}",
            "{text} [should come|has to come|belongs] [right after|directly below] the line {line} in {file}",
            "in {file}, let {line} be followed by {text}",
            "{text} should follow the line {line} in {file}",
            "[drop|place|slip] a new line {text} into {file} [just below|right after|directly under] the line {line}",
            "under the [line|entry] {line} in {file}, [there should be|we need|i want] [the line|a new line] {text}",
            "{file}: [insert|add|write] {text} [right below|directly after|just after] [the line|the entry] {line}",
            "the [new|next] line {text} [goes|belongs] [below|under|after] the line {line} in {file}",
            "to [extend|update|complete] {file}, [add|insert|write] {text} [just after|right after|below] the line {line}",
            "i would like the line {line} in {file} to have {text} [right after|directly under|just below] it",
            "there should be a line {text} [right after|directly below|just under] {line} in {file}",
            "make sure that {text} [comes|appears|stands] [right after|just below|directly after] the line {line} in {file}",
            "the line {text} has to be [inserted|added|written] in {file} [after|below|under] the line {line}",
            "after the line {line}, something is missing in {file}, [add|insert|put in] {text} [there|at that place]",
            "{text} [right below|just after|directly after] {line} in {file}",
            "with {line} as the line [before|above] it, [add|insert|put] [the new line|the line] {text} in {file}",
            "take {file}, [go to|find|look up] the line {line} and [place|write|insert] {text} [right below|right after] it",
            "how about [adding|inserting|putting] {text} in {file} as the line [following|after|below] {line}",
            "let's [add|put|place] [a new line|the line] {text} after {line} in the [file|document] {file}",
            "see to it that {line} is [followed directly|directly followed] by the [new line|line] {text} in {file}",
            "what i want in {file} is {text} on [a new|its own] line [just below|right after|directly after] {line}",
        ),
        val=(
            "[place|write] {text} under the line {line} of the file {file}",
            "[extend|update] {file}, {line} should be followed by the line {text}",
        ),
        held=(
            "[let|make] {text} come directly below the line {line} in {file}",
            "for {file}, [insert|place] a line {text} right after {line}",
            "[look for|find] {line} in {file}, the line {text} should follow it",
        ),
        build=insert_after,
    ),
]
