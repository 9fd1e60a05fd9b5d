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
            "{path}: [repair|correct|debug] the [function|code of] {func}",
            "to make {func} in {path} [work|right|correct], [change|edit|replace] the [wrong|faulty|bad] line",
            "i would like {func} in {path} to [work|return the right result|do what its docstring says]",
            "there is [a bug|a mistake|an error|something wrong] in {func} of {path}, [correct|repair|remove] it",
            "make sure that {func} in {path} [works|does its job|returns what it should] again",
            "the function {func} [of|in] {path} [has to|must|is to] be [repaired|fixed|corrected|debugged]",
            "a bug in {func}, file {path}: [find and fix|track down and remove|fix] it",
            "take {path}, find what is wrong [with|in] {func} and [put|set] it right",
            "how about [fixing|repairing|correcting] the [broken|faulty|buggy] function {func} in {path}",
            "let's get rid of the [bug|error|mistake] in {func} in the [file|module] {path}",
            "see to it that {func} from {path} [gives|returns|produces] [correct|the right] [results|answers]",
            "have {func} in {path} [do|compute|return] what its docstring [says|promises|describes]",
            "what i want is [a working|a correct|a repaired] {func} in the [file|module] {path}",
            "the results of {func} in {path} are [wrong|off|not right], [edit|correct|adjust] the code",
            "with {func} in {path} [broken|not working], [look for|find] the [bad|faulty] line and correct it",
            "once you have read {path}, [fix|mend|change] the [mistake|wrong line|error] in {func}",
            "nobody can use {func} in {path} [like this|as it is], it is [wrong|broken|buggy], [repair|fix] it",
            "[clear out|remove|eliminate] the [error|fault|bug] that makes {func} in {path} [wrong|return bad values]",
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
            "{dir}: [find|track down|locate] the bug and [repair|remove|correct] it",
            "to make the [code|module] in {dir} [work|correct], [fix|change|edit] its [wrong|faulty|bad] line",
            "i would like the [code|module|program] in the folder {dir} to be [right|correct|free of bugs]",
            "there is a [bug|mistake|fault|wrong line] somewhere in {dir}, [fix|mend|remove] it",
            "make sure that the [code|function|module] in {dir} [works|does what it should] again",
            "the [faulty|broken|buggy] code in the directory {dir} [has to|must|is to] be [repaired|fixed|corrected]",
            "a bug [sits|hides|is] somewhere in the directory {dir}, [fix|repair|remove] it",
            "take the [folder|directory] {dir}, find the [bad|faulty|wrong] line of code and [put|set] it right",
            "how about [fixing|debugging|repairing] the [code|module|program] in {dir}",
            "let's get rid of the [error|mistake|bug] in the [directory|folder] {dir}",
            "see to it that the [module|code] in {dir} [meets|passes|satisfies] its tests, [one line|something] in it is wrong",
            "have the [broken|faulty|wrong] function [in|inside] {dir} [mended|repaired|corrected]",
            "what we want is [working|correct|bug free] code in the [folder|directory] {dir}, [repair|fix|debug] it",
            "the program in {dir} [returns|produces] wrong [results|values|numbers], [correct|edit|mend] its code",
            "my last change broke the [code|module] in {dir}, [find|look for] the mistake and [mend|correct|fix] it",
            "in the directory {dir} a function [does not work|is broken|returns bad values], [fix|mend|debug] it",
            "which line of the module in {dir} is [wrong|faulty], [find|locate] it and [correct|change] it",
            "[eliminate|remove|clear out] the [error|fault|bug] in the [python code|module|source] under {dir}",
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
            "{path}: [fix|repair|correct] it after [running|trying|starting] the tests in {dir}",
            "to see what is wrong with {path}, [run|start|execute] the tests in {dir}, and [repair|fix|correct] it",
            "i would like you to [run|execute|try] the tests in {dir} and [fix|mend|correct] [the code in|] {path}",
            "there are tests in {dir}, run them and [remove|fix|correct] the [mistake|error|bug] they [show|find|report] in {path}",
            "make sure that the tests in {dir} are [run|executed|started] and the [bug|error|fault] in {path} is [fixed|removed]",
            "the tests in the folder {dir} [must|have to|are to] be run, and {path} [repaired|corrected|fixed] [accordingly|by what they say]",
            "a test run in {dir}, after it a [fix|correction|repair] in {path}",
            "take the tests in {dir}, run them and [edit|change|adjust] {path} [where it is wrong|until they pass]",
            "how about [running|starting|executing] the tests of {dir} and [fixing|debugging|repairing] {path}",
            "let's [run|execute|start] the tests in the [folder|directory] {dir} and [clear out|get rid of] the bug in {path}",
            "see to it that you run the tests in {dir} before you [fix|edit|change] the [faulty|wrong] line in {path}",
            "have the tests in {dir} run, [read|look at] what fails and [set|put] {path} right",
            "what i want is a test run in {dir} and [a repaired|a corrected|a working] {path} [after it|afterwards]",
            "a line in {path} is [wrong|broken], [run|execute|try] the tests in {dir} and [mend|correct|repair] it",
            "with a [run|test run] of unittest in {dir}, [find|show|locate] the [error|bug|mistake] in {path} and [fix|correct] it",
            "once you have [run|started|executed] the tests in {dir}, [repair|correct|debug] the [code|function] in {path}",
            "before you [fix|edit|repair] the bug in {path}, [run|execute|start] the tests in {dir}",
            "[execute|launch|start] the unit tests under {dir} and [debug|correct|change] the module {path} [so that they pass|]",
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
