"""Finding files by name, by content, by being empty; noting where one lies."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import ContainsCheck, EqualsCheck, ExistsCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import file

KINDS = ("txt", "md", "log", "csv", "json", "py", "sh", "html", "cfg", "yaml")


def by_name(draw: Draw) -> Scene:
    path, kind, out = draw.dir(), draw.choice(KINDS), draw.file("txt")
    others = [each for each in KINDS if each != kind]
    wanted = [f"{path}/{draw.path(kind)}" for _ in range(draw.number(2, 4))]
    rest = [f"{path}/{draw.path(*others)}" for _ in range(draw.number(1, 3))]
    pattern = f"*.{kind}"
    return Scene(
        slots={"dir": name(path), "pattern": plain(pattern), "out": name(out)},
        setup=[file(each, draw.lines(1, 3)) for each in (*wanted, *rest)],
        gold=[shell(f"find {path} -name '{pattern}' | sort > {out}")],
        done=ContainsCheck(path=out, text=path),
        checks=[EqualsCheck(path=out, text="\n".join(sorted(wanted)))],
    )


def by_content(draw: Draw) -> Scene:
    path, word, out = draw.dir(), draw.word(), draw.file("txt")
    wanted, rest = {}, {}
    for _ in range(draw.number(1, 3)):
        wanted[f"{path}/{draw.path('txt', 'md', 'log')}"] = f"{draw.lines(1, 2)}{draw.word()} {word}\n"
    for _ in range(draw.number(1, 3)):
        content = "".join(line + "\n" for line in draw.lines(2, 4).splitlines() if word not in line)
        rest[f"{path}/{draw.path('txt', 'md', 'log')}"] = content or "-\n"
    return Scene(
        slots={"dir": name(path), "word": name(word), "out": name(out)},
        setup=[file(each, content) for each, content in (wanted | rest).items()],
        gold=[shell(f"grep -rl '{word}' {path} | sort > {out}")],
        done=ContainsCheck(path=out, text=path),
        checks=[EqualsCheck(path=out, text="\n".join(sorted(wanted)))],
    )


def empty_files(draw: Draw) -> Scene:
    path, out = draw.dir(), draw.file("txt")
    empty = [f"{path}/{draw.path()}" for _ in range(draw.number(1, 3))]
    full = [f"{path}/{draw.path()}" for _ in range(draw.number(1, 3))]
    return Scene(
        slots={"dir": name(path), "out": name(out)},
        setup=[*(file(each, "") for each in empty), *(file(each, draw.lines(1, 3)) for each in full)],
        gold=[shell(f"find {path} -type f -empty | sort > {out}")],
        done=ContainsCheck(path=out, text=path),
        checks=[EqualsCheck(path=out, text="\n".join(sorted(empty))), *(ExistsCheck(path=each) for each in empty)],
    )


def locate(draw: Draw) -> Scene:
    target, out = draw.file(), draw.file("txt")
    real = f"{draw.dir()}/{target}" if draw.chance(0.6) else f"{draw.dir()}/{draw.dir()}/{target}"
    noted = ContainsCheck(path=out, text=real)
    content = draw.lines(1, 4)
    return Scene(
        slots={"file": name(target), "out": name(out)},
        setup=[file(real, content)],
        gold=[fs("find", name=target), fs("write", out, text=real)],
        done=noted,
        checks=[EqualsCheck(path=out, text=real), EqualsCheck(path=real, text=content)],
    )


INTENTS = [
    Intent(
        family="finding",
        name="find_by_name",
        train=(
            "[find|search for|look for] all {pattern} files [in|under] {dir} and [save|write] their paths to {out}",
            "[list|write|save|store] [all|the] {pattern} files [in|under|below] [the folder|] {dir} [in|to] {out}",
            "[write|save|put] the paths of [all|the|every] {pattern} [files|file] [in|under|below] {dir} to {out}",
            "in {out}, [list|record|note] [every|each] {pattern} file [under|below|inside] {dir}",
            "[make|create|produce] a list of the {pattern} files [in|below|under] {dir} as {out}",
            "[search|look through|go through] {dir} for {pattern} files and [list|record] them in {out}",
            "{out} should [list|name|hold] all files under {dir} [matching|whose names match] {pattern}",
            "[find|collect] everything [matching|that matches] {pattern} [in|below] {dir}, the paths go to {out}",
            "the paths of all {pattern} files [in|below] {dir} should be [listed|noted|written] in {out}",
        ),
        val=(
            "[look through|search] the folder {dir} and [note|record] all {pattern} files in {out}",
            "[store|keep] a list of each {pattern} file below {dir} in {out}",
        ),
        held=(
            "for every file under {dir} matching {pattern}, [write|record] its path in {out}",
            "[go through|search] the directory {dir}, all {pattern} files should be listed in {out}",
            "[collect|note] the paths of files that match {pattern} below {dir} in {out}",
        ),
        build=by_name,
    ),
    Intent(
        family="finding",
        name="find_by_content",
        train=(
            "[find|look for] the files in {dir} that [contain|mention] {word} and [list|save] them in {out}",
            "[list|record|note] [all|the] files [in|under] {dir} that [mention|contain|include] {word} in {out}",
            "[search|look through] {dir} for the word {word} and [save|write] the [matching files|file names] to {out}",
            "[save|write|put|store] the names of all files under {dir} [containing|mentioning] {word} to {out}",
            "in {out}, [list|name] every file below {dir} in which {word} [occurs|appears]",
            "{out} should [list|name] the files in {dir} [where|in which] {word} [occurs|appears]",
            "[grep|search] [all files in|the files of] {dir} for {word} and [put|write] their names in {out}",
            "[check|find out] which files [in|below] {dir} [mention|contain|use] {word}, [write|list] them in {out}",
            "in {out}, [note|record] the files of {dir} that [include|use] {word}",
        ),
        val=(
            "[look through|go through] the folder {dir} and list the files that include the word {word} in {out}",
            "which files under {dir} mention {word}, [record|note] their names in {out}",
        ),
        held=(
            "[find out|check] in which files of {dir} the word {word} appears and [save|store] the list as {out}",
            "[note|record] every file mentioning {word} in the directory {dir} in {out}",
            "for the word {word}, [list|write] the files below {dir} where it occurs to {out}",
        ),
        build=by_content,
    ),
    Intent(
        family="finding",
        name="find_empty",
        train=(
            "[find|search for|look for] [all|the] empty files [in|under|below] {dir}, [save|write|list] them in {out}",
            "[list|record|note] [all|the] empty files [in|under|below] [the folder|] {dir} in {out}",
            "[write|save|put|store] the paths of [all|the] empty files [in|under] {dir} to {out}",
            "in {out}, [list|name|record] every empty file [under|below] {dir}",
            "[search|look through|go through] {dir} for files without [content|any content] and list them in {out}",
            "{out} should [list|name|hold] the empty files [in|of] {dir}",
            "[make|create] a list of the files in {dir} that are empty and [save|store] it as {out}",
            "[check|find out] which files [in|below] {dir} are empty, [write|list|record] them in {out}",
            "the empty files [in|below] {dir} should be [listed|noted|recorded] in {out}",
        ),
        val=(
            "[note|store] each file below {dir} that has no content in {out}",
            "[go through|look through] the folder {dir} and record its empty files in {out}",
        ),
        held=(
            "for the folder {dir}, [save|write] a list of empty files as {out}",
            "[find out|check] which files of the directory {dir} are without content, their paths go to {out}",
            "[look for|collect] files without content under {dir}, [note|list] them in {out}",
        ),
        build=empty_files,
    ),
    Intent(
        family="finding",
        name="locate_file",
        train=(
            "[find|locate|look for] [the file|] {file} and [write|save|note] its path [in|to] {out}",
            "[find out|check] where {file} is [kept|stored|located] and [save|write|put] its path in {out}",
            "[write|save|put|store] the path of [the file|] {file} [in|to|as] {out}",
            "[search for|look for] {file}, [its|the] path [goes to|should go to|belongs in] {out}",
            "where is {file}, [write|note|record] the [path|location] in {out}",
            "{out} should [say|tell] where [the file|] {file} [is|lies]",
            "[note|record] the [path|location] of {file} in {out}",
            "{file} is somewhere [in here|below], [find|locate] it and [note|write] the path in {out}",
            "the place where {file} lies should be [noted|written] in {out}",
        ),
        val=(
            "[locate|search for] the file {file} and record its location in {out}",
            "in {out}, note where {file} is stored",
        ),
        held=(
            "[store|put] the location of the file {file} in {out}",
            "[find out|check] in which place {file} lies, [record|save] the path as {out}",
            "for the file {file}, [locate|find] it and let {out} hold its path",
        ),
        build=locate,
    ),
]
