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
