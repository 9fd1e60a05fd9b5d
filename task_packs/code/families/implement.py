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
