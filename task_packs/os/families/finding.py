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
            "[gather|collect|record] in {out} the paths of [all|the] files below {dir} whose [names match|name fits] {pattern}",
            "into {out}, [write|put|place] the [path|location] of [every|each] {pattern} file [found|there is] under {dir}",
            "{dir} and its [subfolders|subdirectories]: [list|note] all {pattern} files in {out}",
            "to [get|build|prepare] {out}, find [whatever|everything] is named like {pattern} [in|under] {dir}",
            "i would like [a list|an overview] of the {pattern} files from {dir} [in|saved as|stored in] {out}",
            "there should be a list {out} with the [paths|locations] of all {pattern} [files|documents] [below|under] {dir}",
            "make sure that {out} [names|mentions|lists] every {pattern} file [inside|in|within] the [folder|directory] {dir}",
            "each file [below|in|under] {dir} with a name like {pattern} is to be [recorded|noted|listed] in {out}",
            "we lost track of the {pattern} files [in|under] {dir}, [put|write] [a list of them|their paths] in {out}",
            "{pattern} files [under|below|inside] {dir}, [as a list|all paths] in {out}",
            "with {pattern} as the [name pattern|file name pattern], [search|scan] {dir} and [save|write] the [hits|matches] to {out}",
            "take the [folder|directory] {dir}, [pick out|find] its {pattern} files and [print|write] their paths [to|into] {out}",
            "how about a list of [every|each] {pattern} file in {dir}, [saved|written|stored] as {out}",
            "let's [list|record|note down] the {pattern} files that [exist|are kept|lie] under {dir} in {out}",
            "see to it that {out} [shows|tells] which {pattern} files [exist|there are] [in|below] {dir}",
            "what i want in {out} is the [path|location] of [every|each] {pattern} file [under|in] {dir}",
            "wherever a {pattern} file [lies|sits|is kept] below {dir}, [record|note] its path in {out}",
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
            "[gather|collect] in {out} the names of the files [under|below] {dir} whose [text|content] [mentions|contains] {word}",
            "into {out}, [write|put|place] the paths of the files [in|below] {dir} [that contain|with] the word {word}",
            "{dir}: [find out|check] which files in it [mention|use] {word} and [record|list] their names in {out}",
            "to [create|build|prepare] {out}, grep {dir} for {word} and [keep|save] the [names|paths] of the [hits|matching files]",
            "i would like to [know|see] which files [in|under] {dir} [mention|contain|use] {word}, [answer|list] in {out}",
            "there should be a list {out} of [all|the] [documents|files] under {dir} [containing|mentioning] {word}",
            "make sure {out} [names|lists] every file [within|below|in] {dir} that has {word} [in its text|somewhere in it]",
            "the names of files [in|below] {dir} where the text {word} [occurs|turns up] are to be [saved|noted] in {out}",
            "we used {word} in [several|some] files [of|under] {dir}, [write|put] the names of those files [to|into] {out}",
            "all files [mentioning|containing] {word} [under|inside] {dir}, [names|paths] [listed in|go to] {out}",
            "with grep, [search|scan] the [text|contents] of all files in {dir} for {word}, file names [go to|into] {out}",
            "take [all files|every file] under {dir}, [look inside|read them] for {word} and [report|list] the matching files in {out}",
            "how about [a list|an overview] in {out} of the [files|documents] from {dir} that [mention|contain] {word}",
            "let's [see|find out] where in {dir} the word {word} is [used|written], file names [into|to] {out}",
            "see to it that each file [in|below] {dir} with {word} in its [content|text] is [named|listed] in {out}",
            "have {out} [show|contain|hold] the paths of those files [under|in] {dir} that [talk about|mention] {word}",
            "if a file [below|in] {dir} [contains|mentions|includes] the word {word}, its name [belongs|goes] in {out}",
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
            "[gather|collect] in {out} the [names|paths] of all files [below|under] {dir} that are [empty|zero bytes long]",
            "into {out}, [put|write|place] the path of [each|every] file [in|under] {dir} that [is empty|has no content]",
            "{dir}: [find|look up] its empty files and [record|note] their [paths|names] in {out}",
            "to [prepare|create|build] the list {out}, [collect|find] every [empty|zero byte] file [in|below] {dir}",
            "i would like [a list|an overview] of the empty files [of|under|in] {dir} [saved as|stored in] {out}",
            "there should be a list of [all|the] [empty|zero byte] files [below|in] {dir} in {out}",
            "make sure that {out} [names|lists|mentions] all files [within|under] {dir} [with nothing in them|that hold nothing]",
            "each [empty|zero length] file [inside|under|below] {dir} is to be [noted|recorded|listed] in {out}",
            "some files [in|under] {dir} were left empty, [write|save|report] [their paths|which ones] in {out}",
            "all empty files [under|of|in] {dir}, [as a list|all paths] in {out}",
            "with a [look|search] through {dir}, [find|collect] the files [of size zero|that have no content], paths [into|to] {out}",
            "take the [folder|directory] {dir}, [pick out|find] the empty files and [print|write] their names [to|into] {out}",
            "how about [listing|recording|noting] in {out} which files [below|in] {dir} are empty",
            "let's [have|get] a list of every empty [file|document] [in|under] {dir}, [saved|written] to {out}",
            "see to it that {out} [shows|tells|says] which files [below|in] {dir} [contain nothing|are empty]",
            "have {out} [contain|hold|show] the paths of the [empty|zero byte] files [inside|below] the [folder|directory] {dir}",
            "what i want [in|to see in] {out} is every file under {dir} [without any text|that has no content|that is empty]",
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
            "[track down|seek out|discover] the file {file} and [place|drop|put] its [path|location] in {out}",
            "into {out}, [put|write|place] the [path|location] [under which|where] {file} can be found",
            "{file}: find out where it [is|lies|sits] and [record|store] the path in {out}",
            "to [fill|prepare|create] {out}, [find|locate] {file} and [write|note] down its path",
            "i would like to [know|read] in {out} which [folder|directory] path the file {file} [has|is under]",
            "we need the [path|whereabouts|location] of the [file|document] {file} [saved|stored|written] in {out}",
            "there should be one line in {out}, the [path|location] of the file {file}",
            "make sure that {out} [holds|contains|gives] the [path|location] of [the document|the file] {file}",
            "the file {file} has to be [found|located] and its path [saved|recorded|stored] as {out}",
            "nobody remembers where {file} [is|was put|was saved], [find|search for] it and [leave|write] the path in {out}",
            "{file}, its [path|location|whereabouts], [saved|written|noted] to {out}",
            "once you have [found|located] {file}, [put|report|save] [its path|the path] in {out}",
            "[search|look through] the folders for {file}, [take|get] its path and [write|save] that [to|into] {out}",
            "how about [finding|locating] {file} and [noting|writing] [its path|the path to it] in {out}",
            "let's find out [where|in which folder] {file} is [hidden|kept], [answer|path] [into|to] {out}",
            "see to it that {out} [tells|shows] [me|us] the path [of|to] {file}",
            "wherever {file} [is|lies|may be], [find it and save|look it up and write] the path to {out}",
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
