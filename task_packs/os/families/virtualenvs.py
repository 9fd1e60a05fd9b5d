"""Python environments: create one, run a program with one, edit a list of requirements."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import CommandCheck, ContainsCheck, EqualsCheck, ExistsCheck, SetupItem
from task_packs.os.calls import edit, shell
from task_packs.os.data import file
from task_packs.os.steps import at, place

PACKAGES = ("requests", "flask", "numpy", "pandas", "django", "rich", "click", "pytest", "httpx", "pillow", "jinja2")


def _venv_name(draw: Draw) -> str:
    return f"{draw.dir()}/.venv" if draw.chance(0.3) else draw.dir()


def _version(draw: Draw) -> str:
    return f"{draw.number(0, 9)}.{draw.number(0, 30)}.{draw.number(0, 9)}"


def _create(draw: Draw) -> Scene:
    venv = _venv_name(draw)
    return Scene(
        slots={"venv": name(venv)},
        gold=[shell(f"python3 -m venv --without-pip {venv}")],
        done=CommandCheck(cmd=f"test -x {venv}/bin/python"),
        checks=[
            ExistsCheck(path=f"{venv}/pyvenv.cfg", type="file"),
            CommandCheck(cmd=f"{venv}/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'", stdout="True"),
        ],
    )


def _run(draw: Draw) -> Scene:
    venv, script, out, said = draw.dir(), draw.path("py"), draw.file("txt", "log", "out"), draw.phrase(1, 3)
    body = f"import sys\n\nprint({said!r}, sys.prefix != sys.base_prefix)\n"
    return Scene(
        slots={"venv": name(venv), "script": name(script), "out": name(out)},
        setup=[SetupItem(run=f"python3 -m venv --without-pip {venv}"), file(script, body)],
        gold=[shell(f"{venv}/bin/python {script} > {out}")],
        done=CommandCheck(cmd=f"test -s {out}"),
        checks=[EqualsCheck(path=out, text=f"{said} True"), EqualsCheck(path=script, text=body)],
    )


def _requirements(draw: Draw) -> tuple[list[str], str]:
    """(lines, a requirement `name==version` that is not among them)."""
    packages = [*draw.sample(PACKAGES, draw.number(2, 4)), draw.word()]
    lines = [f"{package}=={_version(draw)}" for package in packages]
    extra = f"{draw.choice([p for p in PACKAGES if p not in packages])}=={_version(draw)}"
    return lines, extra if draw.chance(0.5) else f"{draw.ident()}=={_version(draw)}"


def _require(draw: Draw) -> Scene:
    lines, extra = _requirements(draw)
    where = place(draw, "txt", filename="requirements.txt" if draw.chance(0.4) else None)
    return Scene(
        slots={"requirement": name(extra), "file": name(where.said)},
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: edit(path, "append", text=extra)),
        done=ContainsCheck(path=where.real, text=extra),
        checks=[EqualsCheck(path=where.real, text="\n".join([*lines, extra]))],
    )


def _pin(draw: Draw) -> Scene:
    lines, _ = _requirements(draw)
    index = draw.number(0, len(lines) - 1)
    old = lines[index]
    while (new := f"{old.split('==')[0]}=={_version(draw)}") == old or old in new:
        pass
    where = place(draw, "txt", filename="requirements.txt" if draw.chance(0.4) else None)
    return Scene(
        slots={"old": name(old), "new": name(new), "file": name(where.said)},
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: edit(path, "replace", find=old, text=new)),
        done=ContainsCheck(path=where.real, text=new),
        checks=[EqualsCheck(path=where.real, text="\n".join([*lines[:index], new, *lines[index + 1 :]]))],
    )


INTENTS = [
    Intent(
        family="virtualenvs",
        name="venv_create",
        train=(
            "[create|make|set up|build] [a virtual environment|a virtualenv|a venv] [in|at|under] {venv}",
            "[create|make|prepare|build] the [virtualenv|venv|python environment] {venv}",
            "[set up|prepare|start] a [python environment|python venv|python virtual environment] "
            "[called|named] {venv}",
            "[a virtualenv|a virtual environment|a venv] [should|must|has to] be [created|made|set up] in {venv}",
            "{venv} [should|must] [be|become|hold] a [virtual environment|virtualenv|python venv]",
            "use python to [create|make|build] [a venv|a virtual environment] in {venv}",
            "[initialize|start] [a new|an empty] [virtualenv|virtual environment|venv] [in|at] {venv}",
            "in {venv}, [create|set up|make|prepare] a python [virtual environment|venv|virtualenv]",
            "into {venv}, [put|place] a [fresh|new] python [virtual environment|venv]",
            "{venv}: [create|build|make] a python [virtualenv|venv|virtual environment] there",
            "to keep packages apart from the system, [create|set up|make] the [venv|virtual environment] {venv}",
            "[i would like|i want|we need] a [python virtual environment|virtualenv|venv] [in|at|called] {venv}",
            "there should be a [fresh|new|python] [virtual environment|virtualenv] [in|at|under] {venv}",
            "make sure that {venv} [exists as|is|becomes] a [virtualenv|python virtual environment|venv]",
            "the [virtual environment|virtualenv|venv] {venv} [is to be|has to be|must be] [created|generated|built]",
            "we have no [virtualenv|virtual environment|venv] yet, so [make|create|generate] one [in|at|under] {venv}",
            "{venv} as a [new|fresh] python [venv|virtual environment]",
            "with python's venv module, [make|create|generate|produce] {venv}",
            "with {venv} as its [folder|directory|path], [create|set up|start] a [virtualenv|python environment]",
            "take the [folder name|path|name] {venv} and [build|create|produce] a python [venv|virtual environment] there",
            "how about a [fresh|new|python] [virtualenv|virtual environment|venv] [in|at|named] {venv}",
            "let's [have|get|build] a [python venv|virtualenv|virtual environment] at {venv}",
            "see to it that a [virtual environment|virtualenv] [exists|is made|gets created] [at|in] {venv}",
            "have python [make|generate|set up|build] a [venv|virtual environment] [called|named|in] {venv}",
            "what i want is a [clean|fresh|new] [virtualenv|venv|python environment] [under|in|at] {venv}",
            "[run|use|call] python -m venv to [produce|create|get] {venv}",
        ),
        val=(
            "an empty python virtualenv should be created in {venv}",
            "prepare {venv} as a new virtual environment",
        ),
        held=(
            "build me a python environment called {venv}",
            "initialize {venv} as a python virtualenv",
            "a new venv named {venv} is needed, make it",
        ),
        build=_create,
    ),
    Intent(
        family="virtualenvs",
        name="venv_run",
        train=(
            "[with|using] the [virtualenv|virtual environment|venv] {venv}, [run|execute|start] {script} and "
            "[save|write|store|put] the output [in|to|into] {out}",
            "[run|execute|start] {script} [with|in|inside] the [virtualenv|venv|virtual environment] {venv} and "
            "[save|write|store] [its output|what it prints] in {out}",
            "use the python [of|from|in] {venv} to [run|execute] {script}, [saving|writing|storing] the "
            "output [in|to] {out}",
            "[run|start|execute] {script} with the python [of|from] {venv} and [put|save|write] "
            "[the output|its output] [in|into] {out}",
            "{out} [should|must] [hold|contain|get] the output of {script} run [in|with] the [venv|virtualenv] {venv}",
            "[save|write|capture|store] [the output of|what is printed by] {script} under the "
            "[virtualenv|venv|python environment] {venv} [in|to] {out}",
            "the [python program|program] {script} [must|should] run [in|inside] the [venv|virtualenv] "
            "{venv}, [save|keep] its output in {out}",
            "inside the [virtual environment|venv] {venv}, [start|run|call] {script}, output to {out}",
            "into {out}, [write|put|save] what {script} prints [under|in|inside] the [venv|virtualenv] {venv}",
            "{script}: [run|start|launch] it in the [virtualenv|venv|virtual environment] {venv}, [output|its output] to {out}",
            "to get {out}, [run|execute|launch] {script} [in|inside|with] the [virtual environment|venv] {venv} and [keep|save] its output",
            "[i would like|we want|i need] {out} to [hold|contain|show] what {script} [prints|outputs] when [run|started] in the [venv|virtualenv] {venv}",
            "there should be a [file|document] {out} with the output of {script}, run by the python of {venv}",
            "make sure that {script} [runs|is run] in the [virtualenv|venv] {venv} and its [output|printout] [lands|ends up] in {out}",
            "{script} [is to be|has to be|must be] [run|executed|started] with the [interpreter|python] of {venv}, its output [goes to|belongs in] {out}",
            "{script} needs the packages in the [virtual environment|venv|virtualenv] {venv}, [run|start] it there and [store|keep] the output in {out}",
            "{out}: the output of {script} [under|in|run with] the [virtualenv|venv] {venv}",
            "as {out}, [save|store|keep] what {script} prints [in|inside|under] the [virtual environment|virtualenv] {venv}",
            "take the [python|interpreter] of the [venv|virtualenv] {venv}, [run|launch] {script} with it and [record|write|save] the output to {out}",
            "how about [running|executing|starting] {script} in the [virtualenv|venv] {venv}, [with the output in|output into] {out}",
            "let's [launch|run|execute] {script} [from|in|inside] the [virtual environment|venv] {venv} and [record|capture|collect] its output in {out}",
            "see to it that the output of {script} under the [venv|python environment] {venv} [goes to|is written to|lands in] {out}",
            "have the [python|interpreter] [in|of|from] {venv} [run|execute] {script} and [send|direct|redirect] the output to {out}",
            "what i want is the output of {script}, [run|executed] [in|inside] the [virtualenv|venv] {venv}, [saved|stored|kept] as {out}",
            "once {script} has [run|finished] [in|inside|under] the [virtual environment|virtualenv] {venv}, {out} should [hold|contain] its output",
            "from the [venv|virtualenv] {venv}, [call|invoke|launch] {script}, and [place|drop|put] whatever it prints in {out}",
        ),
        val=(
            "let the python of the venv {venv} run {script}, and capture the output in {out}",
            "keep in {out} what {script} prints inside the virtualenv {venv}",
        ),
        held=(
            "execute the program {script} under the virtual environment {venv}, storing what it prints in {out}",
            "the output of {script} in the venv {venv} should be saved to {out}",
            "call {script} using the python environment {venv} and write its output to {out}",
        ),
        build=_run,
    ),
    Intent(
        family="virtualenvs",
        name="requirement_add",
        train=(
            "add [the requirement|the package|the dependency|] {requirement} to [the requirements file|] {file}",
            "[append|add|write] [the dependency|the package|the requirement] {requirement} to "
            "[the requirements|the requirements in|] {file}",
            "[include|list|put] {requirement} [as a requirement|as a dependency|as a package] in {file}",
            "the [requirements file|requirements list] {file} [should|must] [include|list|contain] {requirement}",
            "{requirement} is missing in the [requirements|requirements file] {file}, [add|append] it",
            "[extend|complete] the [requirements|requirements file|dependencies] {file} with {requirement}",
            "in the [requirements file|requirements] {file}, [add|list|include] {requirement}",
            "[the package|the dependency] {requirement} [should|must|has to] be "
            "[added to|listed in|included in] {file}",
            "into {file}, [write|put|enter] {requirement} as [a new|another|one more] [requirement|dependency]",
            "{file}: [append|add] the [package|dependency|requirement] {requirement}",
            "to have {requirement} installed with the [others|rest], [add|append] it to [the requirements|the requirements file] {file}",
            "[i would like|we want|i need] {requirement} [among|added to] the [requirements|dependencies] in {file}",
            "there should be [a line|an extra row|an entry] {requirement} at the [end|bottom] of the [requirements|requirements file] {file}",
            "make sure that {file} [lists|names|includes] {requirement} [as well|too] among its [requirements|packages|dependencies]",
            "{requirement} is to be [added|appended|attached] to the [dependencies|requirements|requirements file] {file}",
            "our code [now needs|depends on|imports] {requirement}, [record|note|put] it in the [requirements|requirements file] {file}",
            "{requirement} as [a new|an extra|an additional] [line|dependency|requirement] in {file}",
            "as [another|an extra|one more] [dependency|requirement|package], [write|record|place] {requirement} in {file}",
            "take the requirements [file|list] {file} and [append|add] {requirement} at the [end|bottom]",
            "how about [adding|appending] {requirement} to the [packages|requirements|dependencies] in {file}",
            "let's [record|put|include] {requirement} [as well|too] in the requirements [file|list] {file}",
            "see to it that {requirement} [gets added to|is included in|gets into] the [requirements|dependencies] {file}",
            "have {file} [require|include|list] {requirement} [too|as well]",
            "what i want is {requirement} as [a new|an additional] [package|line] in the [requirements file|requirements] {file}",
            "at the [end|bottom] of the [requirements|requirements file|dependencies] {file}, [put|place|append|write] {requirement}",
            "the [package|dependency] {requirement} is not [listed|named] in {file} yet, so [put it in|write it there|insert it]",
        ),
        val=(
            "list the dependency {requirement} in the requirements file {file}",
            "the package {requirement} must be included in the requirements {file}",
        ),
        held=(
            "put the package {requirement} into the requirements list {file}",
            "the dependencies in {file} should include {requirement}",
            "the requirements file {file} is missing the dependency {requirement}, append it",
        ),
        build=_require,
    ),
    Intent(
        family="virtualenvs",
        name="requirement_pin",
        train=(
            "[replace|change|update|swap] the requirement {old} [with|to|by] {new} in {file}",
            "[upgrade|bump|change|update] {old} to {new} in "
            "[the requirements file|the requirements|the dependencies] {file}",
            "in [the requirements file|the requirements] {file}, [replace|swap|exchange] {old} [with|for|by] {new}",
            "the requirements [file|list] {file} [should|must] [list|have|use] {new} instead of {old}",
            "[use|pin|require] {new} instead of {old} in the [requirements|requirements file] {file}",
            "[turn|change|bump] the [requirement|dependency|package] {old} in {file} [to|into] {new}",
            "the [dependency|package|requirement] {old} in {file} [must|should|has to] "
            "[become|be bumped to|be upgraded to] {new}",
            "{file} [pins|requires|lists] {old}, [change|bump|upgrade] [it|that] to {new}",
            "into {file}, [write|put|enter] {new} where the [requirement|dependency] {old} [is|stands] now",
            "{file}: the [requirement|dependency|package] {old} [should be|is now|becomes] {new}",
            "to [get|install] {new} [rather than|in place of] {old}, [edit|adjust|modify] the [requirements|requirements file] {file}",
            "[i would like|we want|i need] the [requirements|dependencies] {file} to [pin|name|hold] {new} and no longer {old}",
            "there should be the [requirement|package] {new} in {file} [rather than|in place of] {old}",
            "make sure that {file} [requires|pins|asks for] {new} where it [required|pinned|had] {old}",
            "the [pin|requirement|dependency] {old} is to be [replaced by|changed to|switched to] {new} in {file}",
            "{old} is [the wrong version|not the version we need], [set|switch|correct] that requirement in {file} to {new}",
            "{file}, requirement {new} [in place of|replacing|and no longer] {old}",
            "as the [requirement|pinned package] in {file}, [write|use|take] {new} [rather than|and not] {old}",
            "take the [requirement|dependency|package] {old} in {file}, [remove|drop|delete] it and [put|write] {new} [there|in its place]",
            "how about [pinning|requiring] {new} in {file}, [in place of|rather than] {old}",
            "let's [move|switch|go] from {old} to {new} in the [requirements|requirements file|dependencies] {file}",
            "see to it that the [package|requirement|dependency] {old} in {file} [reads|becomes|turns into] {new}",
            "have the [requirements|requirements file] {file} [ask for|name|pin] {new} [rather than|in place of] {old}",
            "what i want is {new} where the [requirements|dependencies] {file} [say|list|pin] {old}",
            "wherever {file} [pins|lists|requires] {old}, it [must|should] [pin|list|require] {new}",
            "the [pinned|required] version in {file} [must|has to|should] [go|move|change] from {old} to {new}",
        ),
        val=(
            "pin {new} in {file} instead of the requirement {old}",
            "exchange the package {old} in the requirements {file} for {new}",
        ),
        held=(
            "the package {old} should be upgraded to {new} in {file}",
            "bump the dependency {old} of the requirements file {file} to {new}",
            "have the requirements list {file} require {new} instead of {old}",
        ),
        build=_pin,
    ),
]
