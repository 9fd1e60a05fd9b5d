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
            "{dir}: [create|make|add] a [new|fresh|] [folder|directory] with this name",
            "to have a place [called|named] {dir} for files, [create|make|set up] a [folder|directory]",
            "[i would like|i'd like|we want] [a|an empty|a new] [folder|directory] with the name {dir}",
            "there should be [a|an empty] [folder|directory] [called|named|by the name of] {dir}",
            "make sure that [a|the] [folder|directory] {dir} [exists|is there]",
            "a [folder|directory] {dir} is to be [created|made|set up|added]",
            "we have no [folder|directory] {dir} yet, so [create|make|generate] one",
            "{dir} as [a|an empty|a new] [folder|directory], [nothing inside yet|nothing in it]",
            "with the name {dir}, [create|generate|make] a [fresh|new] [folder|directory]",
            "take the name {dir} for a [fresh|new] [folder|directory] and [create|make] it",
            "how about a [new|fresh|] [folder|directory] [called|named] {dir}",
            "let's have [a new|an empty] [folder|directory] [named|called] {dir}",
            "see to it that there is a [folder|directory] [called|named|] {dir}",
            "what i want is [an empty|a new] [folder|directory] {dir}",
            "the name of the [folder|directory] to [create|make|add|set up] is {dir}",
            "[build|generate|produce|put] a [new|fresh] [directory|folder] here [called|named|titled] {dir}",
            "one more [folder|directory] is [needed|required], its name [is|should be] {dir}",
            "under the name {dir}, [set up|create|prepare] a [folder|directory]",
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
            "{dir} should [become|be] a new [folder|directory], but when that [name is taken|already exists], make {other}",
            "to get a new [folder|directory], [try|use] the name {dir}, and {other} [if it is taken|should it exist already]",
            "[i would like|i want|we want] a [folder|directory] {dir}, or one called {other} if [that exists already|the name is no longer free]",
            "there should be a new [folder|directory] {dir}, or {other} [in case|if] {dir} is [already there|in use]",
            "make sure that a new [folder|directory] is made, [called|named] {dir} or, if that one exists, {other}",
            "a [folder|directory] {dir} is to be [created|made], with {other} as the [fallback|second choice] if the name is [taken|in use]",
            "{dir} may [already be taken|exist already], so [create|make] that [folder|directory] or, failing that, {other}",
            "a new [folder|directory] {dir}, {other} as [the fallback|second choice] [when it exists|if taken]",
            "under the name {dir}, or {other} if that one [is taken|exists], [create|set up|make] a [folder|directory]",
            "take {dir} as the name of a new [folder|directory], and [switch to|go for|pick] {other} if it is [already there|taken]",
            "how about a new [folder|directory] {dir}, or {other} [should that name be taken|if the first one exists already]",
            "let's [create|add|build] a [folder|directory] {dir}, and if one by that name [exists|is there], {other} [instead|in its place]",
            "see to it that we get a [fresh|new] [folder|directory], {dir} if that is [free|available], {other} if not",
            "what i want is a new [folder|directory] {dir}, or {other} if there is already [one|something] called {dir}",
            "when {dir} is [not taken|available|unused], [create|make] it as a [folder|directory], [else|if not] {other}",
            "if a [folder|directory] {dir} [exists|is there] already, [create|make|add] {other}, if not, [create|make|add] {dir}",
            "as long as {dir} is [free|unused], [make|create|set up] that [folder|directory], otherwise {other} [will do|is fine]",
            "[create|generate|set up] a [directory|folder] with the name {dir}, [second choice|plan b] {other} [in case|if] it [exists|is taken]",
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
            "{dir}: [rename|retitle] this [folder|directory] to {new}",
            "from {dir} to {new}, that is how the [folder|directory] [should|must|is to] be renamed",
            "to have the [folder|directory] {dir} under the name {new}, rename it",
            "[i would like|i'd like] the [folder|directory] {dir} to [bear|carry|have] the name {new}",
            "there should [no longer|not] be a [folder|directory] {dir}, rename it [to|as] {new}",
            "make sure that the [folder|directory] {dir} [is called|goes by the name] {new} [from now on|afterwards]",
            "the [folder|directory] {dir} is to be [renamed|retitled] to {new}",
            "{dir} is [a bad|the wrong|an unclear] name for [that|the] [folder|directory], [change it to|turn it into] {new}",
            "the [folder|directory] {dir}, [renamed as|now named] {new}",
            "with its [contents|files] [untouched|unchanged], [rename|retitle] the [folder|directory] {dir} to {new}",
            "take the [folder|directory] {dir}, [keep|leave] its [contents|content] and [change|edit|switch] its name to {new}",
            "how about {new} as the [new|] name [of|for] the [folder|directory] {dir}",
            "let's [rename|retitle] the [folder|directory] {dir}, its new name [is|will be] {new}",
            "see to it that the [folder|directory] {dir} [gets|receives] the [new|] name {new}",
            "have the [folder|directory] now called {dir} [renamed to|carry the name] {new}",
            "what i want is [another|a new|a different] name for the [folder|directory] {dir}, namely {new}",
            "what is now the [folder|directory] {dir} [should|must|has to] be [known as|called|titled] {new}",
            "[update|adjust|edit] the [folder|directory] name {dir} so that it [reads|becomes] {new}",
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
            "into {out}, [write|put|print] the names of [everything|all files] in [the folder|] {dir}",
            "{dir}: [list|record] its [entries|files] in {out}",
            "to [get|produce|fill] {out}, list what [the folder|the directory] {dir} [contains|holds]",
            "[i would like|we want|i need] {out} to [show|hold|contain] a listing of [the folder|the directory|] {dir}",
            "there should be a [file|document] {out} that [names|lists] [everything|all files] in {dir}",
            "make sure that the file names [in|of|from] {dir} are [listed|written down|recorded] in {out}",
            "the [entries|files] of the [folder|directory] {dir} are to be [listed|noted] in {out}",
            "i [do not know|have lost track of] what is in {dir}, so [list|print] its files into {out}",
            "{out}: a list of [everything|all the files] in the [folder|directory] {dir}",
            "as {out}, [store|save|keep] the [file|] listing of [the folder|the directory|] {dir}",
            "take the [folder|directory] {dir}, [list|name] its [files|entries] and [drop|place|store] the list in {out}",
            "how about a listing of [the folder|the directory] {dir} [saved as|kept in|placed in] {out}",
            "let's [record|note down|save] in {out} which files [are|lie] in [the folder|the directory] {dir}",
            "see to it that {out} [names|lists|shows] every file [inside|in] [the folder|] {dir}",
            "have {out} [contain|hold|show] the names of what [is|lies] in [the folder|] {dir}",
            "what i want is a list of the [files|entries] in {dir}, [written|saved|stored] to {out}",
            "whatever [is|lies] in [the folder|the directory] {dir}, [list|write|record] its name in {out}",
            "[run|use|call] ls on the [folder|directory] {dir} and [direct|send|save] the [names|output] to {out}",
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
