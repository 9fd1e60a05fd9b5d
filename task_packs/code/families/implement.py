"""Write the body of a function from its docstring."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import SetupItem
from task_packs.code.functions.model import Function, folder, identifier
from task_packs.code.functions.scene import edit, function, hidden, read, replace, suite_passes, test_file, unchanged

STUB = "    raise NotImplementedError"
ROOM = 440  # characters of a module that an observation shows whole


def stub_module(draw: Draw, target: str, wanted: Function) -> str:
    """The module with the unwritten function, sometimes below or above a finished one."""
    text = wanted.source(target, body=(STUB,))
    if wanted.header or not draw.chance(0.3):
        return text
    other = function(draw)
    extra = other.source(identifier(draw))
    if other.header or len(text) + len(extra) > ROOM:
        return text
    return f"{text}\n\n{extra}" if draw.chance(0.5) else f"{extra}\n\n{text}"


def _scene(draw: Draw) -> Scene:
    home, module, target = folder(draw), identifier(draw), identifier(draw)
    wanted = function(draw)
    path = f"{home}/{module}.py"
    tests = SetupItem(path=f"{home}/test_{module}.py", text=test_file(module, target, wanted))
    write_body = edit(path, replace(STUB, "\n".join(wanted.body)))
    return Scene(
        slots={"path": name(path), "func": name(target), "dir": name(home)},
        setup=(SetupItem(path=path, text=stub_module(draw, target, wanted)), tests),
        gold=(read(path), write_body),
        done=suite_passes(home),
        checks=(suite_passes(home), hidden(home, module, target, wanted), *unchanged(tests)),
    )


INTENTS = [
    Intent(
        family="implement",
        name="implement_function",
        train=(
            "[implement|write|fill in|complete] [the function|] {func} in {path}",
            "in {path}, [implement|write|complete] {func} [from its docstring|as its docstring says|]",
            "[write|fill in|complete] the body of {func} in [the file|] {path}",
            "{path} has [an unfinished|an empty|a missing] function {func}, [implement|complete|finish] it",
            "make {func} in {path} do what its docstring [says|asks for|promises]",
            "the function {func} in {path} [is not written yet|raises NotImplementedError], [write|implement] it",
            "replace the NotImplementedError [of|in] {func} in {path} [with|by] [working|real] code",
            "finish [the work on|] {func} in the module {path} so that the tests [pass|work]",
            "[open|look at] {path} and [write|implement] the missing code of {func}",
            "[add|write] the code for {func} to {path}, [its docstring says what it does|see its docstring]",
            "{path}: [implement|write|finish] the [unfinished|missing|empty] function {func}",
            "into {path}, [write|put|insert] the [working|missing|real] code [of|for] {func}",
            "to get {func} in {path} [working|going], [write|fill in|program] its [missing|empty] body",
            "[i would like|we want|i need] the function {func} in {path} to be [implemented|written|coded], [following|according to] its docstring",
            "there should be a [working|real|finished] [implementation|body] of {func} in {path}",
            "make sure that the unwritten function {func} in {path} [returns|computes|does] what its docstring [describes|promises|says]",
            "the [body|code] of {func} in {path} is [still missing|not there yet], [write|supply|provide] it",
            "{func} in {path} is to be [implemented|written|completed|programmed] [according to|following|from] its docstring",
            "{func} in {path} is [only|just] a [stub|placeholder|skeleton], [flesh it out|implement it|turn it into working code]",
            "the function {func} of {path}, [implemented|completed|written] as its docstring [describes|says|asks]",
            "as the docstring [describes|says|demands], [write|implement|program|code] {func} in {path}",
            "take the [stub|skeleton|empty function] {func} in {path}, [read|follow] its docstring and [write|implement|complete] it",
            "how about [implementing|finishing|completing|writing] [the function|] {func} in {path}",
            "let's [finish|code|complete|implement] {func} in {path}, the docstring [tells how|explains it|says what is needed]",
            "see to it that the [empty|unfinished] function {func} in {path} gets [a working body|its code|implemented]",
            "have {func} in {path} [implemented|programmed|finished|written out] so that its tests [pass|succeed|run through]",
            "what i want is [working|real|finished] code for the function {func} in {path}",
            "what {func} should do [stands|is written|is described] in its docstring in {path}, [code|implement|write] it",
        ),
        val=(
            "give {func} in {path} the body that its docstring asks for",
            "the code of {func} is missing in {path}, write it",
        ),
        held=(
            "look at the docstring of {func} in {path} and complete the function",
            "{func} is an empty function in the file {path}, fill in its body",
            "do the unfinished work in {path}: {func} is not written yet",
            "in the module {path} finish {func} so that it does what the docstring says",
        ),
        build=_scene,
        cells=True,
        weight=2.0,
    ),
    Intent(
        family="implement",
        name="implement_folder",
        train=(
            "[implement|write|complete] [the missing function|what is missing] in {dir} so that [its|the] tests pass",
            "in {dir}, [write|implement|finish] [the unfinished|the empty] function",
            "the module in {dir} has [a function that is not written yet|an empty function], [write|complete] it",
            "[finish|complete] the [code|module] in [the folder|] {dir} [from its docstring|as its docstring says|]",
            "make the tests in {dir} pass by [writing|implementing|finishing] the missing function",
            "{dir} [has|holds] a module with [an unfinished|a missing] function, [finish|fill in] its body",
            "replace the NotImplementedError in [the folder|] {dir} [with|by] [working|real] code",
            "[fill in|write] the body of the function in {dir} [that raises NotImplementedError|that is still empty]",
            "{dir}: [implement|write|complete] the function that is [still missing|not written yet|unfinished] there",
            "into the module in {dir}, [write|put|insert] the [missing|working] code of its [empty|unfinished] function",
            "to get the tests in {dir} [green|passing], [implement|write|complete] the [missing|empty|unfinished] function there",
            "[i would like|we want|i need] the [unfinished|empty|missing] function in {dir} to be [implemented|written|completed]",
            "there should be no [stub|empty function|unfinished function] left in {dir}, [write|supply] the missing code",
            "make sure that the [empty|unfinished] function in {dir} gets a [working|real|proper] body",
            "the [stub|unwritten function|missing function] in [the folder|] {dir} is to be [implemented|completed|programmed]",
            "the tests in {dir} [fail|cannot pass] because a function is [not written yet|still empty|missing its body], [implement|write|finish] it",
            "{dir} holds only a [stub|skeleton|placeholder] of a function, [turn it into working code|write the real code|flesh it out]",
            "as the docstring [says|describes|asks], [write|implement|code] the [empty|missing|unfinished] function in {dir}",
            "take the module in {dir}, [read|follow] the docstring of its [empty|unwritten] function and [write|fill in|supply] the body",
            "how about [finishing|implementing|completing|writing] the [stub|empty function|missing function] in {dir}",
            "let's [code|implement|complete] the function in {dir} that [has no body|was left unfinished|is only a stub]",
            "see to it that the [missing|unfinished|empty] function in {dir} gets [written|implemented|completed]",
            "have the [unwritten|empty|unfinished] function in the folder {dir} [programmed|implemented|written] so that all tests [pass|succeed]",
            "what i want is [working|real|finished] code for the [empty|unwritten|missing] function in {dir}",
            "what the [empty|unfinished] function in {dir} should do [is written|stands] in its docstring, [implement|code|program] it",
            "wherever a function in {dir} [has no code|is not implemented|is still a stub], [write|supply|fill in] its body",
        ),
        val=(
            "a function in {dir} is still empty, write the code that its docstring asks for",
            "do the unfinished work in the folder {dir}",
        ),
        held=(
            "look at the module in {dir} and fill in the missing body",
            "the folder {dir} has code that is not written yet, complete it",
            "finish the empty function of {dir} so that its tests work",
        ),
        build=_scene,
        cells=True,
    ),
]
