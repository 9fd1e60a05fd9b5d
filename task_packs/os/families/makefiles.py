"""Makefiles: change a variable, add a target, run a target and keep its output."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, text
from hybrid_agent.types import CommandCheck, ContainsCheck, EqualsCheck
from task_packs.os.calls import edit, shell
from task_packs.os.data import file
from task_packs.os.steps import at, place

VARIABLES = {
    "CC": ("gcc", "clang", "cc", "tcc"),
    "PYTHON": ("python3", "python3.11", "python3.12", "pypy3"),
    "OPT": ("-O0", "-O1", "-O2", "-O3"),
    "SHELL": ("/bin/sh", "/bin/bash", "/bin/dash"),
    "JOBS": ("1", "2", "4", "8"),
    "PREFIX": ("/usr", "/usr/local", "/opt", "build"),
}
COMMANDS = ("rm -rf build", "python3 -m unittest", "mkdir -p out", "ls -l", "git status", "tar czf all.tgz src")


def _where(draw: Draw) -> str:
    return f"{draw.dir()}/Makefile"


def _makefile(draw: Draw) -> tuple[dict[str, str], dict[str, str]]:
    """(variables, target -> the words it echoes)."""
    variables = {each: draw.choice(VARIABLES[each]) for each in draw.sample(list(VARIABLES), 2)}
    variables[draw.ident().upper()] = draw.word()
    targets = {draw.ident(): draw.phrase(1, 3) for _ in range(draw.number(2, 3))}
    return variables, targets


def _body(variables: dict[str, str], targets: dict[str, str]) -> str:
    lines = [f"{key} = {value}" for key, value in variables.items()]
    rules = [f"{target}:\n\t@echo {words}" for target, words in targets.items()]
    return "\n".join([*lines, "", "\n\n".join(rules)]) + "\n"


def _variable(draw: Draw) -> Scene:
    variables, targets = _makefile(draw)
    key = draw.choice(list(variables))
    pool = [v for v in VARIABLES.get(key, ()) if v != variables[key]] or [draw.word() + str(draw.number(1, 9))]
    value = draw.choice(pool)
    if draw.chance(0.5):
        where = place(draw, "mk")
    else:
        where = place(draw, filename="Makefile")
    return Scene(
        slots={"var": name(key), "value": name(value), "file": name(where.said)},
        setup=[file(where.real, _body(variables, targets))],
        gold=at(where, lambda path: shell(f"sed -i 's|^{key} =.*|{key} = {value}|' {path}")),
        done=ContainsCheck(path=where.real, text=f"{key} = {value}\n"),
        checks=[EqualsCheck(path=where.real, text=_body(variables | {key: value}, targets))],
    )


def _target(draw: Draw) -> Scene:
    variables, targets = _makefile(draw)
    path, target = _where(draw), draw.ident()
    command = draw.choice(COMMANDS) if draw.chance(0.4) else f"echo {draw.phrase(1, 3)}"
    body = _body(variables, targets)
    return Scene(
        slots={"target": name(target), "cmd": text(command), "file": name(path)},
        setup=[file(path, body)],
        gold=[edit(path, "append", text=f"{target}:\n\t{command}")],
        done=CommandCheck(cmd=f"make -n -f {path} {target} | grep -qxF '{command}'"),
        checks=[
            CommandCheck(cmd=f"make -n -f {path} {target}", stdout=command),
            ContainsCheck(path=path, text=body.rstrip("\n")),
        ],
    )


def _run(draw: Draw) -> Scene:
    variables, targets = _makefile(draw)
    path, out, target = _where(draw), draw.file("txt", "log", "out"), draw.choice(list(targets))
    folder = path.split("/")[0]
    return Scene(
        slots={"target": name(target), "folder": name(folder), "out": name(out)},
        setup=[file(path, _body(variables, targets))],
        gold=[shell(f"make -s -C {folder} {target} > {out}")],
        done=CommandCheck(cmd=f"test -s {out}"),
        checks=[
            EqualsCheck(path=out, text=targets[target]),
            EqualsCheck(path=path, text=_body(variables, targets)),
        ],
    )


INTENTS = [
    Intent(
        family="makefiles",
        name="make_variable",
        train=(
            "[set|change|switch|update] the make variable {var} to {value} in {file}",
            "in [the Makefile|the makefile] {file}, [set|change|switch] [the variable|] {var} to {value}",
            "[let|make|have] the makefile {file} use {value} as {var}",
            "[edit|change|adjust] the [Makefile|makefile|make file] {file} so that {var} [is|becomes|equals] {value}",
            "[use|choose] {value} [for|as] {var} in the [Makefile|makefile] {file}",
            "the make variable {var} in {file} [must|should|has to] [be|become] {value}",
            "{var} in the makefile {file} [should|must|has to] [be|become] {value}",
            "[assign|give] {value} to the make variable {var} [in|of] {file}",
            "the [Makefile|makefile] {file} [should|must] [build with|use] {value} for {var}",
            "into [the Makefile|the makefile] {file}, [write|put|enter] {value} as the [value|new value] of {var}",
            "{file}: [set|change|update] the [make|makefile] variable {var} to {value}",
            "to build with {value} as {var}, [edit|change|modify] the variable in the makefile {file}",
            "[i would like|we want|i need] the variable {var} [in|of] the [Makefile|makefile] {file} to [be|hold|equal] {value}",
            "there should be {value} as the [value|setting] of the make variable {var} in {file}",
            "make sure that {var} [equals|is set to|has the value] {value} in the [Makefile|makefile] {file}",
            "the variable {var} of the makefile {file} is to be [set|changed|switched] to {value}",
            "{var} has the wrong value in the [Makefile|makefile] {file}, [correct|fix|change] it to {value}",
            "{file}, make variable {var}, [new|] value {value}",
            "as the value of the make variable {var}, [record|write|enter] {value} in {file}",
            "take the [Makefile|makefile] {file}, find the variable {var} and [replace its value with|set it to|change it to] {value}",
            "how about {value} [for|as the value of] the make variable {var} in {file}",
            "let's [switch|turn|set] the variable {var} in the [makefile|Makefile] {file} to {value}",
            "see to it that the [Makefile|makefile] {file} [uses|has|gives] {value} for its variable {var}",
            "have the makefile {file} [define|set|declare] its variable {var} as {value}",
            "what i want is the make variable {var} [set|switched|changed] to {value} in {file}",
            "from now on, the make variable {var} in {file} [holds|is|equals] {value}",
            "the value of {var} in the [Makefile|makefile] {file} [must|should|has to] [change to|be changed to|turn into] {value}",
        ),
        val=(
            "adjust the makefile {file}, it should use {value} for the variable {var}",
            "switch {var} in the Makefile {file} to {value}",
        ),
        held=(
            "the makefile {file} has to set its variable {var} to {value}",
            "update the make variable {var} of {file}, it becomes {value}",
            "choose {value} as the make variable {var} in {file}",
        ),
        build=_variable,
    ),
    Intent(
        family="makefiles",
        name="make_target",
        train=(
            "add [a target|a make target|the target] {target} to {file} that [runs|calls|executes] {cmd}",
            "[create|write|add|define] [the make target|a new target|a rule] {target} in {file} "
            "[running|which runs|that calls] {cmd}",
            "in [the Makefile|the makefile] {file}, [add|define|create] a [target|rule] {target} [for|with] "
            "the command {cmd}",
            "the [makefile|Makefile] {file} [needs|should get|must get] a target {target} which "
            "[runs|executes|calls] {cmd}",
            "[extend|complete] {file} with [a make target|the target|a rule] {target} that [runs|executes] {cmd}",
            "[let|make] make {target} run {cmd} by adding the target to {file}",
            "[define|write] [a rule|a target] [called|named] {target} in {file}, its command is {cmd}",
            "{target} [should|must] be a [new target|make target] in {file} that [runs|executes|calls] {cmd}",
            "into [the Makefile|the makefile] {file}, [put|write|insert] a [target|rule] {target} that [runs|calls] {cmd}",
            "{file}: [add|append|write] a [target|rule] {target} [with|for] the command {cmd}",
            "to [run|call|start] {cmd} [by|with] make {target}, [add|write|create] that target in {file}",
            "[i would like|we want|i need] a [new|] make target {target} in {file} for [running|executing] {cmd}",
            "there should be a [rule|target] {target} in the [Makefile|makefile] {file} whose command is {cmd}",
            "make sure that the [makefile|Makefile] {file} [has|offers|gets] a target {target} [running|that runs] {cmd}",
            "a make [target|rule] {target} is to be [added|appended] to {file}, with {cmd} as its [command|recipe]",
            "{file} has no target {target} yet, [add|write|create] one [that runs|which calls|executing] {cmd}",
            "{file}, new [target|rule] {target}, [command|recipe] {cmd}",
            "as the [recipe|command] of a new [target|rule] {target} in {file}, [write|use|take] {cmd}",
            "take the [Makefile|makefile] {file} and [append|add] a [rule|target] [named|called] {target} with the [recipe|command] {cmd}",
            "how about a make [target|rule] {target} in {file} that [executes|starts|runs] {cmd}",
            "let's give the [Makefile|makefile] {file} a [new|] target {target} [for running|that runs|to start] {cmd}",
            "see to it that {file} [gets|gains|has] a make target {target} which [starts|runs|calls] {cmd}",
            "have the [makefile|Makefile] {file} [offer|provide|contain] a [target|rule] {target} with the command {cmd}",
            "what i want is a [rule|target] {target} in the makefile {file} [executing|to execute|that executes] {cmd}",
            "at the [end|bottom] of the [Makefile|makefile] {file}, [define|place|append] the target {target} with {cmd} [under it|as its recipe]",
            "with {cmd} as its [recipe|command], [create|set up|define] a [new|] [target|rule] {target} in the Makefile {file}",
        ),
        val=(
            "define the new make target {target} in {file} with the command {cmd}",
            "a target {target} is needed in the makefile {file}, it executes {cmd}",
        ),
        held=(
            "write a target named {target} into {file} which calls {cmd}",
            "extend the makefile {file}: the rule {target} should execute {cmd}",
            "the Makefile {file} must get a new rule {target} running {cmd}",
        ),
        build=_target,
    ),
    Intent(
        family="makefiles",
        name="make_run",
        train=(
            "run [make|] [the target|] {target} of the Makefile in {folder} and [save|write|store|put] "
            "[the output|its output] [in|to|into] {out}",
            "[run|call|execute] make {target} in {folder} and [save|write|store|put] "
            "[the output|what it prints] [in|to|into] {out}",
            "in {folder}, [run|build|make|execute] the make target {target} and [save|store|write] the output in {out}",
            "[build|make|execute] the target {target} [in|of] {folder}, [saving|writing|storing] the output "
            "[in|to] {out}",
            "[save|write|capture|store] the output of make {target} in {folder} [to|in|into] {out}",
            "{out} [should|must] [hold|contain|get] [what|the output that] the make target {target} in {folder} prints",
            "[use|let] make [to build|build|to run|run] {target} in {folder}, output to {out}",
            "[put|capture|collect] what make prints for [the target|] {target} in {folder} [in|into] {out}",
            "into {out}, [write|put|save] what make {target} [prints|outputs] in [the folder|] {folder}",
            "{folder}: [run|start|execute] make {target} there, [output|its output] to {out}",
            "to fill {out} with its output, [run|call|start] make {target} in [the folder|the directory|] {folder}",
            "[i would like|we want|i need] {out} to [hold|contain|show] the output of make {target} from [the folder|] {folder}",
            "there should be a [file|document] {out} with the output of the make target {target} [in|of] {folder}",
            "make sure that make runs the target {target} in {folder} and its [output|printout] [lands|ends up] in {out}",
            "the make target {target} in {folder} [is to be|has to be|must be] [run|executed|built], its output [goes to|belongs in] {out}",
            "we [have to see|need to know|must check] what make {target} prints in {folder}, [record|keep|store] it in {out}",
            "{out}: the output of make {target} [in|from] the [folder|directory] {folder}",
            "as {out}, [save|store|keep] what the Makefile target {target} in {folder} [prints|outputs]",
            "take the Makefile [in|of] {folder}, [run|build|execute] its target {target} and [place|drop|record] the output in {out}",
            "how about [running|building|executing] the make target {target} in {folder}, [output into|with the output in] {out}",
            "let's [call|run|start] make {target} in {folder} and [send|direct|redirect] the output to {out}",
            "see to it that the output of the target {target}, [run|built] by make in {folder}, [goes to|gets into] {out}",
            "have make [run|build|execute] {target} in the [folder|directory] {folder} and [collect|capture|keep] its output in {out}",
            "what i want is the output of make {target} in {folder}, [saved|stored|written] to {out}",
            "once make has [run|built|finished] the target {target} in {folder}, {out} should [hold|contain|have] its output",
            "inside {folder}, [start|invoke|launch] make with the target {target}, [whatever it prints goes into|its output belongs in] {out}",
        ),
        val=(
            "capture in {out} what the target {target} of the makefile in {folder} prints",
            "let make execute the target {target} in {folder} and store its output in {out}",
        ),
        held=(
            "call the make target {target} that is in {folder}, and write what it prints to {out}",
            "build {target} with make in {folder}, saving its output to {out}",
            "{out} must contain the output of the target {target}, run it with make in {folder}",
        ),
        build=_run,
    ),
]
