"""Counting lines, words, matching lines and files into a file."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import CommandCheck, EqualsCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import LEVELS, file, log_text, marked_lines, place


def count_lines(draw: Draw) -> Scene:
    lost, content, out = draw.chance(0.25), draw.lines(3, 14), draw.file("txt", "dat")
    asked = draw.file("txt", "md", "log", "csv") if lost else draw.path("txt", "md", "log", "csv")
    real, item = place(draw, asked, content, float(lost))
    gold = [shell(f"wc -l < {real} > {out}")]
    if lost:
        gold = [shell(f"wc -l < {asked} > {out}"), fs("find", name=asked), *gold]
    return Scene(
        slots={"file": name(asked), "out": name(out)},
        setup=[item],
        gold=gold,
        done=CommandCheck(cmd=f"grep . {out}"),
        checks=[EqualsCheck(path=out, text=str(len(content.splitlines()))), EqualsCheck(path=real, text=content)],
    )


def count_words(draw: Draw) -> Scene:
    path, content, out = draw.path("txt", "md"), draw.lines(2, 9), draw.file("txt", "dat")
    return Scene(
        slots={"file": name(path), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"wc -w < {path} > {out}")],
        done=CommandCheck(cmd=f"grep . {out}"),
        checks=[EqualsCheck(path=out, text=str(len(content.split()))), EqualsCheck(path=path, text=content)],
    )


def count_matching(draw: Draw) -> Scene:
    out = draw.file("txt", "dat")
    if draw.chance(0.5):
        path, word = draw.path("log"), draw.choice(LEVELS)
        content = log_text(draw, word)
    else:
        path, word = draw.path("txt", "md", "csv"), draw.word()
        content = marked_lines(draw, word)
    number = sum(word in line for line in content.splitlines())
    return Scene(
        slots={"file": name(path), "word": name(word), "out": name(out)},
        setup=[file(path, content)],
        gold=[shell(f"grep -c '{word}' {path} > {out}")],
        done=CommandCheck(cmd=f"grep . {out}"),
        checks=[EqualsCheck(path=out, text=str(number)), EqualsCheck(path=path, text=content)],
    )


def count_files(draw: Draw) -> Scene:
    path, out, number = draw.dir(), draw.file("txt", "dat"), draw.number(2, 7)
    return Scene(
        slots={"dir": name(path), "out": name(out)},
        setup=[file(f"{path}/{draw.file()}", draw.lines(1, 2)) for _ in range(number)],
        gold=[shell(f"ls {path} | wc -l > {out}")],
        done=CommandCheck(cmd=f"grep . {out}"),
        checks=[EqualsCheck(path=out, text=str(number))],
    )


INTENTS = [
    Intent(
        family="counting",
        name="count_lines",
        train=(
            "count the lines [of|in] {file} and [write|save|store|put] the [number|count|result] [to|in|into] {out}",
            "[write|save|store|put] the number of lines [of|in] {file} [to|in|into] {out}",
            "[find out|check|determine] how many lines {file} has and [write|note|record] [that|the number] in {out}",
            "[note|record|report] how many lines [there are in {file}|{file} has] in {out}",
            "{out} should [hold|contain|say] [the line count|the number of lines] of {file}",
            "[make|create] {out} with the line count of {file}",
            "[get|determine] the line count of {file}, the [number|result] goes [to|into] {out}",
            "for {file}, [count|add up] the lines and [save|store|note] the [number|total] in {out}",
            "into {out}, [write|put|place] how many [lines|rows] {file} [contains|consists of]",
            "{file}: [count|tally|add up] its lines into {out}",
            "to [get|produce|build] {out}, count [every line|all the lines|all the rows] of {file}",
            "i would like {out} to [hold|show|give] the [total|number|amount] of lines [found|present] in {file}",
            "make sure that {out} [holds|ends up with|contains] the line total of {file}",
            "the [lines|rows] of {file} [have to|must|are to] be counted, with the [figure|total|result] [kept|stored|saved] in {out}",
            "{out}: [line count|line total|number of lines] of {file}",
            "take {file}, [count|tally|total up] its lines and [drop|record|put] the [figure|sum] in {out}",
            "how about [writing|saving|putting] the [line total|number of rows] of {file} [into|to] {out}",
            "let's [see|find out] how many lines are in {file}, [put|keep|leave] the answer in {out}",
            "see to it that {out} [states|gives|tells] how many lines [there are in|make up] {file}",
            "have {out} [contain|show|state] [just|only|] the number of [lines|rows] {file} has",
            "what i [want|need] is a file {out} with the [line count|length in lines] of {file}",
            "nobody knows how long {file} is, [count|add up] its lines and [print|send|write] the [number|result] to {out}",
            "with wc, [count|tally|total] the lines of {file} and [place|save|drop] the [figure|answer] in {out}",
            "once the lines of {file} are counted, [write|store|note] the total in {out}",
            "[generate|produce|prepare] {out} from {file}, it [should|must|has to] [hold|contain] the number of lines",
            "go through {file} line by line, how many lines {file} has [belongs|goes] in {out}",
        ),
        val=(
            "[determine|report] the total of lines in {file} in {out}",
            "how many lines {file} has [should be written|should be noted] in {out}",
        ),
        held=(
            "[record|store] the line count of {file} as {out}",
            "[count|add up] all lines of {file}, [put|note] the result in {out}",
            "in {out}, [say|write] how many lines there are in {file}",
        ),
        build=count_lines,
    ),
    Intent(
        family="counting",
        name="count_words",
        train=(
            "count the words [of|in] {file} and [write|save|store|put] the [number|count|result] [to|in|into] {out}",
            "[write|save|store|put] the number of words [of|in] {file} [to|in|into] {out}",
            "[find out|check|determine] how many words {file} has and [write|note|record] [that|the number] in {out}",
            "[note|record|report] how many words [there are in {file}|{file} has] in {out}",
            "{out} should [hold|contain|say] [the word count|the number of words] of {file}",
            "[make|create] {out} with the word count of {file}",
            "[get|determine] the word count of {file}, the [number|result] goes [to|into] {out}",
            "for {file}, [count|add up] the words and [save|store|note] the [number|total] in {out}",
            "in {out}, [record|place|drop] how many words [there are|are found] in {file}",
            "{file}: [its word count|its number of words|the total of its words] [goes|belongs] in {out}",
            "to [make|set up|generate] {out}, [add up|total] [all the|the single|the] words of {file}",
            "we [need|want] {out} to [show|state|contain] the [total|amount] of words in {file}",
            "there should be a file {out} that [says|tells us|shows] how many words {file} [has|contains]",
            "all words in {file} [are to|must|have to] be counted and the [figure|sum|total] [written|saved|printed] to {out}",
            "{out} with the word total of {file}, [nothing else|that is all i need]",
            "take the [text|content|contents] of {file}, count its words and [keep|store|put] the [count|figure] in {out}",
            "how about a file {out} [giving|stating|holding] the number of words [found in|used in|in] {file}",
            "let's [tally|count|total] the words of {file} and [drop|record|place] the [answer|sum] in {out}",
            "see to it that the [word total|number of words|word count] of {file} [ends up|lands|is stored] in {out}",
            "have the words of {file} counted, the [figure|answer|total] [belongs|should be] in {out}",
            "what i want in {out} is how many words {file} [runs to|has|consists of]",
            "my text {file} may be too long, [work out|count|check] its words and [print|note|write] the total to {out}",
            "with wc -w, [count|measure] how many words {file} has, [output|result|answer] to {out}",
            "after counting the words of {file}, [leave|place|write down] the [number|figure] in {out}",
            "[produce|prepare|build] {out} from {file}, it [is to|should|must] hold the word count and nothing else",
            "make sure {out} tells how many words, not lines, are in {file}",
        ),
        val=(
            "[determine|report] the total of words in {file} in {out}",
            "how many words {file} has [should be written|should be noted] in {out}",
        ),
        held=(
            "[record|store] the word count of {file} as {out}",
            "[count|add up] all words of {file}, [put|note] the result in {out}",
            "in {out}, [say|write] how many words there are in {file}",
        ),
        build=count_words,
    ),
    Intent(
        family="counting",
        name="count_matching",
        train=(
            "count the lines [of|in] {file} [with|containing] {word} and [write|save|put] the number to {out}",
            "[write|save|store|put] the number of {word} lines [of|in] {file} [to|in|into] {out}",
            "[find out|check|determine] how many lines of {file} [mention|contain] {word} and [note|write] it in {out}",
            "[note|record|report] [how often|how many times] {word} [occurs|appears] in {file} in {out}",
            "{out} should [hold|contain|say] the number of lines in {file} [mentioning|containing|with] {word}",
            "count {word} in {file}, the [number|result|count] goes [to|into] {out}",
            "for {file}, count [the lines|every line] [mentioning|containing] {word}, [save|store] the total in {out}",
            "how many {word} [entries|lines] {file} has [should be written|should go] to {out}",
            "[count|add up] the {word} [entries|lines|messages] [of|in] {file} [into|in] {out}",
            "into {out}, [put|write|place] how many lines of {file} [include|contain|have] {word}",
            "{file}: [tally|count|add up] the lines with {word} [in them|on them], total to {out}",
            "to [produce|build|make] {out}, [count|tally] only those lines of {file} that [mention|include|contain] {word}",
            "i would like {out} to [give|show|state] how many [lines|rows|entries] with {word} are in {file}",
            "there should be a file {out} with the [count|number|tally] of [lines|rows] in {file} where {word} [appears|occurs|shows up]",
            "every line of {file} that [contains|mentions|has] {word} is to be counted, the [sum|figure] [stored|saved|kept] in {out}",
            "{out}: number of [lines|rows|entries] [with|containing|matching] {word} in {file}",
            "take {file}, [look for|search for|pick out] {word} and [record|store|drop] the number of matching lines in {out}",
            "how about [counting|tallying] the {word} [lines|rows|entries] in {file} and [saving|placing] the [figure|answer] in {out}",
            "let's see how many [lines|rows] in {file} have {word}, [keep|put|leave] the number in {out}",
            "see to it that {out} [says|tells|states] on how many lines of {file} {word} [appears|is found]",
            "have {out} [contain|hold|show] the [match count|number of matching lines] for {word} in {file}",
            "what i want to know is how many lines with {word} {file} has, [answer|result] in {out}",
            "there are too many {word} [lines|entries] in {file}, [count|tally] them and [print|send|write] the total to {out}",
            "with grep, [count|total] the lines of {file} that [match|contain] {word}, [number|output] to {out}",
            "once you have counted the lines in {file} that [include|mention] {word}, [place|note|save] that number in {out}",
            "only lines [with|containing|mentioning] {word} matter in {file}, [write|drop|record] their count in {out}",
            "from {file}, work out the [number|total] of [rows|lines] having {word} and [file|store|write] it in {out}",
        ),
        val=(
            "[determine|get] the count of lines in {file} that mention {word} and put it in {out}",
            "[report|record] the number of {word} entries of {file} in {out}",
        ),
        held=(
            "[note|store] the total of {word} lines in {file} as {out}",
            "in {out}, [write|say] how many times {word} occurs in {file}",
            "[check|find out] how often {file} mentions {word}, the number should go into {out}",
        ),
        build=count_matching,
    ),
    Intent(
        family="counting",
        name="count_files",
        train=(
            "count the files [of|in] [the folder|] {dir} and [write|save|store|put] the [number|count|result] to {out}",
            "[write|save|store|put] the number of files [in|inside] {dir} [to|in|into] {out}",
            "[find out|check|determine] how many files [the folder|] {dir} has and [write|note|record] it in {out}",
            "[note|record|report] how many files [there are in {dir}|{dir} holds] in {out}",
            "{out} should [hold|contain|say] the number of files [in|inside] [the folder|] {dir}",
            "[make|create] {out} with the file count of {dir}",
            "[get|determine] the file count of [the folder|] {dir}, the [number|result] goes [to|into] {out}",
            "for [the folder|the directory] {dir}, [count|add up] the files and [save|store|note] the total in {out}",
            "into {out}, [place|write|put] how many files [lie|are|sit] in {dir}",
            "{dir}: [tally|count|add up] its files into {out}",
            "to [create|generate|prepare] {out}, count [everything|all the files|each file] [stored|kept|lying] in the folder {dir}",
            "i [need|want] {out} to [tell|show|state] how many [files|documents] the directory {dir} [has|contains]",
            "make sure that {out} [ends up with|contains|gives] the [total|number] of files kept in {dir}",
            "the files inside {dir} [are to|have to|must] be counted, [result|figure|answer] in {out}",
            "{out}: [file total|file count|number of files] of the directory {dir}",
            "take the [folder|directory] {dir}, [count|tally] the files it [holds|contains] and [drop|record|note] the sum in {out}",
            "how about [putting|writing|saving] the [file total|number of files] of {dir} [into|in] {out}",
            "let's find out how full the [folder|directory] {dir} is, [save|place|leave] its file count in {out}",
            "see to it that {out} [holds|says|shows] how many files [can be found|there are|are stored] in {dir}",
            "have {out} [state|contain|give] the [amount|number] of [files|documents] in the [folder|directory] {dir}",
            "what we want is a file {out} with [the count|the number|a tally] of the files in {dir}",
            "the folder {dir} has grown, count [its files|the files in it] and [print|send|write] the [figure|total] to {out}",
            "with ls and wc, [work out|get|find] the number of files in {dir} and [store|keep|put] it in {out}",
            "once the files of {dir} have been counted, the [total|number|sum] [goes|belongs] in {out}",
            "[build|produce|set up] {out} so that it [says|tells] how many files are in the folder {dir}",
            "list {dir} and count what is there, the number of files in {dir} goes [to|into] {out}",
        ),
        val=(
            "[determine|report] the total of files inside {dir} in {out}",
            "how many files the directory {dir} has [should be written|should be noted] in {out}",
        ),
        held=(
            "[record|store] the file count of the directory {dir} as {out}",
            "[count|add up] all files inside {dir}, [put|note] the result in {out}",
            "in {out}, [say|write] how many files there are in the folder {dir}",
        ),
        build=count_files,
    ),
]
