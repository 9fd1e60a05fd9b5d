"""Find and fix a wrong line: the docstring says what the code should do, and a test fails."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import SetupItem
from task_packs.code.functions.model import Bug, Function, folder, identifier
from task_packs.code.functions.scene import (
    Call,
    edit,
    function,
    hidden,
    read,
    replace,
    shell,
    suite,
    suite_passes,
    test_file,
    unchanged,
)


def buggy(draw: Draw) -> tuple[Function, Bug]:
    """A function with one of its bugs; the wrong line occurs once."""
    while True:
        wanted = function(draw)
        if wanted.bugs:
            bug = draw.choice(wanted.bugs)
            if "\n".join(bug.body).count(bug.body[bug.line]) == 1:
                return wanted, bug


def _scene(draw: Draw, run_first: bool = False) -> Scene:
    home, module, target = folder(draw), identifier(draw), identifier(draw)
    wanted, bug = buggy(draw)
    path = f"{home}/{module}.py"
    tests = SetupItem(path=f"{home}/test_{module}.py", text=test_file(module, target, wanted))
    gold: list[Call] = [shell(suite(home))] if run_first else []
    gold += [read(path), edit(path, replace(bug.body[bug.line], wanted.body[bug.line]))]
    return Scene(
        slots={"path": name(path), "func": name(target), "dir": name(home)},
        setup=(SetupItem(path=path, text=wanted.source(target, bug.body)), tests),
        gold=gold,
        done=suite_passes(home),
        checks=(suite_passes(home), hidden(home, module, target, wanted), *unchanged(tests)),
    )


INTENTS = [
    Intent(
        family="bugfix",
        name="bugfix_function",
        train=(
            "[fix|mend|repair] [the bug|the mistake|the error] in [the function|] {func} in {path}",
            "{func} in {path} [is wrong|has a bug|gives wrong answers], [fix|repair|mend] it",
            "in {path}, [correct|fix|mend] [the wrong line of|the bug in] {func}",
            "[find|look for] the bug in {func} in {path} and [fix|remove|mend] it",
            "the function {func} in {path} does not do what its docstring says, [correct|fix|repair] it",
            "make {func} in {path} [right|correct] again, [its test fails|a test fails]",
            "[open|look at] {path} and [fix|correct] the [wrong|bad] line [of|in] {func}",
            "a test of {func} in {path} fails, [find|fix|repair] the [mistake|bug]",
            "[debug|correct] the code of {func} in [the module|the file|] {path}",
        ),
        val=(
            "{func} in the module {path} gives wrong answers, mend the code",
            "repair the bad line in the code of {func}, see {path}",
        ),
        held=(
            "there is a mistake in {func} in the file {path}, correct the code",
            "look for what is wrong with {func} in {path} and repair it",
            "the test of {func} in {path} fails, mend the bad code",
            "{func} in {path} has a right docstring and wrong code, fix the code",
        ),
        build=_scene,
        cells=True,
        weight=1.5,
    ),
    Intent(
        family="bugfix",
        name="bugfix_folder",
        train=(
            "[fix|repair|mend] [the bug|the mistake] in [the folder|] {dir}",
            "the tests in {dir} fail, [find the bug and fix it|fix the code|repair the module]",
            "[find|look for] [the wrong line|the bug|the mistake] in {dir} and [correct|fix|mend] it",
            "in {dir}, [correct|fix|repair] the function [that fails its test|that is wrong]",
            "the module in {dir} [has a bug|is wrong|gives wrong answers], [fix|correct] it",
            "make the failing [test|tests] in {dir} pass [by fixing the code|again]",
            "the code in [the folder|] {dir} is wrong, [debug|repair|fix] it",
            "[correct|debug] the module in [the folder|] {dir} [so that its tests pass|]",
        ),
        val=(
            "the function in the folder {dir} does not do what its docstring says, mend it",
            "there is a mistake in {dir}, correct it",
        ),
        held=(
            "a test in {dir} fails, repair the bug in the module",
            "look for the bug in the folder {dir} and mend the code",
            "the code of {dir} gives wrong answers, find the mistake and correct it",
        ),
        build=_scene,
        cells=True,
    ),
    Intent(
        family="bugfix",
        name="bugfix_tests",
        train=(
            "[run|start] the tests in {dir} and [fix|repair|mend] what fails in {path}",
            "[run|try] the tests of {dir}, then [correct|fix] {path}",
            "[see|find out] which test in {dir} fails and [fix|repair] {path}",
            "run the [failing|] tests in [the folder|] {dir} and [debug|correct|mend] {path}",
            "[fix|correct] {path} after [running|a run of] the tests in {dir}",
            "run the tests in {dir}, there is [a bug|a mistake] in {path} [to fix|to mend]",
            "with the tests in {dir} [running|as a guide], [find|fix] the bug in {path}",
            "[try|run] the tests in {dir} to [find|see] the bug in {path} and [remove|fix] it",
        ),
        val=(
            "see what fails when you run the tests in {dir} and mend {path}",
            "start the tests of {dir} and correct the mistake in {path}",
        ),
        held=(
            "find out what fails in the tests of {dir} and correct {path}",
            "{path} has a bug, run the tests in {dir} and repair it",
            "try the failing tests in the folder {dir} and mend the wrong line of {path}",
        ),
        build=lambda draw: _scene(draw, run_first=True),
        cells=True,
    ),
]
