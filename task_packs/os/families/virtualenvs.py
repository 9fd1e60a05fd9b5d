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
