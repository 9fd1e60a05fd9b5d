"""Copies: of a file, into a folder, of a whole folder."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import EqualsCheck, ExistsCheck, SameCheck
from task_packs.os.calls import fs
from task_packs.os.data import file, folder


def copy(draw: Draw) -> Scene:
    """Plain, or the target's folder is missing, or the file lies in another folder than the goal says."""
    content, kind = draw.lines(), draw.choice(("plain", "plain", "plain", "no_folder", "lost"))
    asked, real = draw.path(), ""
    new = draw.file(asked.rsplit(".", 1)[1])
    if kind == "no_folder":
        parent = draw.dir()
        new = f"{parent}/{new}"
        gold = [fs("copy", asked, to=new), fs("mkdir", parent), fs("copy", asked, to=new)]
    elif kind == "lost":
        asked = draw.file()
        new = draw.file(asked.rsplit(".", 1)[1])
        real = f"{draw.dir()}/{asked}"
        gold = [fs("copy", asked, to=new), fs("find", name=asked), fs("copy", real, to=new)]
    else:
        gold = [fs("copy", asked, to=new)]
    real = real or asked
    return Scene(
        slots={"file": name(asked), "new": name(new)},
        setup=[file(real, content)],
        gold=gold,
        done=SameCheck(path=new, other=real),
        checks=[EqualsCheck(path=new, text=content), EqualsCheck(path=real, text=content)],
    )


def copy_into(draw: Draw) -> Scene:
    path, target, content = draw.path(), draw.dir(), draw.lines()
    other, new = f"{target}/{draw.file()}", f"{target}/{path.rsplit('/', 1)[-1]}"
    return Scene(
        slots={"file": name(path), "dir": name(target)},
        setup=[file(path, content), file(other, "keep\n")],
        gold=[fs("copy", path, to=target)],
        done=SameCheck(path=new, other=path),
        checks=[
            EqualsCheck(path=new, text=content),
            EqualsCheck(path=path, text=content),
            EqualsCheck(path=other, text="keep"),
        ],
    )


def copy_folder(draw: Draw) -> Scene:
    old, new = draw.dir(), draw.dir()
    inner = [draw.file() for _ in range(draw.number(1, 3))]
    texts = [draw.lines(1, 4) for _ in inner]
    made = ExistsCheck(path=new, type="dir")
    return Scene(
        slots={"dir": name(old), "new": name(new)},
        setup=[folder(old), *(file(f"{old}/{n}", t) for n, t in zip(inner, texts, strict=True))],
        gold=[fs("copy", old, to=new)],
        done=made,
        checks=[
            EqualsCheck(path=f"{where}/{n}", text=t) for where in (old, new) for n, t in zip(inner, texts, strict=True)
        ],
    )


INTENTS = [
    Intent(
        family="copying",
        name="copy_file",
        train=(
            "[copy|duplicate|clone|cp] {file} to {new}",
            "[make|create|save|store] a [copy|duplicate] of {file} [called|named|as] {new}",
            "[copy|duplicate|clone] [the file|] {file} [under the name|with the name|as] {new}",
            "[back up|duplicate] {file} [to|as] {new}",
            "[keep|save|make] a backup of {file} [as|called|in] {new}",
            "{new} should be a [copy|duplicate|clone] of {file}",
            "[I need|we need] a [second|] copy of {file} [at|called] {new}",
            "from {file}, [make|create|produce] a [copy|duplicate|backup] {new}",
            "[put|place|store] a [copy|duplicate] of {file} at {new}",
            "{file} should be [saved|copied|backed up|stored] a second time as {new}",
            "under the [name|path|title] {new}, [save|store|put] [a second|another|an identical] copy of {file}",
            "{file}: [clone|copy|replicate|duplicate] it [to|as] {new}",
            "the [file|document] {file}, [copied|duplicated|cloned] as {new}",
            "to [have|get|keep] a spare, [copy|duplicate|replicate] the [file|document] {file} as {new}",
            "i would like {new} to be an [exact|identical] [copy|duplicate|replica] of {file}",
            "there should be a [second|spare|backup] copy of {file} [called|named|titled] {new}",
            "{file} [is to be|has to be|needs to be] [copied|duplicated|cloned|replicated] as {new}",
            "{file} will be [edited|changed|updated] soon, [keep|save|store] a copy of it [as|under] {new}",
            "a [copy|clone|duplicate] of {file} as {new}",
            "take {file}, leave it [as it is|where it is|untouched] and [create|write|make] a duplicate named {new}",
            "how about [copying|duplicating|cloning] the [file|document] {file} to {new}",
            "see to it that {new} is [made|created|set up] with the same [content|contents|text] as {file}",
            "have {file} [copied|duplicated|cloned] [to|as] {new} while the original [stays|is kept|remains]",
            "what i want is a [duplicate|clone|second copy|replica] of {file} with the name {new}",
            "without [changing|moving|removing|deleting] {file}, [create|produce|make] a copy of it named {new}",
            "keep {file} [as it is|in place] and [replicate|copy|duplicate] it [as|to] {new}",
            "both {file} and an [identical|exact] copy of it [called|named|titled] {new} should [exist|be there]",
            "use {file} to [create|make|set up|prepare] {new}, a [file with the same contents|second copy of it|duplicate]",
        ),
        val=(
            "[produce|store] {new} as a backup of {file}",
            "for {file}, [keep|make] a second copy under the name {new}",
        ),
        held=(
            "[duplicate|clone] the content of {file} as {new}",
            "a copy of {file} should be [saved|stored] as {new}",
            "[create|produce] the file {new} as a [duplicate|clone] of {file}",
            "we need {file} backed up as {new}",
        ),
        build=copy,
        weight=1.5,
    ),
    Intent(
        family="copying",
        name="copy_into_folder",
        train=(
            "[copy|duplicate|cp] {file} into [the folder|the directory|] {dir}",
            "[put|place|store|save|keep] a copy of {file} [in|into|inside] the [folder|directory] {dir}",
            "[add|give] a copy of {file} to the [folder|directory] {dir}",
            "the [folder|directory] {dir} [needs|should get|should have] a copy of {file}",
            "[back up|duplicate] {file} into the [folder|directory] {dir}",
            "in the [folder|directory] {dir}, [put|place|save] a copy of {file}",
            "give the [folder|directory] {dir} [its own|a] copy of {file}",
            "a copy of {file} [goes|should go|belongs] in the [folder|directory] {dir}",
            "{file}: [put|place|drop|save] a copy in the [folder|directory] {dir}",
            "the [file|document] {file}, [copied|duplicated] into the [folder|directory] {dir}",
            "to [have|keep] {file} in the [folder|directory] {dir} as well, [copy|duplicate] it there",
            "i would like the [folder|directory] {dir} to [hold|contain|have] a [copy|duplicate] of {file}",
            "there should be a [copy|duplicate|second copy] of {file} [in|inside|within] the [folder|directory] {dir}",
            "{file} [is to be|has to be|must be] [copied|duplicated|backed up] into the [folder|directory] {dir}",
            "the [folder|directory] {dir} [lacks|is missing|does not have] {file}, [copy|duplicate|replicate] it there",
            "a [copy|duplicate|clone] of {file} into the [folder|directory] {dir}",
            "take {file}, leave it [in place|where it is|untouched] and [put|drop|place] a copy in the [folder|directory] {dir}",
            "how about [copying|duplicating|replicating] {file} into the [folder|directory] {dir}",
            "see to it that the [folder|directory] {dir} [gets|receives|has] a [copy|duplicate] of {file}",
            "have a [copy|duplicate|clone] of {file} [placed|stored|saved] [inside|in] the [folder|directory] {dir}",
            "what i want is {file} [copied|duplicated|replicated] into the [folder|directory] {dir}, with the original [kept|left in place]",
            "without [moving|removing|changing] the original, [place|put|store] a copy of {file} in the [folder|directory] {dir}",
            "inside the [folder|directory] {dir}, [create|make|write] a [copy|duplicate] of {file} under its [own|old|current] name",
            "we [want|need] {file} in the [folder|directory] {dir} too, so [copy|duplicate] it there",
            "within the [folder|directory] {dir} a copy of {file} is [needed|missing|wanted], [add|create|make] it",
        ),
        val=(
            "[store|place] a duplicate of {file} inside the directory {dir}",
            "into the folder {dir}, [copy|duplicate] the file {file}",
        ),
        held=(
            "the [folder|directory] {dir} should have its own copy of {file}",
            "[keep|add] a backup of {file} inside the [folder|directory] {dir}",
            "a duplicate of {file} [belongs|should go] into the directory {dir}",
        ),
        build=copy_into,
    ),
    Intent(
        family="copying",
        name="copy_folder",
        train=(
            "[copy|duplicate|clone] the [whole|entire|] [folder|directory] {dir} to {new}",
            "[make|create|save|store] a copy of the [whole|entire|] [folder|directory] {dir} [called|named|as] {new}",
            "[copy|duplicate|cp] the [folder|directory] {dir} with everything in it [to|as] {new}",
            "[back up|duplicate|clone] the [folder|directory] {dir} as {new}",
            "[keep|make] a backup of the [whole|entire|] [folder|directory] {dir} [in|as|called] {new}",
            "the [folder|directory] {new} should be a [full|complete] copy of {dir}",
            "[I need|we need] a [full|complete|second] copy of the [folder|directory] {dir} at {new}",
            "with everything inside, [copy|clone|duplicate] the [folder|directory] {dir} to {new}",
            "the [folder|directory] {dir} should be [copied|backed up|duplicated] to {new} with everything in it",
            "under the name {new}, [make|create|save] a [full|complete] copy of the [folder|directory] {dir}",
            "{dir}: [copy|clone|replicate] the [whole|entire] [folder|directory] to {new}",
            "the [whole|entire|complete] [folder|directory] {dir}, [copied|duplicated|cloned] as {new}",
            "to have a [spare|second one|backup], [copy|duplicate] the [folder|directory] {dir} to {new} with all its [files|contents]",
            "i would like {new} to be [a full|a complete|an exact] [copy|replica|duplicate] of the [folder|directory] {dir}",
            "there should be a [second|complete|full] copy of the [folder|directory] {dir} [named|called] {new}",
            "the [folder|directory] {dir} [is to be|has to be|must be] [cloned|copied|replicated] [as|to] {new}",
            "the [folder|directory] {dir} will [change|be edited|be updated] soon, [save|store|keep] a copy of all of it as {new}",
            "a [full|complete|whole] copy of the [folder|directory] {dir} as {new}",
            "take the [folder|directory] {dir}, leave it [in place|untouched|where it is] and [make|create|set up] a duplicate named {new}",
            "how about [cloning|duplicating|copying] the [whole|entire|] [folder|directory] {dir} [as|to] {new}",
            "see to it that a [folder|directory] {new} [exists|is made|is set up] as a [copy|clone] of the [folder|directory] {dir}",
            "have the [folder|directory] {dir} and [all its contents|everything inside it|all its files] [copied|duplicated|replicated] to {new}",
            "what i want is a [clone|duplicate|full copy] of the [folder|directory] {dir} with the name {new}",
            "without [changing|moving|removing] the [folder|directory] {dir}, [duplicate|copy|clone] it with all its [files|contents] as {new}",
            "everything [in|inside|within] the [folder|directory] {dir} should [exist|be stored] a second time [in|under] the [folder|directory] {new}",
            "keep the [folder|directory] {dir} [as it is|in place] and [replicate|clone|copy] it [as|to] {new}",
            "as {new}, [build|set up|generate] [a complete|an identical] copy of the [folder|directory] {dir}, [files and all|subfolders included]",
        ),
        val=(
            "from the [folder|directory] {dir}, make a complete copy called {new}",
            "[clone|duplicate] {dir}, the whole directory, as {new}",
        ),
        held=(
            "[store|keep] a full duplicate of the directory {dir} in {new}",
            "[make|produce] {new}, a clone of the entire directory {dir}",
            "[save|back up] everything in the [folder|directory] {dir} as the [folder|directory] {new}",
        ),
        build=copy_folder,
    ),
]
