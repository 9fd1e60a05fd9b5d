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
