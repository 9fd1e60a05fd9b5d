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
