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
            "under {script}, [save|store|write] [a runnable|an executable] [shell script|script] that [prints|says|displays] {said}",
            "{script}: [a runnable|an executable|a new] shell script [that prints|to print|for printing] {said}",
            "when [run|started|executed], {script} should [print|show|say] {said}, [write|create|make] that script",
            "to [print|display|show] {said}, [set up|prepare|create] [a shell script|an executable script] [called|named] {script}",
            "i would like a [little|small|short] script {script} that [says|prints|displays] {said} when it is [run|called|executed]",
            "there should be [an executable|a runnable] script {script} which [outputs|displays|prints] the [words|text|line] {said}",
            "a shell script {script} [is to be|has to be|must be] [written|made|created] that [prints|echoes] the [text|line|words] {said}",
            "there is no script {script} yet, [write|add|create] [one|an executable one|a runnable one] that [prints|shows] {said}",
            "how about [a tiny|a small|an executable] script, {script}, that [just|only] [echoes|says|prints] {said}",
            "see to it that [running|executing|calling] the new script {script} [prints|shows|displays] {said}",
            "have a new shell script {script} [print|echo|say] {said} and make it [runnable|executable]",
            "what i want is an executable {script} that does nothing [but|except] [echo|print|display] {said}",
            "generate {script}, [a little|an executable|a simple] shell script with a single echo of {said}",
            "with one echo command, [build|write|generate] the [executable|runnable] script {script} so that it [prints|outputs] {said}",
            "the [text|words|line] {said} should [appear|be printed|be shown] when the new script {script} is [started|executed|run], so [write|create] it",
            "we need a [command|program|shell script] {script} to [print|display|echo] {said}, [write|create|produce] it and make it executable",
            "make sure that [an executable|a runnable] script {script} exists whose output [is|reads] {said}",
            "let's [write|create|put together] a shell script {script} whose [whole|only] output is the [line|text] {said}",
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
            "for {script} to be [run|started|executed] directly, its [execute bit|execute permission] has to be [set|turned on|added]",
            "{script}: [set|add|turn on|switch on] the [executable flag|execute bit|execute permission]",
            "i [want|need] to be able to [run|start|launch] {script}, [change|adjust|update] its permissions [for that|accordingly]",
            "there should be an [execute permission|executable flag|execute bit] on {script}",
            "for [all users|everyone|anybody], [add|set|turn on] execute permission on {script}",
            "make sure that [everyone|anyone|each user|anybody] [can|may|is able to] [execute|run|start] {script}",
            "the permissions of {script} [have to|must|should|need to] [allow|permit] [running it|executing it|its execution]",
            "we get permission denied [when running|on starting|when executing] {script}, [turn|switch] its [execute bit|execute permission] on",
            "how about making {script} [a runnable|an executable] [file|script|program]",
            "see to it that {script} is [marked|set|flagged] as [executable|a runnable file|a program]",
            "have the [executable flag|execute bit|execute permission] of {script} [turned on|switched on|set]",
            "what i want is {script} with [execute rights|the execute permission|the execute bit] for [everyone|all users|anybody]",
            "with chmod, [give|grant] [everyone|all users|anybody] the right to [run|execute|start] {script}",
            "update the [mode|permissions|file mode] of {script} [so that it may be run|to make it executable|so that anyone may execute it]",
            "nobody [can|is able to|may] [run|execute|start] the script {script}, [fix|change|adjust] its permissions",
            "it should be possible [for everyone|for all users|] to [execute|run|start|launch] {script}",
            "the file {script} is not [executable|runnable], [change|correct|fix] that",
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
            "into {out}, [put|write|save] [whatever|everything|all] the script {script} [prints|outputs|says]",
            "{script}: [run|start|execute] it and [record|place|drop] its output in {out}",
            "the output of [a run of|running|executing] {script}, [saved|stored|kept] as {out}",
            "to [get|fill|make|produce] {out}, [run|execute|start] {script} and [redirect|send|write] its output there",
            "i would like {out} to [hold|contain|have] the [output|printed text] of the [shell script|script] {script}",
            "there should be a file {out} with what {script} [prints|outputs] when it is [run|started|called]",
            "{script} [is to be|has to be|must be] [run|executed|started], with its [output|printed text] [redirected|written|sent] to {out}",
            "we need a [record|copy|log] of what {script} [prints|outputs], [run|start] it and [save|keep] that as {out}",
            "all output [of|from] the script {script} [to|into|as] {out}",
            "once {script} has been [started|run|executed], its [output|printed text] should be in {out}",
            "how about [running|starting|executing] {script} and [keeping|saving|storing] the [lines|text] it prints in {out}",
            "see to it that {script} is [run|executed|started] and that {out} [receives|holds|gets] its output",
            "have {script} [run|executed|started] with everything it [prints|outputs] [recorded|stored|saved] in {out}",
            "what i want is {out} [filled|created|made] with the [text|lines] that {script} [prints|outputs]",
            "as {out}, [save|record|store] the [lines|text] you see when [running|executing|starting] {script}",
            "use {script} to [generate|produce|create] {out} from [its output|what it prints]",
            "launch {script}, [catch|grab|collect] the [text it prints|output] and [write|drop|put] it [in|into] {out}",
            "let's [see|find out] what {script} [prints|says|outputs], [run|execute] it with {out} as the output file",
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
            "into {out}, [write|put|save] what {script} [prints|outputs|says] when [given|called with|run with] {arg}",
            "{script}: [run|call|start] it with {arg} and [keep|record|place] the output in {out}",
            "the output of {script} for the [parameter|argument|single argument] {arg}, [saved|stored|written] as {out}",
            "to [get|make|produce] {out}, [call|run|launch] {script} with the [parameter|argument] {arg} and [redirect|send] its output there",
            "i would like {out} to [hold|contain|show] the [output|printed text] of {script} when it [gets|is given|receives] {arg}",
            "there should be a file {out} with what {script} [prints|outputs] for the [argument|parameter] {arg}",
            "{script} [is to be|has to be|must be] [run|called|executed] with {arg} as its [argument|parameter], output [sent|redirected|written] to {out}",
            "the script {script} [takes|needs|expects] an argument, [give|pass|hand] it {arg} and [save|store] the output [as|in] {out}",
            "{script} with [argument|parameter|the argument] {arg}, output [to|into|as] {out}",
            "once {script} has been [run|called|started] with {arg}, its output should be in {out}",
            "how about [calling|running|starting] {script} with {arg} and [keeping|saving|storing] [what it prints|the output] in {out}",
            "see to it that {script} is [run|called|started] on {arg} and its [output|printed text] is [stored|saved|recorded] in {out}",
            "have {script} [run|called|executed] with the parameter {arg} and its output [recorded|collected|stored] in {out}",
            "what i want is {out} with the [text|lines] that {script} [prints|outputs] for {arg}",
            "as {out}, [store|save|record] the output you get from [calling|running|executing] {script} with {arg}",
            "use {arg} as the [parameter|argument] for {script}, [run|execute] it and [drop|put|write] the output into {out}",
            "take {arg}, [feed|hand|pass] it to {script} as an argument and [collect|capture|keep] the output in {out}",
            "for the [argument|parameter] {arg}, [find out|see|check] what {script} prints and [record|write|place] it in {out}",
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
