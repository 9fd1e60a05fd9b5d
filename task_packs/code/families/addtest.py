"""Add a test that passes on the code and catches a wrong version of it (which the agent never sees)."""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import Check, CommandCheck, SetupItem
from task_packs.code.functions.composed import composed
from task_packs.code.functions.model import Bug, Function, call, folder, identifier
from task_packs.code.functions.scene import (
    Call,
    edit,
    python_check,
    read,
    suite_passes,
    test_file,
    test_header,
    unchanged,
    write,
)

CAUGHT = """import sys, types, unittest
sys.dont_write_bytecode = True
sys.path.insert(0, {folder!r})
wrong = types.ModuleType({module!r})
exec({text!r}, wrong.__dict__)
sys.modules[{module!r}] = wrong
result = unittest.TestResult()
unittest.defaultTestLoader.discover({folder!r}).run(result)
assert result.failures and not result.errors, result
"""
CALL_ROOM = 64


@dataclass(frozen=True)
class Case:
    """A function, a wrong version of it, the input that tells them apart, and inputs that do not."""

    function: Function
    bug: Bug
    telling: int
    blind: tuple[int, ...]


def draw_case(draw: Draw, quotes: bool = True) -> Case:
    """Draw a function whose wrong version escapes the existing tests but not the telling input."""
    while True:
        function = composed(draw)
        returns = function.returns
        for bug in draw.sample(function.bugs, len(function.bugs)):
            if bug.meaning is None:
                continue
            differs = [i for i, args in enumerate(function.inputs) if bug.meaning(*args) != returns[i]]
            blind = tuple(i for i in range(len(function.inputs)) if i not in differs)[:2]
            fitting = [i for i in differs if _fits(function, i, quotes)]
            if blind and fitting:
                return Case(function, bug, draw.choice(fitting), blind)


def _fits(function: Function, index: int, quotes: bool) -> bool:
    written = call("", function.inputs[index])
    value = repr(function.returns[index])
    if not quotes and ('"' in written or "'" in value):
        return False
    return len(written) + len(value) <= CALL_ROOM and "\\" not in written + value and value != "None"


def test_method(target: str, case: Case) -> str:
    """The lines of the new test."""
    wanted = repr(case.function.returns[case.telling])
    written = call(target, case.function.inputs[case.telling])
    return f"    def test_example(self):\n        self.assertEqual({written}, {wanted})"


def example(target: str, case: Case) -> str:
    """The example of the docstring, as a doctest."""
    written = call(target, case.function.inputs[case.telling])
    return f"    >>> {written}\n    {case.function.returns[case.telling]!r}"


def _checks(home: str, module: str, target: str, case: Case) -> tuple[Check, ...]:
    wrong = case.function.source(target, case.bug.body)
    return suite_passes(home), python_check(CAUGHT.format(folder=home, module=module, text=wrong))


def _done(home: str, module: str) -> CommandCheck:
    return CommandCheck(cmd=f"cd {home} && python3 -m unittest -q test_{module}.Test.test_example")


def _scene(draw: Draw, kind: str) -> Scene:
    home, module, target = folder(draw), identifier(draw), identifier(draw)
    case = draw_case(draw, quotes=kind != "value")
    path, tests = f"{home}/{module}.py", f"{home}/test_{module}.py"
    shown = "" if kind == "value" else example(target, case)
    code = SetupItem(path=path, text=case.function.source(target, example=shown))
    new = test_method(target, case)
    setup: tuple[SetupItem, ...]
    gold: tuple[Call, ...]
    if kind == "new":
        whole = f"{test_header(module, target)}{new}\n"
        setup, gold = (code,), (read(path), write(tests, whole))
    else:
        existing = SetupItem(path=tests, text=test_file(module, target, case.function, case.blind))
        add = edit(tests, {"op": "append", "text": f"\n{new}"})
        setup, gold = (code, existing), ((add,) if kind == "value" else (read(path), add))
    return Scene(
        slots={
            "path": name(path),
            "tests": name(tests),
            "func": name(target),
            "dir": name(home),
            "call": plain(call(target, case.function.inputs[case.telling])),
            "want": plain(repr(case.function.returns[case.telling])),
        },
        setup=setup,
        gold=gold,
        done=_done(home, module),
        checks=(*_checks(home, module, target, case), *unchanged(code)),
    )


INTENTS = [
    Intent(
        family="addtest",
        name="addtest_example",
        train=(
            "add a test [for|of] {func} to {tests}, [take|use] the example in {path}",
            "[turn|make] the [docstring|] example of {func} in {path} into a test in {tests}",
            "[extend|complete] {tests} with [the example|a test of the example] from the docstring in {path}",
            "{path} [shows|has] an example of {func}, [add|write] a test [for|of] it to {tests}",
            "[write|add] [one more|another] test in {tests} that [checks|covers] the example in {path}",
            "[check|cover] the [docstring|] example in {path} by a [new|] test in {tests}",
            "[put|add] the example of {path} [in|to] {tests} as a test",
            "in {tests}, [write|add] a [new|] test [from|for] the docstring example in {path}",
            "[read|look at|open] {path} and [test|cover] its example in {tests}",
            "into {tests}, [write|put|insert] [one more|another|an extra] test [for|of] the docstring example in {path}",
            "{tests}: [add|append] a test [from|based on] the example [in|of] {path}",
            "to [check|cover] {func} [better|more fully], [add|append] a test with the example from {path} to {tests}",
            "[i would like|we want|i need] {tests} to also [check|verify|cover] the docstring example of {path}",
            "there should be [one more|another|an additional] test in {tests} for {func}, [built|made] from the example in {path}",
            "make sure that the docstring example of {func} in {path} is also [tested|covered|checked] in the existing {tests}",
            "the example in the docstring of {path} is to be [added|appended] as a test to {tests}",
            "{tests} does not [test|check|cover] {func} [yet|so far], [add|append] its example from {path} as a test",
            "the docstring example of {path} as [one more|another|an extra] test in {tests}",
            "as [another|one more|an additional] test in {tests}, [use|take] the example of {func} in {path}",
            "take the docstring example of {func} in {path}, [turn|make] it into a test [method|case] and [append|add] it to {tests}",
            "how about [one more|another|an extra] test in {tests} that [repeats|checks|covers] the docstring example of {path}",
            "let's [extend|enlarge|complete] the existing tests in {tests} [by|with] the example of {func} from {path}",
            "see to it that {tests} gets [another|an added|one more] test, for {func}, as [shown|given] by the example in {path}",
            "have {tests} [also|additionally] [check|verify|test] the docstring example in {path}",
            "what i want is an [extra|additional|added] test in {tests} with the example of {func} from {path}",
            "whatever the docstring example in {path} [shows|promises|claims] [should|must] be checked by [one more|an added|an additional] test in {tests}",
            "the [existing|present] test file {tests} [lacks|is missing] the example of {func} in {path}, [add|append] it as a test",
        ),
        val=(
            "take the example that the docstring in {path} shows and cover it in {tests}",
            "put one more test in {tests}, use the docstring of {func} in {path}",
        ),
        held=(
            "{tests} has no test of the example in {path}, write one",
            "look at the docstring example in {path} and extend {tests} with it",
            "make another test of {func} in {tests} from what {path} shows",
        ),
        build=lambda draw: _scene(draw, "example"),
    ),
    Intent(
        family="addtest",
        name="addtest_value",
        train=(
            "add a test to {tests} that {call} [is|gives|returns] {want}",
            "[check|test] in {tests} that {call} [gives|returns] {want}",
            "[extend|complete] {tests} with a test that [expects|wants] {want} from {call}",
            "[write|add] a [new|] test in {tests}, {call} [must be|should be|is] {want}",
            "{call} [should|must] [give|return] {want}, add a test [for|of] that to {tests}",
            "[cover|test] {call} in {tests}, it [gives|returns] {want}",
            "[put|add] [one more|another] test [in|to] {tests}: {call} [is|gives] {want}",
            "make a test in {tests} that compares {call} with {want}",
            "into {tests}, [write|put|insert] a test [saying|asserting|checking] that {call} [equals|is|returns] {want}",
            "{tests}: [add|append] a test, {call} [must give|should return|gives] {want}",
            "to [prove|verify|confirm] that {call} [is|gives|yields] {want}, [add|append|write] a test in {tests}",
            "[i would like|we want|i need] a test in {tests} [asserting|confirming|showing] that {call} [yields|returns|is] {want}",
            "there should be a test in {tests} where {call} [has to|must|should] [return|give|be] {want}",
            "make sure that {tests} [has|contains|includes] a test for {call} with the expected [result|value] {want}",
            "the [call|expression] {call} is to be [tested|checked|verified] in {tests}, the [result|answer] [should|must] be {want}",
            "nothing in {tests} [checks|covers|tests] {call} yet, [add|write] a test [expecting|that expects] {want}",
            "{call} [equals|gives|yields] {want}, as [a new|another|one more] test in {tests}",
            "as [a new|another|one more] test in {tests}, [assert|check] that {call} [equals|gives|returns] {want}",
            "take {call}, [compare its result with|check its result against] {want} and [put|write|record] that in {tests} as a test",
            "how about a test in {tests} that {call} [yields|returns|gives|equals] {want}",
            "let's [assert|verify|check] in {tests} that the result of {call} [is|equals] {want}",
            "see to it that {tests} [tests|checks|verifies] {call} against the [value|result] {want}",
            "have {tests} [assert|verify|expect|check] that {call} [is|returns|gives] {want}",
            "what i want is [one more|another] test in {tests}, with {want} [expected from|as the result of] {call}",
            "when {call} is [called|evaluated], {want} should come [out|back], [add|write|record] a test of that in {tests}",
            "with {want} as the expected [value|result], [test|check] {call} in {tests}",
        ),
        val=(
            "{tests} has no test that {call} is {want}, add it",
            "write one more test in {tests} that expects {want} from {call}",
        ),
        held=(
            "extend {tests}, {call} must return {want}",
            "cover in {tests} that {call} gives {want}",
            "put a new test in {tests} that compares {call} with {want}",
        ),
        build=lambda draw: _scene(draw, "value"),
    ),
    Intent(
        family="addtest",
        name="addtest_file",
        train=(
            "[write|create|make] [a test file|the test file|the tests] {tests} for {func} in {path}",
            "{path} has no tests, [write|create] {tests} [with|from] the example of {func}",
            "[create|write] {tests} with a test of the docstring example [in|of] {path}",
            "[turn|make] the example in {path} into a [new|] test file {tests}",
            "[test|cover] {func} of {path} in a new file {tests}",
            "[start|write|make] a new test [file|module] {tests} that [checks|covers] the example in {path}",
            "[read|look at|open] {path} and [create|write] the test file {tests}",
            "[there are no tests|a test is missing] for {path}, [make|create] {tests}",
            "into a [new|fresh] test file {tests}, [write|put] a test [for|of] the docstring example in {path}",
            "{path}: [create|make|write] a [new|fresh] test [file|module] {tests} [for|from] its [docstring|] example",
            "to [test|check] {func} from {path}, [create|set up|start] the [new|] test file {tests}",
            "[i would like|we want|i need] a new test [file|module] {tests} for {func} [in|of|from] {path}",
            "there should be a [new|fresh|separate] test file {tests} [covering|that covers|for] the [docstring|] example in {path}",
            "make sure that {path} gets its own [new|] test [file|module] {tests} with the example of {func}",
            "a test file {tests} is to be [created|generated|set up] for {path}, [based on|using|with] its docstring example",
            "{path} [is untested|has no test file|comes without tests] so far, [create|produce|prepare] {tests} for {func}",
            "{tests} as a [new|fresh] test [file|module] for {func} in {path}",
            "as a [new|fresh|first] test file for {path}, [create|write|make] {tests} with [its|the] docstring example",
            "take the docstring example of {func} in {path}, [make|create] a new [file|module] {tests} and test it there",
            "how about a [new|fresh|separate] test [file|module] {tests} for the [docstring|] example in {path}",
            "let's [create|start|set up] the test file {tests} for {func}, whose example [is|stands] in {path}",
            "see to it that a new file {tests} [is created|is made|gets written] that tests {func} from {path}",
            "have a test file [created|generated|set up] for {path}, [named|called] {tests}, with the example in [its|the] docstring",
            "what i want is a [brand new|completely new|new] test file {tests} that [checks|covers|tests] {func} from {path}",
            "no tests [exist|are there] for {path} yet, so [build|generate|write] the file {tests} from its docstring example",
            "with the example of {func} in {path} as its [only|first|single] test, [create|set up] the file {tests}",
        ),
        val=(
            "start the test file {tests} with the docstring example of {path}",
            "{func} in {path} has no test, write the new file {tests}",
        ),
        held=(
            "look at the example in {path} and make a new test module {tests} from it",
            "no test file covers {path}, create {tests} for {func}",
            "create a new file {tests} that checks the docstring example of {func} in {path}",
        ),
        build=lambda draw: _scene(draw, "new"),
    ),
]
