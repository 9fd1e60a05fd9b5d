"""Folders: make one, make one under another name if the first is taken, rename one, list one."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import AbsentCheck, EqualsCheck, ExistsCheck, SetupItem
from task_packs.os.calls import fs, shell
from task_packs.os.data import file, folder


def make(draw: Draw) -> Scene:
    path = draw.dir() if draw.chance(0.7) else f"{draw.dir()}/{draw.dir()}"
    made = ExistsCheck(path=path, type="dir")
    return Scene(slots={"dir": name(path)}, gold=[fs("mkdir", path)], done=made, checks=[made])


def make_or(draw: Draw) -> Scene:
    first, second = draw.dir(), draw.dir()
    taken = draw.chance(0.5)
    made = ExistsCheck(path=second if taken else first, type="dir")
    setup: list[SetupItem] = []
    gold = [fs("mkdir", first)]
    unwanted: list[AbsentCheck | EqualsCheck] = [AbsentCheck(path=second)]
    if taken:
        old, content = f"{first}/{draw.file('txt', 'md')}", draw.lines()
        setup = [file(old, content)]
        gold.append(fs("mkdir", second))
        unwanted = [EqualsCheck(path=old, text=content)]
    return Scene(
        slots={"dir": name(first), "other": name(second)}, setup=setup, gold=gold, done=made, checks=[made, *unwanted]
    )


def rename(draw: Draw) -> Scene:
    old, new, inner = draw.dir(), draw.dir(), draw.file("txt", "md", "csv")
    content = draw.lines()
    made = ExistsCheck(path=new, type="dir")
    return Scene(
        slots={"dir": name(old), "new": name(new)},
        setup=[file(f"{old}/{inner}", content)],
        gold=[fs("move", old, to=new)],
        done=made,
        checks=[made, AbsentCheck(path=old), EqualsCheck(path=f"{new}/{inner}", text=content)],
    )


def listing(draw: Draw) -> Scene:
    path, out = draw.dir(), draw.file("txt", "log", "md")
    names = [draw.file() for _ in range(draw.number(2, 5))]
    return Scene(
        slots={"dir": name(path), "out": name(out)},
        setup=[folder(path), *(file(f"{path}/{each}", draw.lines(1, 3)) for each in names)],
        gold=[shell(f"ls {path} > {out}")],
        done=ExistsCheck(path=out, type="file"),
        checks=[EqualsCheck(path=out, text="\n".join(sorted(names)))],
    )


INTENTS = [
    Intent(
        family="folders",
        name="make_folder",
        train=(
            "[make|create|add|set up|start] a [new|] [folder|directory] [called|named|] {dir}",
            "[create|make|add] the [folder|directory] {dir}",
            "[make|create] [an empty|a new] [folder|directory] and [call|name] it {dir}",
            "a [folder|directory] [called|named] {dir} should [exist|be created]",
            "[I need|we need] a [new|] [folder|directory] {dir}",
            "[prepare|start|set up] [an empty|a] [folder|directory] with the name {dir}",
            "mkdir {dir}",
            "[set up|prepare|create] {dir} as a new [folder|directory]",
            "{dir} is [a folder|a directory] that does not exist yet, [make|create] it",
        ),
        val=(
            "[prepare|start] a new empty directory and call it {dir}",
            "the directory {dir} should exist, [add|set up] it",
        ),
        held=(
            "[prepare|add] a new directory whose name is {dir}",
            "[create|prepare] {dir}, an empty folder",
            "[set up|make] the empty directory {dir}",
            "we need {dir} to exist as a [folder|directory]",
        ),
        build=make,
    ),
    Intent(
        family="folders",
        name="make_folder_or",
        train=(
            "[make|create|add] a [folder|directory] {dir}, or {other} if {dir} [is taken|already exists|is in use]",
            "[make|create|set up] the [folder|directory] {dir}, if it [is taken|is already there], use {other}",
            "[create|prepare] a new [folder|directory] {dir}, [falling back to|or else] {other} if the name is taken",
            "[add|prepare] a [folder|directory] {dir}, should it already exist [take|use|choose] {other} instead",
            "[make|prepare|start] a new [folder|directory], [call|name] it {dir} or, if that is taken, {other}",
            "mkdir {dir}, or {other} when {dir} [already exists|is taken]",
            "if {dir} is [still|] free, [make|create] [a folder|a directory] with that name, otherwise make {other}",
            "[try|attempt] to [make|create] the [folder|directory] {dir}, [use|choose] {other} if the name is in use",
        ),
        val=(
            "[prepare|create] the new directory {dir}, choose {other} if that name is already in use",
            "a new folder should be created, {dir} or else {other} if {dir} is taken",
        ),
        held=(
            "we need a new folder called {dir}, [take|use] {other} when that name is taken",
            "[set up|start] the directory {dir}, otherwise {other} if {dir} is already there",
            "[try|attempt] to make a directory named {dir}, should the name be taken make {other}",
        ),
        build=make_or,
    ),
    Intent(
        family="folders",
        name="rename_folder",
        train=(
            "rename the [folder|directory] {dir} to {new}",
            "[change|switch] the name of the [folder|directory] {dir} to {new}",
            "[call|name] the [folder|directory] {dir} {new} [instead|from now on]",
            "the [folder|directory] {dir} should [be called|be named|have the name] {new}",
            "give the [folder|directory] {dir} the [new|] name {new}",
            "[I want|we want] the [folder|directory] {dir} [renamed to|to be called] {new}",
            "mv the [folder|directory] {dir} to {new}",
            "[turn|make] the [folder|directory] {dir} into {new} by renaming it",
        ),
        val=(
            "give the name {new} to the [folder|directory] {dir}",
            "from now on the folder {dir} should be named {new}",
        ),
        held=(
            "[switch|change] the folder {dir} to the new name {new}",
            "we want {new} as the name of the [folder|directory] {dir}",
            "for the [folder|directory] {dir}, [change|turn] the name into {new}",
        ),
        build=rename,
    ),
    Intent(
        family="folders",
        name="list_folder",
        train=(
            "[list|write down|record] what is in [the folder|] {dir} in {out}",
            "[write|save|store|put] [the names of|] [all|the] files in [the folder|the directory] {dir} to {out}",
            "[save|store|write|keep] a [list|listing] of [the folder|the directory|] {dir} [in|as|to] {out}",
            "[make|create|produce] a [list|listing] of the files in {dir} and [save|store|put] it in {out}",
            "{out} should [list|name] [all files|everything] in [the folder|] {dir}",
            "[save|put] the [output|result] of ls {dir} in {out}",
            "[record|note] the [contents|content] of the [folder|directory] {dir} in {out}",
            "[list|name] the files of the [folder|directory] {dir} and [write|save] the list to {out}",
            "[write|note] down what the [folder|directory] {dir} contains, the list goes to {out}",
        ),
        val=(
            "[store|keep] the file names [from|in] the directory {dir} in {out}",
            "[produce|write] {out}, a listing of the folder {dir}",
        ),
        held=(
            "[note|write down] all file names of the folder {dir} in {out}",
            "{out} should hold a listing of everything in the directory {dir}",
            "for the [folder|directory] {dir}, [record|save] a list of its files as {out}",
        ),
        build=listing,
    ),
]
