"""Small projects of several files: a module and its user, a module from a page, two unfinished modules."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import CommandCheck, SetupItem
from task_packs.code.functions.model import Function, call, folder, identifier
from task_packs.code.functions.scene import (
    edit,
    function,
    hidden,
    read,
    replace,
    suite_passes,
    test_file,
    unchanged,
    write,
)

STUB = "    raise NotImplementedError"
CALL_ROOM = 50


def simple(draw: Draw) -> Function:
    """A function whose first input can be written in a goal, without quotes, in a few characters."""
    while True:
        wanted = function(draw, classics=0.2)
        written = call("", wanted.inputs[0])
        if len(written) <= CALL_ROOM and '"' not in written and "\n" not in str(wanted.returns[0]):
            return wanted


def says(wanted: Function) -> str:
    """The docstring as part of a goal."""
    sentence = wanted.doc.rstrip(".")
    return sentence[0].lower() + sentence[1:]


def script(module: str, target: str, wanted: Function) -> str:
    """A program that prints the function's answer to its first input."""
    return f"from {module} import {target}\n\nprint({call(target, wanted.inputs[0])})\n"


def _module(draw: Draw, page: bool) -> Scene:
    home, module, target = folder(draw), identifier(draw), identifier(draw)
    wanted = function(draw)
    path = f"{home}/{module}.py"
    tests = SetupItem(path=f"{home}/test_{module}.py", text=test_file(module, target, wanted))
    signature = f"{target}({', '.join(wanted.params)})"
    readme = SetupItem(path=f"{home}/README.md", text=f"# {path}\n\n`{signature}`: {wanted.doc}\n")
    kept = (tests, readme) if page else (tests,)
    create = write(path, wanted.bare(target))
    return Scene(
        slots={
            "path": name(path),
            "dir": name(home),
            "readme": name(readme.path),
            "func": plain(signature),
            "doc": plain(says(wanted)),
        },
        setup=kept,
        gold=(read(readme.path), create) if page else (create,),
        done=suite_passes(home),
        checks=(suite_passes(home), hidden(home, module, target, wanted), *unchanged(*kept)),
    )


def _script(draw: Draw, module_too: bool) -> Scene:
    home, module, target, program = folder(draw), identifier(draw), identifier(draw), identifier(draw)
    wanted = simple(draw)
    path, run = f"{home}/{module}.py", f"{home}/{program}.py"
    code = SetupItem(path=path, text=wanted.source(target))
    create = write(run, script(module, target, wanted))
    done = CommandCheck(cmd=f"python3 {run}")
    printed = CommandCheck(cmd=f"python3 {run}", stdout=str(wanted.returns[0]).strip())
    finished = hidden(home, module, target, wanted)
    return Scene(
        slots={
            "path": name(path),
            "script": name(run),
            "dir": name(home),
            "name": name(target),
            "func": plain(f"{target}({', '.join(wanted.params)})"),
            "doc": plain(says(wanted)),
            "call": plain(call(target, wanted.inputs[0])),
        },
        setup=() if module_too else (code,),
        gold=(write(path, wanted.bare(target)), create) if module_too else (create,),
        done=done,
        checks=(printed, finished, *(() if module_too else unchanged(code))),
    )


def _two(draw: Draw) -> Scene:
    home = folder(draw)
    setup: list[SetupItem] = []
    gold, checks, paths = [], [suite_passes(home)], []
    for _ in range(2):
        module, target, wanted = identifier(draw), identifier(draw), function(draw)
        path = f"{home}/{module}.py"
        tests = SetupItem(path=f"{home}/test_{module}.py", text=test_file(module, target, wanted))
        setup += [SetupItem(path=path, text=wanted.source(target, (STUB,))), tests]
        gold += [read(path), edit(path, replace(STUB, "\n".join(wanted.body)))]
        checks += [hidden(home, module, target, wanted)]
        paths.append(path)
    return Scene(
        slots={"path": name(paths[0]), "other": name(paths[1]), "dir": name(home)},
        setup=setup,
        gold=gold,
        done=suite_passes(home),
        checks=(*checks, *unchanged(*setup[1::2])),
    )


INTENTS = [
    Intent(
        family="project",
        name="project_module",
        train=(
            "[create|write|make] [the module|] {path} with [a function|] {func}: {doc}",
            "[create|write] a [new|] module {path} whose function {func} [should|must] {doc}",
            "in a new file {path}, [write|create] [the function|] {func} to {doc}",
            "{dir} needs a module {path} with {func}, it [should|must] {doc}",
            "[add|write] {path} to the project, its function {func} [is there to|should] {doc}",
            "the module {path} is missing, [write|create|make] it with {func}: {doc}",
            "[make|create] {path}: [the|a] function {func} [must|should] {doc}",
            "[start|write] a module {path} and [put|write] {func} in it: {doc}",
        ),
        val=(
            "the project in {dir} needs {path}, its function {func} must {doc}",
            "put a new function {func} in the missing file {path}: {doc}",
        ),
        held=(
            "add the missing module {path}, {func} is there to {doc}",
            "make a new file {path} and write a function {func} in it: {doc}",
            "start {path} with the function {func}, it should {doc}",
        ),
        build=lambda draw: _module(draw, page=False),
        cells=True,
    ),
    Intent(
        family="project",
        name="project_readme",
        train=(
            "[write|create|make] the module that {readme} [describes|asks for]",
            "[read|look at|open] {readme} and [write|create] the module [it describes|that is missing]",
            "{readme} [describes|asks for] a module, [write|create|make] it",
            "[create|write] {path} [as|like] {readme} [describes|says]",
            "[follow|read] {readme} and [create|make] {path}",
            "{path} is missing, [write|create] it [as|like] {readme} says",
            "the project in {dir} has only a page, [write|create] the module [of|that] {readme} [asks for|describes]",
            "make {path} from [the page|] {readme} so that the tests pass",
        ),
        val=(
            "look at {readme} and make {path} as it says",
            "create the missing module of the project in {dir}, {readme} describes it",
        ),
        held=(
            "follow the page {readme} and write {path}",
            "open {readme}, it says what module is missing, and create it",
            "the project in {dir} is missing the module that {readme} describes, write it",
        ),
        build=lambda draw: _module(draw, page=True),
        cells=True,
    ),
    Intent(
        family="project",
        name="project_script",
        train=(
            "[write|create|make] [a|the] [script|program] {script} that prints {call} [from|of] {path}",
            "[create|write] {script}, it [should|must] import {name} from {path} and print {call}",
            "[use|call] {name} of {path} in a new [script|program] {script} that [prints|shows] {call}",
            "in {script}, import {name} from {path} and print {call}",
            "{dir} needs a [script|program] {script} that [prints|shows] {call}, {name} is in {path}",
            "[add|write] a [program|script] {script} to the project, it [prints|shows] {call} [with|using] {path}",
            "[make|start] a new file {script} that imports {path} and prints {call}",
            "print {call} in a new [script|program] {script}, {name} [is in|comes from] {path}",
        ),
        val=(
            "the program {script} is missing, it should show {call} using {path}",
            "add a script {script} that prints {call}, use {name} of {path}",
        ),
        held=(
            "start a new program {script} that shows {call}, import {name} from {path}",
            "the project in {dir} needs {script}, it must print {call} with {path}",
            "make {script} and print {call} in it, {name} comes from {path}",
        ),
        build=lambda draw: _script(draw, module_too=False),
    ),
    Intent(
        family="project",
        name="project_program",
        train=(
            "[create|write|make] {path} with {func}: {doc}; and [a script|] {script} that prints {call}",
            "[create|write] two files: {path} with {func} to {doc}; {script} [prints|shows] {call}",
            "[start|make] a project: the module {path} has {func} to {doc}; the [program|script] {script} shows {call}",
            "{dir} needs a module {path} with {func} to {doc}; and a [program|script] {script} that prints {call}",
            "[write|create] a module {path} whose {func} [should|must] {doc}; and {script} to print {call}",
            "in {dir}, [write|make] {path} with {func}: {doc}; and print {call} in {script}",
            "[add|write] {path} and {script}: {func} [must|should] {doc}; the script prints {call}",
            "make two new files, {path} with {func} to {doc}; and {script} that [shows|prints] {call}",
        ),
        val=(
            "start two files: {path} with {func}, it must {doc}; the program {script} shows {call}",
            "add a module {path} with {func} to {doc}; and a program {script} to print {call}",
        ),
        held=(
            "the project needs {path} with {func} to {doc}; and a script {script} to show {call}",
            "make a module {path} whose {func} is there to {doc}; {script} prints {call}",
            "write two new files: {path} with {func}: {doc}; and {script} that shows {call}",
        ),
        build=lambda draw: _script(draw, module_too=True),
        cells=True,
        solo=True,
    ),
    Intent(
        family="project",
        name="project_two",
        train=(
            "[implement|write|complete] the [missing|unfinished] functions in {path} and {other}",
            "[finish|complete] [the modules|] {path} and {other} [so that the tests in {dir} pass|]",
            "{path} and {other} [have|hold] [unfinished|empty] functions, [implement|complete|finish] them",
            "in {dir}, [write|implement] the functions of {path} and {other}",
            "[fill in|write] the [bodies|code] of the functions in {path} and {other}",
            "make the tests in {dir} pass by [writing|finishing] {path} and {other}",
            "both {path} and {other} raise NotImplementedError, [implement|write|finish] them",
            "the functions in {path} and {other} are not written yet, [write|complete] [them|both]",
        ),
        val=(
            "write the missing code in both {path} and {other}",
            "{path} and {other} are unfinished modules, complete them",
        ),
        held=(
            "finish the empty functions of {path} and {other}",
            "fill in both functions in {dir}, in {path} and {other}",
            "implement what is not written yet in {path} and {other}",
        ),
        build=_two,
        cells=True,
    ),
]
