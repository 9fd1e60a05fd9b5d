"""Deleting what the goal names: a file, a folder, all files of a kind in a folder."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import AbsentCheck, CommandCheck, EqualsCheck, ExistsCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import file

KINDS = ("tmp", "bak", "log", "old", "pyc", "swp", "cache", "out")


def delete_file(draw: Draw) -> Scene:
    path = draw.path()
    gone = AbsentCheck(path=path)
    neighbour, content = draw.file(), draw.lines()
    return Scene(
        slots={"file": name(path)},
        setup=[file(path, draw.lines()), file(neighbour, content)],
        gold=[fs("remove", path)],
        done=gone,
        checks=[gone, EqualsCheck(path=neighbour, text=content)],
        destructive=True,
    )


def delete_folder(draw: Draw) -> Scene:
    path, gone = draw.dir(), None
    gone = AbsentCheck(path=path)
    return Scene(
        slots={"dir": name(path)},
        setup=[file(f"{path}/{draw.path()}", draw.lines()) for _ in range(draw.number(1, 3))],
        gold=[fs("remove", path)],
        done=gone,
        checks=[gone],
        destructive=True,
    )


def delete_kind(draw: Draw) -> Scene:
    path, kind = draw.dir(), draw.choice(KINDS)
    doomed = [f"{path}/{draw.path(kind)}" for _ in range(draw.number(2, 4))]
    kept = [f"{path}/{draw.path('txt', 'md', 'csv')}" for _ in range(draw.number(1, 3))]
    pattern = f"*.{kind}"
    return Scene(
        slots={"dir": name(path), "pattern": plain(pattern)},
        setup=[file(each, draw.lines(1, 4)) for each in (*doomed, *kept)],
        gold=[shell(f"find {path} -name '{pattern}' -delete")],
        done=CommandCheck(cmd=f"find {path} -name '{pattern}'", stdout=""),
        checks=[*(AbsentCheck(path=each) for each in doomed), *(ExistsCheck(path=each, type="file") for each in kept)],
        destructive=True,
    )


INTENTS = [
    Intent(
        family="removing",
        name="delete_file",
        train=(
            "[delete|remove|erase|rm] {file}",
            "[delete|remove|erase|get rid of] the file {file}",
            "[throw away|discard|drop] [the file|] {file}",
            "{file} is [no longer needed|not needed any more|useless], [delete|remove|erase] it",
            "the file {file} should [be deleted|be removed|go away|not exist any more]",
            "[get rid of|delete|remove] the [old|useless|outdated] file {file}",
            "[I want|we want] {file} [gone|deleted|removed]",
            "[clean up|tidy up] by [deleting|removing] {file}",
            "nobody needs {file} any more, [throw it away|get rid of it|delete it]",
            "{file} should be [thrown away|erased|discarded]",
            "[i need|we need] the [file|document] {file} [removed|erased|deleted|thrown out]",
            "from [the disk|this place|here], [remove|erase|delete] the [file|document] {file}",
            "{file}: [delete|erase|remove|drop] this [file|document] [for good|completely|altogether]",
            "to [save|free|gain] space, [erase|remove|throw out] the [file|document] {file}",
            "i would like the [file|document] {file} to [disappear|vanish|go|be deleted]",
            "there should be no [file|document] {file} [any more|left|any longer]",
            "the [file|document] {file} [has to be|is to be|must be] [deleted|erased|thrown out|removed]",
            "the [file|document] {file} is [outdated|obsolete|worthless], [dispose of|do away with|get rid of] it",
            "no more [file|document] {file}, it [can|may] go",
            "without {file} we are [fine|better off], [drop|discard|erase] [that|this] [file|document]",
            "take the [file|document] {file} and [throw it out|delete it|discard it|get rid of it]",
            "how about [deleting|erasing|removing|dropping] the [file|document] {file}",
            "see to it that the [file|document] {file} [is gone|no longer exists|gets deleted]",
            "have the [file|document] {file} [removed|wiped|erased|thrown away]",
            "what i want is the file {file} [gone|deleted|off the disk]",
            "it is time to [delete|drop|remove|discard] the [old|outdated|stale] [file|document] {file}",
            "let's [dump|scrap|delete|erase] the file {file}, it is [of no use|not needed]",
            "do away with the [document|file] {file}, we [do not need|never use] it",
        ),
        val=(
            "[discard|erase] the outdated file {file}",
            "the useless file {file} should be gone",
        ),
        held=(
            "we want the old file {file} [deleted|thrown away]",
            "[erase|drop] {file}, it is outdated",
            "[clean up|tidy up] and [discard|throw away] {file}",
            "{file} should not exist any more, [remove|erase] it",
        ),
        build=delete_file,
    ),
    Intent(
        family="removing",
        name="delete_folder",
        train=(
            "[delete|remove|erase] the [folder|directory] {dir}",
            "[delete|remove|erase|get rid of] the [whole|entire] [folder|directory] {dir}",
            "[throw away|discard|drop] the [folder|directory] {dir} [with|and] everything in it",
            "the [folder|directory] {dir} is [no longer needed|not needed any more|useless], [delete|remove|erase] it",
            "the [whole|entire] [folder|directory] {dir} should [be deleted|be removed|go away|not exist any more]",
            "rm -r the [folder|directory] {dir}",
            "[I want|we want] the [folder|directory] {dir} [gone|deleted|removed] with everything inside",
            "[clean up|tidy up] by [deleting|removing] the [whole|] [folder|directory] {dir}",
            "nobody needs the [folder|directory] {dir} any more, [throw it away|get rid of it|delete it]",
            "[i need|we need] the [folder|directory] {dir} [removed|erased|deleted] with [all its files|everything in it|its whole content]",
            "from [the disk|here|this place], [remove|erase|delete] the [complete|whole] [folder|directory] {dir}",
            "{dir}: [delete|erase|remove|drop] this [folder|directory] [and all it holds|with all its files|completely]",
            "to [free|gain|save] space, [throw out|erase|remove] the [folder|directory] {dir} [as a whole|and its contents]",
            "i would like the [folder|directory] {dir} to [vanish|disappear|go], [contents included|files and all]",
            "there should be no [folder|directory] {dir} [left|any more|any longer]",
            "the [folder|directory] {dir} [has to be|is to be|must be] [deleted|erased|removed|thrown out], [including|together with] all files in it",
            "the [folder|directory] {dir} is [outdated|obsolete|worthless], [do away with|dispose of|get rid of] it and [its contents|all that is inside]",
            "no more [folder|directory] {dir}, it [can|may] go with all its [files|contents]",
            "without the [folder|directory] {dir} we are [fine|better off], so [discard|drop|erase] it",
            "take the [whole|complete] [folder|directory] {dir} and [throw it out|delete it|get rid of it]",
            "how about [deleting|erasing|removing|dropping] the [entire|complete] [directory|folder] {dir}",
            "see to it that the [folder|directory] {dir} [is gone|no longer exists], with [all|everything] it contains",
            "have the [directory|folder] {dir} [wiped out|removed|erased|thrown away], [subfolders included|with all that is in it]",
            "what i want is the [folder|directory] {dir} [gone|deleted|off the disk] [completely|as a whole]",
            "it is time to [remove|delete|drop|discard] the [old|stale|outdated] [folder|directory] {dir}",
            "everything in the folder {dir} and the folder itself [can go|must go|should be erased]",
            "remove the [directory|folder] tree {dir} [recursively|with all its subfolders]",
        ),
        val=(
            "[discard|erase] the useless directory {dir}",
            "with everything inside, [remove|delete] the folder {dir}",
        ),
        held=(
            "we want the [old|outdated] [folder|directory] {dir} to go away",
            "[erase|drop] the directory {dir}, it is not needed",
            "[clean up|tidy up] and [discard|throw away] the whole folder {dir}",
        ),
        build=delete_folder,
    ),
    Intent(
        family="removing",
        name="delete_kind",
        train=(
            "[delete|remove|erase] all {pattern} files in [the folder|the directory|] {dir}",
            "[delete|remove|erase] every {pattern} file [under|below|inside] {dir}",
            "[get rid of|throw away|discard] the {pattern} files [in|below|under] [the folder|] {dir}",
            "in [the folder|the directory|] {dir}, [delete|remove|erase] [all|the] {pattern} files",
            "[clean up|clean] [the folder|the directory|] {dir} by [deleting|removing] all {pattern} files",
            "[clean|free|clear] [the folder|the directory|] {dir} [from|of] all {pattern} files",
            "no {pattern} file should [remain|be left|stay] in {dir}, [delete|remove] them",
            "[drop|erase] all files [in|under] {dir} [matching|whose names match] {pattern}",
            "the {pattern} files in {dir} are [not needed any more|no longer needed|useless], [delete|remove] them",
            "[tidy up|tidy] {dir} by [erasing|throwing away] the {pattern} files",
            "[i need|we need] all {pattern} files in {dir} [removed|erased|deleted|gone]",
            "from [the folder|the directory|] {dir}, [erase|remove|drop|throw out] every file [named like|matching] {pattern}",
            "{dir}: [delete|erase|remove|discard] [all|the|any] {pattern} files [in it|inside]",
            "to [tidy|clean up|unclutter] {dir}, [delete|throw out|remove] [all|the] {pattern} files",
            "i would like the {pattern} files [below|inside|in] {dir} to [vanish|disappear|be deleted|go]",
            "there should be no {pattern} files [left|any more] in [the folder|the directory|] {dir}",
            "all {pattern} files [under|inside|in] {dir} [have to be|are to be|must be] [deleted|erased|removed]",
            "{dir} is [full of|cluttered with|littered with] {pattern} files, [erase|get rid of|throw out] [them all|all of them]",
            "no more {pattern} files [in|below|inside] the [folder|directory] {dir}",
            "with the {pattern} files [gone|out of the way], {dir} would be [clean|tidy], so [delete|drop|discard] them",
            "take the [folder|directory] {dir}, [find|look for|search out] all {pattern} files in it and [delete|remove|erase] them",
            "how about [deleting|erasing|dropping|clearing out] [all|the] {pattern} files in {dir}",
            "see to it that every {pattern} file [in|under|below] {dir} [is gone|gets deleted|is erased]",
            "have the [folder|directory] {dir} [freed from|cleared of|cleaned of] all {pattern} files",
            "what i want is {dir} without [any|the|its] {pattern} files",
            "whatever matches {pattern} [inside|below|in] the [folder|directory] {dir} [can go|should be deleted|must go]",
            "nobody [needs|uses|wants] the {pattern} files in {dir} [any more|any longer], [discard|remove|dump] them",
            "wipe out files of the [kind|type|form] {pattern} everywhere [in|under|below] {dir}",
        ),
        val=(
            "[tidy up|clear] the folder {dir} by [erasing|deleting] every {pattern} file",
            "below {dir}, throw away all files matching {pattern}",
        ),
        held=(
            "nobody needs the {pattern} files in the directory {dir}, [get rid of|erase] them",
            "[discard|drop] every file below {dir} whose name matches {pattern}",
            "all {pattern} files under the folder {dir} should [go away|be removed]",
        ),
        build=delete_kind,
    ),
]
