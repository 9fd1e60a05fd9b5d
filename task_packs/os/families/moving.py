"""Moving and renaming files, also when the new name is taken or the target's folder is missing."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import AbsentCheck, EqualsCheck, ExistsCheck
from task_packs.os.calls import fs
from task_packs.os.data import file


def move(draw: Draw) -> Scene:
    """Plain, or the target's folder is missing, or the file lies in another folder than the goal says."""
    content, kind = draw.lines(), draw.choice(("plain", "plain", "plain", "no_folder", "lost"))
    real = asked = draw.path() if kind != "lost" else draw.file()
    new = draw.file(asked.rsplit(".", 1)[1])
    if kind == "no_folder":
        parent = draw.dir()
        new = f"{parent}/{new}"
        gold = [fs("move", asked, to=new), fs("mkdir", parent), fs("move", asked, to=new)]
    elif kind == "lost":
        real = f"{draw.dir()}/{asked}"
        gold = [fs("move", asked, to=new), fs("find", name=asked), fs("move", real, to=new)]
    else:
        gold = [fs("move", asked, to=new)]
    return Scene(
        slots={"file": name(asked), "new": name(new)},
        setup=[file(real, content)],
        gold=gold,
        done=ExistsCheck(path=new, type="file"),
        checks=[EqualsCheck(path=new, text=content), AbsentCheck(path=real)],
    )


def rename_or(draw: Draw) -> Scene:
    old, first = draw.file("txt", "md", "csv", "log", "json"), draw.stem()
    ending = old.rsplit(".", 1)[1]
    first, second = f"{first}.{ending}", draw.file(ending)
    content, taken = draw.lines(), draw.chance(0.5)
    new = second if taken else first
    setup, gold = [file(old, content)], [fs("move", old, to=first)]
    checks = [EqualsCheck(path=new, text=content)]
    if taken:
        there = draw.lines()
        setup.append(file(first, there))
        gold.append(fs("move", old, to=second))
        checks.append(EqualsCheck(path=first, text=there))
    return Scene(
        slots={"file": name(old), "new": name(first), "other": name(second)},
        setup=setup,
        gold=gold,
        done=ExistsCheck(path=new, type="file"),
        checks=[*checks, AbsentCheck(path=old)],
    )


def move_into(draw: Draw) -> Scene:
    path, target, content = draw.path(), draw.dir(), draw.lines()
    other, new = f"{target}/{draw.file()}", f"{target}/{path.rsplit('/', 1)[-1]}"
    return Scene(
        slots={"file": name(path), "dir": name(target)},
        setup=[file(path, content), file(other, "keep\n")],
        gold=[fs("move", path, to=target)],
        done=ExistsCheck(path=new, type="file"),
        checks=[EqualsCheck(path=new, text=content), EqualsCheck(path=other, text="keep"), AbsentCheck(path=path)],
    )


INTENTS = [
    Intent(
        family="moving",
        name="move_file",
        train=(
            "[rename|move|mv] {file} to {new}",
            "[change|switch] the name of [the file|] {file} to {new}",
            "[rename|move] the file {file} [so that it is called|so that its name is] {new}",
            "[call|name] [the file|] {file} {new} [instead|from now on]",
            "[give|assign] {file} the [new|] name {new}",
            "the file {file} should [be called|be named|have the name|move to] {new}",
            "[I want|we want] {file} [renamed to|moved to|to be called] {new}",
            "[file|place] {file} under [the name|the new name] {new} [instead|from now on]",
            "{file} has the wrong name, it should be {new}, [rename|move|change] it",
            "{file} -> {new}, [just a rename|rename it|only the name changes]",
            "under the name {new}, [keep|store|save] what is now {file}, the old [name|file] [goes away|disappears]",
            "to get {new}, [rename|move] [the file|the document|] {file}",
            "i would like {file} to be [renamed|named|called|titled] {new}",
            "there should be no {file} any more, [rename|move] it to {new}",
            "make sure that {file} is [renamed to|called|moved to] {new}",
            "the [document|file] {file} [is to|has to|must] be [renamed|moved] to {new}",
            "the new name for {file}: {new}",
            "take {file}, [change|turn|switch] its [name|title] to {new} and keep its content",
            "how about [renaming|moving] the [file|document] {file} to {new}",
            "let's [rename|move] the [document|file] {file}, its new name [is|will be|becomes] {new}",
            "see to it that what is called {file} now is [called|named] {new} [afterwards|from now on]",
            "have {file} [carry|bear|get] the [name|file name] {new}",
            "what i want is {file} [moved|renamed] [to|as] {new}, not a copy",
            "the name {file} is [bad|outdated|misleading], [change|correct|update] it to {new}",
            "as {new}, {file} is easier to find, [rename|move] it [accordingly|so|that way]",
            "from {file} to {new}: [move|rename] [it|the file|this file]",
            "[change|update|edit] the [file name|name] of {file} so that it [reads|becomes|is] {new}",
        ),
        val=(
            "from now on the file {file} should have the name {new}",
            "[give|assign] the new name {new} to {file}",
        ),
        held=(
            "[switch|change] {file} to the name {new}",
            "we want {new} as the [new|] name of the file {file}",
            "{new} should be the name of the file {file} from now on",
            "the name of {file} is wrong, [call|name] it {new}",
        ),
        build=move,
        weight=1.5,
    ),
    Intent(
        family="moving",
        name="rename_file_or",
        train=(
            "[rename|move|mv] {file} to {new}, or to {other} if {new} [is taken|already exists|is in use]",
            "[rename|move] [the file|] {file} to {new}, if that name is [taken|in use] [use|choose|take] {other}",
            "[change|switch] the name of {file} to {new}, [falling back to|or else to] {other} if the name is taken",
            "[call|name] {file} {new} from now on, or {other} [when|if] {new} is already there",
            "[give|assign] {file} the name {new}, should that already exist [take|use|choose] {other} instead",
            "if {new} is free, [rename|move] {file} to it, otherwise [rename|move] it to {other}",
            "[try|attempt] to [rename|move] {file} to {new}, [use|take] {other} if the name is [taken|in use]",
            "the file {file} should be called {new} or, if that is taken, {other}",
            "{file}: [rename|move] it to {new}, or to {other} when there is [already|] a file of that name",
            "to {new} if [possible|nothing has that name yet], otherwise to {other}, [rename|move] the file {file}",
            "i would like {file} to be [called|named] {new}, but {other} if {new} [exists already|is occupied]",
            "there may be a file {new} already, [rename|move] {file} to it only if not, else to {other}",
            "make sure that {file} is [renamed|moved] to {new}, or if that [exists|is taken|is not free], to {other}",
            "the [document|file] {file} [is to|must|has to] be [renamed|moved] to {new}, with {other} [in reserve|as the fallback|as second choice] if the name is in use",
            "a new name for {file}: {new}, or {other} if {new} is [used|occupied|there] already",
            "take {file}, [rename|move] it to {new} unless such a file exists, in which case [use|choose|pick] {other}",
            "how about [renaming|moving] {file} to {new}, and to {other} [should that name be taken|in case that name is used]",
            "let's [rename|move] {file} to {new} if that is [free|available], and to {other} if [not|it is not]",
            "see to it that {file} [gets|has] the name {new}, or {other} [in case|if] {new} is [taken|used] by another file",
            "have {file} [renamed|moved] to {new}, but if that name is already [taken|used], to {other}",
            "what i want is {file} under the name {new}, or, if [that is occupied|something is there already], under {other}",
            "the name {file} is bad, [change|switch|set] it to {new}, with {new} already there make it {other}",
            "without overwriting anything, [rename|move] {file} to {new}, or to {other} if there is one [already|of that name]",
            "as long as {new} is [free|unused|available] [rename|move] {file} to that, [else|otherwise|if not] take {other}",
            "when {new} already exists, [rename|move] {file} to {other}, [otherwise|in all other cases|if not] to {new}",
            "[prefer|choose|pick] {new} as the new name of {file} and {other} only if the [former|preferred one] is [taken|in use]",
        ),
        val=(
            "[switch|move] the file {file} to {new}, choose {other} when that name is already in use",
            "we want {file} renamed to {new}, otherwise to {other} if {new} is taken",
        ),
        held=(
            "from now on {file} should have the name {new}, or else {other} if {new} is already there",
            "[try|attempt] to call the file {file} {new}, should the name be in use call it {other}",
            "{file} should be renamed to {new}, [take|choose] {other} if that name is not free",
        ),
        build=rename_or,
    ),
    Intent(
        family="moving",
        name="move_into_folder",
        train=(
            "[move|put|place|mv] {file} into [the folder|the directory|] {dir}",
            "[put|place|file|store] {file} [in|inside] the [folder|directory] {dir}",
            "[move|shift|transfer] the file {file} [to|into] the [folder|directory] {dir}",
            "{file} [belongs|should go|should be] in the [folder|directory] {dir}, [move|put|shift] it there",
            "[I want|we want] {file} moved into the [folder|directory] {dir}",
            "into the [folder|directory] {dir}, [move|shift|transfer] {file}",
            "[tidy up|clean up] by [moving|putting] {file} into {dir}",
            "take {file} [out of here|from here] and [put|place|move] it in the [folder|directory] {dir}",
            "{file} [goes|moves] into the [folder|directory] {dir}",
            "inside the [folder|directory] {dir} is where {file} [belongs|should be], [move|bring|carry] it there",
            "to [tidy|clear] this place, [move|shift|relocate] {file} into the directory {dir}",
            "i would like to [have|find|see] {file} in the folder {dir} [instead of here|and no longer here]",
            "there is a folder {dir}, [move|drop|put] the [file|document] {file} in it",
            "make sure that {file} [ends up|lands|is placed] in the [directory|folder] {dir}",
            "the [document|file] {file} [is to|has to|must] be [moved|transferred|relocated] into the folder {dir}",
            "{file} into [folder|directory] {dir}, [move it|no copy|as a move]",
            "take the [document|file] {file}, [move|carry|shift] it over and [leave|drop|store] it in the directory {dir}",
            "how about [moving|putting|dropping] {file} into the [folder|directory] {dir}",
            "let's [move|file|put away] {file} in the [folder|directory] {dir}",
            "see to it that the folder {dir} [gets|receives|takes in] {file}, it [must not|should not] stay where it is",
            "have the [file|document] {file} [moved|placed|shifted] [inside|into] the directory {dir}",
            "what i want is {file} [inside|within] the [folder|directory] {dir}, [moved|not copied]",
            "the file {file} is in the wrong place, [move|send|transfer] it [to|into] the [directory|folder] {dir}",
            "under its old name, [move|place|drop] {file} into the folder {dir}",
            "with mv, [bring|get|send] {file} into the [directory|folder] {dir}",
            "within the [directory|folder] {dir} there [should be|has to be] {file}, [relocate|shift|move] it there",
        ),
        val=(
            "[transfer|shift] {file} from here into the directory {dir}",
            "the folder {dir} is where {file} belongs, put it there",
        ),
        held=(
            "[file|store] {file} away in the [folder|directory] {dir}",
            "we want the file {file} to go into the [folder|directory] {dir}, [shift|transfer] it",
            "[tidy up|clean up] and [place|put] {file} inside the directory {dir}",
        ),
        build=move_into,
    ),
]
