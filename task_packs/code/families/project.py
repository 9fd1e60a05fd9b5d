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
            "[we need|i need|we are missing] a [small|new|separate] module {path}, its function {func} [has to|must] {doc}",
            "into a [fresh|new] file {path}, [put|place|write] a function {func} whose job is to {doc}",
            "{path}: a [new|fresh] [module|python file] where {func} is [supposed|expected] to {doc}",
            "to [complete|round off] the project in {dir}, [prepare|build|produce] the module {path} where {func} will {doc}",
            "i would like {path} to be [created|written|set up] and to [define|hold|offer] {func}, which [must|should] {doc}",
            "there should be a [module|python file] {path} [defining|containing|with] {func}, made to {doc}",
            "a module {path} [has to be|is to be|must be] [written|created|set up] with the function {func}: {doc}",
            "{dir} has no module {path} yet, [build|produce|generate] it so that its {func} will {doc}",
            "a [new|small] module {path} with one function {func} to {doc}",
            "with a single function {func} inside, [set up|build|generate] the module {path}: it [must|should] {doc}",
            "take a [blank|new|fresh] file {path}, [define|write] {func} in it, the function [has to|should] {doc}",
            "how about a [new|separate] module {path} with {func} in it, [meant|there] to {doc}",
            "see to it that {dir} [gets|has] a module {path} in which {func} can {doc}",
            "have a new [module|file] {path} [define|provide|contain] the function {func}, and let it {doc}",
            "what i want is a [python|new] file {path} [defining|holding] {func}, a function to {doc}",
            "for the project in {dir}, [code|prepare|write] {func} as the module {path}, it [needs to|has to] {doc}",
            "code up {path} as a new module where a call of {func} [should|must|will] {doc}",
            "make sure that {path} exists and [defines|contains] {func}, [whose task is to|which has to] {doc}",
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
            "[we need|i need] the [module|python file|code] [described|specified|requested] in {readme}",
            "into {path}, [put|write] the code that {readme} [specifies|describes|requires]",
            "{readme} [explains|specifies|states] what the module has to do, [build|produce|prepare] it [from there|accordingly]",
            "to get the module of {dir}, [consult|read|go through] {readme} and [code|write|build] what it [describes|wants]",
            "i would like {path} to be [created|written|built] [exactly as|just as] {readme} [specifies|describes|explains]",
            "there should be a module {path}, see {readme} for [the details|what it must do|its description]",
            "the module [specified|documented|described] in {readme} [has to be|is to be] [written|created|produced]",
            "the description of {path} is in {readme}, [write|build|prepare] the module [from it|to match it]",
            "a new module {path} [according to|as described in|following] {readme}",
            "with {readme} as [the specification|the guide|your guide], [produce|code|generate] {path}",
            "take the description [in|from] {readme}, [turn|make] it into the module {path}",
            "how about [writing|building|coding] the module that {readme} [talks about|calls for|documents]",
            "see to it that {dir} has the module that {readme} [promises|mentions|describes]",
            "have {path} [do|provide|offer] what {readme} [asks for|promises|describes], the [file|module] does not exist yet",
            "what i want is the module from {readme}, [look up|read there|find out] what it is called and what it does",
            "nobody has written the module [documented|described] in {readme} yet, [set it up|create it|make it]",
            "once you have [read|studied|looked through] {readme}, [create|set up|build] the [module|file] {path} it [is about|describes]",
            "in {dir} the code is [missing|not there], only {readme} [says|explains] what to write, [create|produce] the module",
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
            "[we need|i need] a [small|short|new] [program|script] {script} to [print|show|output] {call}, with the function [from|of] {path}",
            "into {script}, [put|write] a few lines that import {path} and [print|output|show] {call}",
            "{script}: import {name} from {path}, [print|output|show] what {call} [gives|returns]",
            "to see the [result|value|output] of {call}, [create|set up|prepare] a script {script} that [uses|imports] {name} from {path}",
            "i would like a [script|program] {script} that [displays|prints|outputs] {call}, [using|importing] the module {path}",
            "there should be a [script|program] {script} in {dir} [printing|showing] {call}, with {name} imported from {path}",
            "the [result|value] of {call} [has to be|is to be] printed by a new [script|program] {script} that imports {path}",
            "{name} is already [written|defined|there] in {path}, [build|prepare|write] {script} to [print|show|display] {call}",
            "a [short|tiny|new] script {script} printing {call} with {name} [from|of] {path}",
            "with {name} imported from {path}, [let|have] a new script {script} [print|show|output] {call}",
            "take {name} from {path}, [call|use] it in a new [file|script] {script} and [print|output] {call}",
            "how about a [script|program] {script} that [loads|imports] {path} and [prints|displays] {call}",
            "see to it that {dir} [gets|has] a program {script} which prints {call}, {name} [lives|is defined] in {path}",
            "have {script} [print|output|display] {call}, the [script|file] is new and [imports|needs] {path}",
            "what i want is a file {script} that, when run, [prints|shows|outputs] {call} by [importing|using] {name} of {path}",
            "when {script} is [run|started|executed], {call} should be printed, [write|create] it with {name} from {path}",
            "nothing in {dir} [prints|shows] {call} yet, [produce|generate|add] a script {script} that does so with {name} from {path}",
            "generate a [program|script] {script} [around|for] {path}, all it does is [print|show|output] {call}",
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
            "[we need|i need] a module {path} where {func} [must|should] {doc}, plus a [script|program] {script} that [prints|shows] {call}",
            "into {path}, [put|write] {func} to {doc}, and into {script}, [put|write] a line that prints {call}",
            "{path}: {func} [must|should|has to] {doc}, {script}: [print|show|output] {call}",
            "to [get|have] {call} printed by a new script {script}, also [write|create] the module {path} where {func} must {doc}",
            "i would like two new files, {script} [printing|showing] {call} and {path} with a function {func} to {doc}",
            "there should be a script {script} that [prints|outputs] {call} and a new module {path} [defining|with] {func} to {doc}",
            "a module {path} and a script {script} [have to be|are to be] [written|created], the script prints {call}, the function {func} must {doc}",
            "{dir} is [still empty|missing two files], [build|produce|prepare] {script} to print {call} and {path} with {func} to {doc}",
            "a new pair of files, {path} with {func} to {doc} and {script} [printing|to print] {call}",
            "with {func} in a new module {path} made to {doc}, [let|have] a new script {script} [print|show] {call}",
            "take two [new|fresh|blank] files, [define|write] {func} in {path} to {doc}, and print {call} in {script}",
            "how about a module {path} with {func} to {doc}, and a small [program|script] {script} [printing|showing] {call}",
            "see to it that {dir} [gets|has] both a script {script} that prints {call} and a module {path} whose {func} will {doc}",
            "have a new script {script} [print|output|display] {call}, and [create|set up|build] the module behind it, {path} with {func} to {doc}",
            "what i want is a [little|small] project of {path} and {script}, the script shows {call}, {func} in the module [must|has to] {doc}",
            "for {dir}, [generate|produce|set up] the module {path} and the [script|program] {script}, which prints {call}, {func} [should|must] {doc}",
            "both {path} and {script} are [missing|still to be written]: {func} in the module [should|has to] {doc}, the script must [print|output] {call}",
            "code up a module {path} [defining|providing] {func} to {doc}, together with {script}, a [script|program] [printing|showing] {call}",
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
            "[we need|i need] [working|finished|real] code for the [empty|unwritten|unfinished] functions in {path} and {other}",
            "into {path} and {other}, [put|write] the [code|bodies] their functions [still lack|are missing]",
            "{path}, {other}: [complete|implement|finish] the functions [in both|of both files]",
            "to get [passing|green] tests in {dir}, [implement|code|complete] what is missing in {path} and {other}",
            "i would like the [stubs|unfinished functions] in {path} and {other} to be [completed|implemented|filled in]",
            "there should be no [empty|unfinished] function bodies [left|any more] in {path} and {other}, [code|implement|write] them",
            "the functions of {path} and of {other} [have to be|are to be] [implemented|completed|filled in]",
            "{dir} has two [unfinished|incomplete] modules, {path} and {other}, [complete|finish|implement] both",
            "all [stubs|open functions|missing bodies] of {path} and {other} [filled in|completed]",
            "with the tests in {dir} as [a|the] check, [implement|fill in|complete] {path} and {other}",
            "take {path} and {other}, [look for|find] the functions without [code|a body] and [write|implement] them",
            "how about [finishing|completing|implementing] both {path} and {other}, their functions [do nothing yet|are only stubs]",
            "see to it that the [unwritten|unfinished] functions in {path} and {other} [are implemented|do what they should|get their code]",
            "have the [missing|empty] function bodies in {path} and {other} [filled in|written|completed]",
            "what i want is [complete|finished|working] versions of the [unfinished|stub] modules {path} and {other}",
            "{path} is only [half done|a stub] and so is {other}, [write|supply|add] the missing function code [in both|in the two files]",
            "once {path} and {other} are [done|finished], the tests in {dir} should pass, so [implement|complete|write] their functions",
            "replace the [stubs|placeholders] in {path} and {other} [with|by] [real|working] code",
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
