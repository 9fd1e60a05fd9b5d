"""Fix a program that stops with a traceback."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import Check, CommandCheck, SetupItem
from task_packs.code.functions.crashes import Crash, crash
from task_packs.code.functions.model import call, folder, identifier
from task_packs.code.functions.scene import (
    edit,
    hidden,
    read,
    replace,
    shell,
    suite,
    suite_passes,
    test_file,
    unchanged,
)


def _faulty(target: str, drawn: Crash) -> str:
    """The module's text with the fault in it."""
    text = drawn.function.source(target, drawn.bug.body if drawn.bug else None)
    return text if drawn.bug else text.removeprefix(drawn.function.header).lstrip("\n")


def _mend(drawn: Crash) -> dict[str, str]:
    """The edit that takes the fault away."""
    if drawn.bug is None:
        return {"op": "prepend", "text": f"{drawn.function.header}\n\n"}
    return replace(drawn.bug.body[drawn.bug.line], drawn.function.body[drawn.bug.line])


def _program(draw: Draw) -> Scene:
    home, module, target = folder(draw), identifier(draw), identifier(draw)
    drawn = crash(draw)
    path, run = f"{home}/{module}.py", f"python3 {home}/{module}.py"
    text = f"{_faulty(target, drawn)}\n\nprint({call(target, drawn.function.inputs[0])})\n"
    shown = str(drawn.function.returns[0]).strip()
    return Scene(
        slots={"path": name(path), "func": name(target), "dir": name(home)},
        setup=(SetupItem(path=path, text=text),),
        gold=(shell(run), read(path), edit(path, _mend(drawn))),
        done=CommandCheck(cmd=run),
        checks=(CommandCheck(cmd=run, stdout=shown), hidden(home, module, target, drawn.function)),
    )


def _tested(draw: Draw) -> Scene:
    home, module, target = folder(draw), identifier(draw), identifier(draw)
    drawn = crash(draw)
    path = f"{home}/{module}.py"
    tests = SetupItem(path=f"{home}/test_{module}.py", text=test_file(module, target, drawn.function))
    checks: tuple[Check, ...] = (suite_passes(home), hidden(home, module, target, drawn.function), *unchanged(tests))
    return Scene(
        slots={"path": name(path), "func": name(target), "dir": name(home)},
        setup=(SetupItem(path=path, text=_faulty(target, drawn)), tests),
        gold=(shell(suite(home)), read(path), edit(path, _mend(drawn))),
        done=suite_passes(home),
        checks=checks,
    )


INTENTS = [
    Intent(
        family="crash",
        name="crash_program",
        train=(
            "{path} [crashes|stops with a traceback], [fix|repair|mend] it",
            "[fix|repair] the crash [in|of] [the program|the script|] {path}",
            "[run|start] {path} and [fix|repair|mend] the [error|exception|crash] [it stops with|]",
            "the [program|script] {path} [dies|stops] with [an exception|an error], [find out why and fix it|fix that]",
            "make {path} run without [a crash|a traceback|an error]",
            "[see|find out] why {path} [crashes|dies|stops] and [repair|mend|fix] the code",
            "python3 {path} [ends|stops] with a traceback, [read it and fix|fix] the [cause|line]",
            "[run|try] the script {path}, [read|look at] the traceback and [correct|fix] the code",
            "when I [run|start] {path} it [crashes|raises an exception], [fix|mend] that",
            "[debug|correct] the [crashing|broken] [script|program] {path}",
            "[track down|find|locate] the [error|bug|mistake] that makes {path} [crash|abort|die] and [remove|repair|fix] it",
            "in {path} there is [a mistake|a bug|an error] that makes it [crash|abort|stop with an exception], [fix|correct|repair] it",
            "{path}: [run it|start it|execute it] with python3 and [repair|fix|correct] the [crash|exception]",
            "the [code|program|script] in {path} [raises an exception|aborts with an error|crashes], [correct|change|repair] it so it [runs|works]",
            "to [stop|end|prevent] the [crash|traceback|exception], [edit|correct|change] the [code|script] {path}",
            "i would like to [run|start|execute] {path} without [getting|seeing] a [traceback|crash|stack trace]",
            "there should be no [exception|traceback|crash] when {path} is [run|started|executed], [fix|correct|repair] the code",
            "make sure that the [script|program] {path} no longer [crashes|dies with an error|ends in a traceback]",
            "the [crash|exception|traceback] in {path} has to be [fixed|repaired|removed|dealt with]",
            "nobody can [run|use|start] {path} because it [crashes|aborts|ends in a traceback], [repair|mend|fix] it",
            "{path} [crashes at once|crashes when run|ends in an exception], fix [needed|wanted], [edit|correct] the code",
            "with the traceback as a [guide|hint|clue], [repair|correct|fix] the [crashing|failing] program {path}",
            "take {path}, [run|execute|start] it, [see|find] where it [crashes|raises the error] and [fix|correct] that [line|place]",
            "how about [fixing|repairing|mending] {path}, which [crashes|aborts|dies] [when it is started|as soon as it runs]",
            "let's get {path} to [run|work|go] through to the end without [crashing|an exception|a traceback]",
            "see to it that python3 {path} [runs|finishes|ends] without [an exception|a crash|a traceback]",
            "my [script|program] {path} [keeps crashing|blows up with an exception|falls over with a traceback], [fix|repair] it",
        ),
        val=(
            "find the cause of the crash of {path} and repair it",
            "the broken program {path} raises an exception, correct it",
        ),
        held=(
            "look at the traceback of the script {path} and mend the code",
            "when I start {path} it dies with an error, repair it",
            "find out what stops {path} and correct the line",
            "without a fix {path} ends with an exception, mend it",
        ),
        build=_program,
        cells=True,
        weight=1.5,
    ),
    Intent(
        family="crash",
        name="crash_tests",
        train=(
            "the tests in {dir} [crash|stop with a traceback], [fix|repair|mend] {path}",
            "[run|start] the tests in {dir} and [fix|repair] the [exception|crash] [in|from] {path}",
            "{func} in {path} [crashes|raises an exception] [in|when you run] the tests of {dir}, [fix|mend] it",
            "[see|find out] why the tests of {dir} crash and [correct|repair|fix] {path}",
            "[fix|mend] the crash [in|of] {func} in {path} that the tests in {dir} show",
            "make {func} in {path} run without [an exception|a crash] in the tests of {dir}",
            "a test in {dir} [dies|ends] with [an error|a traceback] from {func}, [correct|fix|debug] {path}",
            "[read|look at] the traceback of the tests in {dir} and [fix|correct] {func} in {path}",
            "[track down|find|locate] the [bug|mistake|error] in {path} that makes the tests [in|of] {dir} crash and [fix|repair] it",
            "in {path} [something|some code] [crashes|raises an exception] during the tests of {dir}, [repair|correct|fix] it",
            "{path}: [run|execute] the tests in {dir} and [mend|repair|fix] the [exception|crash|error] they [run into|end with]",
            "{func} [aborts|blows up|crashes] with [an exception|a traceback] in the tests of {dir}, [correct|mend|repair] it in {path}",
            "to [stop|end|prevent] the [crash|exception] in the tests of {dir}, [correct|change|edit] {func} in {path}",
            "i would like the tests [in|of] {dir} to [run|go] through without [a traceback|an exception|crashing], [correct|fix] {path}",
            "there should be no [exception|traceback|crash] in the tests of {dir}, [repair|fix|correct] {func} in {path}",
            "make sure that {func} in {path} no longer [crashes|raises an error|dies] when the tests in {dir} [run|are run]",
            "the [crash|exception] that the tests [in|of] {dir} [show|report|hit] has to be [fixed|repaired|mended] in {path}",
            "we cannot [finish|complete] the tests in {dir} because {func} [crashes|raises an exception], [repair|correct] {path}",
            "the tests in {dir} [crashing|ending in a traceback], [fix|repair] [needed|wanted] in {path}",
            "with the traceback [from|of] the tests in {dir} as a [guide|clue|hint], [repair|correct|fix] {path}",
            "take the tests in {dir}, [run|start] them, [see|find] where {path} [crashes|raises the error] and [correct|fix] it",
            "how about [fixing|repairing|correcting] {func} in {path}, it [crashes|dies] [in|during] the tests of {dir}",
            "let's get the tests in {dir} to run without [crashing|a traceback|an exception] by [fixing|correcting|editing] {path}",
            "see to it that the tests of {dir} [do not crash|end without a traceback] [any more|from now on], [edit|correct|update] {path}",
            "when the tests in {dir} [run|are run|start], {func} from {path} [raises an exception|crashes], [mend|fix|correct] that",
        ),
        val=(
            "start the tests of {dir}, find the cause of the crash and mend {path}",
            "correct {path}, the tests in {dir} raise an exception",
        ),
        held=(
            "the traceback of the tests in {dir} shows a crash in {func}, repair {path}",
            "find out why {func} dies in the tests of {dir} and fix the code in {path}",
            "repair {path} so that the tests in {dir} run without a traceback",
        ),
        build=_tested,
        cells=True,
    ),
]
