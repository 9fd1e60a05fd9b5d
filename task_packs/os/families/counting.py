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
