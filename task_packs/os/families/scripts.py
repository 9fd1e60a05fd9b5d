"""Shell scripts: write a short one, make one runnable, run one and keep what it prints."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, text
from hybrid_agent.types import CommandCheck, EqualsCheck, ExistsCheck, ModeCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import file

SHEBANG = "#!/bin/sh\n"


def _write(draw: Draw) -> Scene:
    path, said = draw.path("sh"), draw.phrase(1, 4)
    return Scene(
        slots={"script": name(path), "said": text(said)},
        gold=[fs("write", path, text=f"{SHEBANG}echo '{said}'\n"), shell(f"chmod a+x {path}")],
        done=CommandCheck(cmd=f"./{path} | grep -qxF '{said}'"),
        checks=[
            CommandCheck(cmd=f"./{path}", stdout=said),
            CommandCheck(cmd=f"head -c 2 {path}", stdout="#!"),
        ],
    )


def _runnable(draw: Draw) -> Scene:
    path, other, said = draw.path("sh"), draw.file("sh"), draw.phrase(1, 3)
    body = f"{SHEBANG}echo {said}\n"
    return Scene(
        slots={"script": name(path)},
        setup=[file(path, body, mode="644"), file(other, body, mode="644")],
        gold=[shell(f"chmod a+x {path}")],
        done=CommandCheck(cmd=f"test -x {path}"),
        checks=[
            CommandCheck(cmd=f"./{path}", stdout=said),
            EqualsCheck(path=path, text=body),
            ModeCheck(path=other, mode="644"),
        ],
    )


def _run(draw: Draw) -> Scene:
    path, out, said = draw.path("sh"), draw.file("txt", "log", "out"), draw.phrase(1, 3)
    body = f"{SHEBANG}echo {said}\necho {draw.word()}\n"
    locked = draw.chance(0.35)
    run = shell(f"./{path} > {out}")
    return Scene(
        slots={"script": name(path), "out": name(out)},
        setup=[file(path, body, mode="644" if locked else "755")],
        gold=[run, shell(f"chmod a+x {path}"), run] if locked else [run],
        done=CommandCheck(cmd=f"test -s {out}"),
        checks=[
            EqualsCheck(path=out, text="\n".join(line[5:] for line in body.splitlines()[1:])),
            EqualsCheck(path=path, text=body),
        ],
    )


def _argument(draw: Draw) -> Scene:
    path, out, argument = draw.path("sh"), draw.file("txt", "log", "out"), draw.word()
    greeting = draw.word()
    body = f'{SHEBANG}echo "{greeting} $1"\n'
    return Scene(
        slots={"script": name(path), "arg": name(argument), "out": name(out)},
        setup=[file(path, body, mode="755")],
        gold=[shell(f"./{path} {argument} > {out}")],
        done=ExistsCheck(path=out),
        checks=[EqualsCheck(path=out, text=f"{greeting} {argument}"), EqualsCheck(path=path, text=body)],
    )


INTENTS = [
    Intent(
        family="scripts",
        name="script_write",
        train=(
            "[write|create|make|build] [a script|a shell script|an executable script] {script} that "
            "[prints|echoes|outputs] {said}",
            "[create|write|add] {script}, [a script|a shell script] [which|that] [prints|outputs|shows] {said}",
            "[write|create|make] an executable {script} whose only job is to [print|echo|show] {said}",
            "{script} [should|must] be [a script|a shell script|an executable script] that [prints|echoes] {said}",
            "[put|write] a [small script|little script|shell script] in {script} which [echoes|prints|shows] {said}",
            "[prepare|provide] [a script|a shell script] called {script}, it [should|must] [print|echo|output] {said}",
            "[make|build] a runnable [script|shell script] {script} to [print|output|show] {said}",
            "[a new script|a script] {script} [should|must|has to] [print|output|echo] {said}, [write|create] it",
        ),
        val=(
            "build the executable script {script}, it has to show {said}",
            "add a little shell script {script} which outputs {said}",
        ),
        held=(
            "make me a small executable called {script} which prints {said}",
            "the job of the new script {script} is to output {said}, write it",
            "a runnable script {script} is needed that shows {said}",
        ),
        build=_write,
    ),
    Intent(
        family="scripts",
        name="script_runnable",
        train=(
            "make [the script|the shell script|] {script} executable",
            "[make|mark] {script} [runnable|as executable|as runnable]",
            "[allow|enable] [everyone|me|users] to [run|execute] the script {script}",
            "[give|grant] {script} the execute permission",
            "[set|add|turn on] the [execute bit|executable bit|execute permission] [on|of] {script}",
            "[the script|the shell script] {script} [should|must|has to|needs to] be [executable|runnable]",
            "[chmod|change] {script} so that it can be [run|executed|started]",
            "{script} cannot be [run|executed|started] yet, make it executable",
        ),
        val=(
            "grant the shell script {script} the execute bit",
            "change the script {script} so that users can execute it",
        ),
        held=(
            "turn {script} into an executable script",
            "the execute bit of the script {script} has to be set",
            "allow the shell script {script} to be run",
        ),
        build=_runnable,
    ),
    Intent(
        family="scripts",
        name="script_run",
        train=(
            "[run|execute|start|call] [the script|the shell script|] {script} and [save|write|store|put] "
            "[what it prints|its output|the output] [in|to|into] {out}",
            "[save|write|store|capture|put] the output of [the script|] {script} [in|to|into] {out}",
            "[run|execute|call|start] {script} with its output [going to|redirected to|saved in] {out}",
            "{out} [should|must] [contain|hold|get] [what|whatever] the script {script} prints",
            "[execute|run|start] [the shell script|the script] {script}, [capture|collect|keep|save] the "
            "output in {out}",
            "[redirect|send|capture] the output of {script} [to|into] {out}",
            "[run|call] {script} > {out}",
            "[keep|collect] [what|whatever|everything that] {script} [prints|outputs] in {out}",
        ),
        val=(
            "call the script {script}, its output goes to {out}",
            "into {out}, write everything that the script {script} outputs",
        ),
        held=(
            "execute the script {script} and redirect what it outputs into {out}",
            "{out} must hold the output of the shell script {script}, so run it",
            "start {script} and collect in {out} whatever it prints",
            "capture in {out} what {script} outputs",
        ),
        build=_run,
    ),
    Intent(
        family="scripts",
        name="script_argument",
        train=(
            "[run|execute|call|start] {script} with [the argument|argument] {arg} and [save|write|store|put] "
            "[the output|its output|what it prints] [in|to|into] {out}",
            "[call|start|run|execute] [the script|] {script} {arg} [saving|writing|storing] the output [in|to] {out}",
            "[pass|give|hand] {arg} to [the script|the shell script] {script} and [save|write|store] "
            "[its output|what it prints] in {out}",
            "with {arg} as its [argument|only argument|first argument], [run|call|execute] {script} and "
            "[save|put|write] the output [in|into] {out}",
            "[save|store|capture] [the output of|what is printed by] {script} for the argument {arg} in {out}",
            "{out} [should|must] [get|hold|contain] the output of {script} [run|called|started] with {arg}",
            "[execute|run|call] {script} on the argument {arg}, [output|its output] to {out}",
            "[write|put|capture] what {script} prints for [the argument|] {arg} [to|into] {out}",
        ),
        val=(
            "hand the argument {arg} to {script} and capture its output in {out}",
            "in {out}, store what the script {script} prints for the first argument {arg}",
        ),
        held=(
            "give {script} the argument {arg}, saving what it prints in {out}",
            "call {script} with {arg} as the first argument, writing its output to {out}",
            "{out} must contain what is printed by the script {script} for {arg}",
        ),
        build=_argument,
    ),
]
