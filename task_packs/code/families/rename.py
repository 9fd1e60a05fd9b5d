"""Rename a function, a constant or a module in every file of a folder, and nothing else."""

from __future__ import annotations

import re

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import AbsentCheck, Check, CommandCheck, EqualsCheck, SetupItem
from task_packs.code.functions.model import call, folder, identifier, literal
from task_packs.code.functions.scene import Call, function, shell, suite, suite_passes, test_file, unchanged


def replace_word(old: str, new: str, home: str) -> str:
    """The command that replaces a whole word in all text files of a folder."""
    return f"grep -rlIw {old} {home} | xargs sed -i 's/\\<{old}\\>/{new}/g'"


def done(old: str, home: str) -> CommandCheck:
    """The tests pass and the old name is gone."""
    return CommandCheck(cmd=f"{suite(home)} && ! grep -rIqw {old} {home}")


def _files(draw: Draw, home: str, module: str, target: str) -> list[SetupItem]:
    """A module, another that uses it, a test, and sometimes a page that names both."""
    wanted = function(draw)
    caller, user = identifier(draw), identifier(draw)
    args = ", ".join(wanted.params)
    uses = (
        f"from {module} import {target}\n\n\ndef {caller}({args}):\n"
        f'    """Return the answer of {target} as a text."""\n    return str({target}({args}))\n'
    )
    limit = f"\n\n{target}_limit = {draw.number(2, 99)}\n" if draw.chance(0.5) else ""
    files = [
        SetupItem(path=f"{home}/{module}.py", text=wanted.source(target) + limit),
        SetupItem(path=f"{home}/{user}.py", text=uses),
        SetupItem(path=f"{home}/test_{module}.py", text=test_file(module, target, wanted)),
    ]
    if draw.chance(0.4):
        note = f"Call {target} of {module}.\n{call(target, wanted.inputs[0])} gives {literal(wanted.returns[0])}\n"
        files.append(SetupItem(path=f"{home}/{draw.stem()}.md", text=note))
    return files


def _constant_files(draw: Draw, home: str, module: str, constant: str) -> list[SetupItem]:
    first, second, user = identifier(draw), identifier(draw), identifier(draw)
    value = draw.number(3, 90)
    code = f"{constant} = {value}\nMAX_{constant} = {value + 50}\n\n\ndef {first}(x):\n    return x + {constant}\n"
    uses = f"from {module} import {constant}\n\n\ndef {second}(x):\n    return x * {constant}\n"
    tests = (
        f"import unittest\n\nfrom {module} import {constant}, {first}\nfrom {user} import {second}\n\n\n"
        f"class Test(unittest.TestCase):\n"
        f"    def test_1(self):\n        self.assertEqual({first}(2), 2 + {constant})\n\n"
        f"    def test_2(self):\n        self.assertEqual({second}(2), {2 * value})\n"
    )
    return [
        SetupItem(path=f"{home}/{module}.py", text=code),
        SetupItem(path=f"{home}/{user}.py", text=uses),
        SetupItem(path=f"{home}/test_{user}.py", text=tests),
    ]


def _renamed(files: list[SetupItem], old: str, new: str) -> tuple[EqualsCheck, ...]:
    return tuple(EqualsCheck(path=item.path, text=re.sub(rf"\b{old}\b", new, item.text or "")) for item in files)


def _elsewhere(draw: Draw, old: str) -> list[SetupItem]:
    """A file in another folder that has the old name too and must keep it."""
    if draw.chance(0.6):
        return []
    return [SetupItem(path=f"{folder(draw)}/{identifier(draw)}.py", text=f"{old} = {draw.number(1, 99)}\n")]


def _scene(draw: Draw, kind: str) -> Scene:
    while True:
        home, module, old, new = folder(draw), identifier(draw), identifier(draw), identifier(draw)
        if kind == "constant":
            old, new = old.upper(), new.upper()
            files = _constant_files(draw, home, module, old)
        else:
            files = _files(draw, home, module, old)
        if _only_names(files, module, old):
            break
    path = f"{home}/{module}.py"
    other = _elsewhere(draw, module if kind == "module" else old)
    slots = {"old": name(old), "new": name(new), "dir": name(home), "path": name(path)}
    if kind != "module":
        gold: list[Call] = [shell(replace_word(old, new, home))]
        checks: tuple[Check, ...] = (suite_passes(home), *_renamed(files, old, new), *unchanged(*other))
        return Scene(slots=slots, setup=(*files, *other), gold=gold, done=done(old, home), checks=checks)
    to = f"{home}/{new}.py"
    moved = [SetupItem(path=to if f.path == path else f.path, text=f.text) for f in files]
    gold = [{"tool": "fs", "args": {"op": "move", "path": path, "to": to}}, shell(replace_word(module, new, home))]
    checks = (suite_passes(home), AbsentCheck(path=path), *_renamed(moved, module, new), *unchanged(*other))
    slots["to"] = name(to)
    return Scene(slots=slots, setup=(*files, *other), gold=gold, done=done(module, home), checks=checks)


def _only_names(files: list[SetupItem], *names: str) -> bool:
    """True if the names occur in the texts as names only, never as an ordinary word or in test data."""
    text = "\n".join(item.text or "" for item in files)
    for word in names:
        rest = re.sub(
            rf"\b{word}\(|(from|import|of) {word}\b|Call {word}\b|, {word}\b|\b{word} = |[+*] {word}\b", "", text
        )
        if re.search(rf"\b{word}\b", rest):
            return False
    return True


INTENTS = [
    Intent(
        family="rename",
        name="rename_function",
        train=(
            "rename [the function|] {old} to {new} [in all files of|everywhere in|in] {dir}",
            "[call|name] the function {old} {new} [in all files of|everywhere in] {dir}",
            "[change|turn] [the name|the function name] {old} [to|into] {new} in [the folder|] {dir}",
            "in {dir}, [rename|change] {old} to {new} [in every file|everywhere|]",
            "{old} in {dir} [should|must] be called {new} [from now on|in every file|]",
            "[give|use] the [new|better] name {new} for {old} [in every file of|everywhere in] {dir}",
            "[replace|swap] the identifier {old} [with|by|for] {new} in [all files of|every file of] {dir}",
            "the function {old} of {dir} gets the name {new}, [update|change] all files [that use it|]",
            "[rename|change] {old} and all its uses in {dir} to {new}",
            "in all [files|sources|source files] of {dir}, the function {old} [should|must|has to] [be called|be named|become] {new}",
            "{dir}: [rename|change] the function {old} to {new} [throughout|in every file|wherever it occurs]",
            "the function {old}, wherever it [occurs|appears|is used] in {dir}, becomes {new}",
            "to [improve|tidy|clarify] the code in {dir}, [change|rename] the function {old} to {new}",
            "i would like the function {old} to be [called|named|titled] {new} [throughout|all over|everywhere in] {dir}",
            "we [need|want] {new} as the new [name|title] of the function {old} in {dir}",
            "there should be no function {old} in {dir} any more, [call|name] it {new} [everywhere|in all files]",
            "make sure that the function {old} and all its [uses|calls] in {dir} [use|get|carry] the name {new}",
            "the function {old} [is to|has to|must] be renamed to {new} in [every file|all files|all code] [of|in] {dir}",
            "{old} is a [bad|poor|misleading|confusing] name for a function, [use|write] {new} instead in [the folder|the directory|all of] {dir}",
            "from function {old} to function {new} [throughout|all over|everywhere in] {dir}",
            "with all its [calls|uses], the function {old} in {dir} [changes|switches] to the [new|] name {new}",
            "take the function {old} in {dir}, [give|assign] it the name {new} and [adjust|edit|update|fix] [all calls|every use|every call]",
            "how about [renaming|changing] the function {old} to {new} in [all|every one of] the files [of|in] {dir}",
            "let us [call|name] it {new} wherever the [code|source] in {dir} [has|mentions|uses] the function {old}",
            "see to it that every [mention|use|occurrence] of the function {old} in {dir} [turns into|becomes|is changed to] {new}",
            "have the function {old} renamed {new} [across|throughout|all over] [the directory|the folder|] {dir}",
            "what i want is the function name {new} in place of {old} [across|throughout|all over] {dir}",
        ),
        val=(
            "update {dir} so that the function {old} is called {new}",
            "use {new} as the name of {old} in every file of {dir}",
        ),
        held=(
            "the name {old} should be {new} in all files of the folder {dir}",
            "everywhere in {dir} the function {old} gets the better name {new}",
            "call {old} {new} from now on and change every use in {dir}",
        ),
        build=lambda draw: _scene(draw, "function"),
    ),
    Intent(
        family="rename",
        name="rename_constant",
        train=(
            "rename the constant {old} to {new} [in all files of|everywhere in|in] {dir}",
            "[call|name] the constant {old} {new} [in all files of|everywhere in] {dir}",
            "[change|turn] the constant name {old} [to|into] {new} in [the folder|] {dir}",
            "in {dir}, [rename|change] the constant {old} to {new} [in every file|everywhere|]",
            "the constant {old} in {dir} [should|must] be called {new} [from now on|]",
            "[give|use] the [new|better] name {new} for the constant {old} in {dir}",
            "[replace|swap] the constant {old} [with|by|for] {new} in [all files of|every file of] {dir}",
            "{old} of {dir} gets the name {new}, [update|change] all files [that use the constant|]",
            "everywhere in {dir}, the constant {old} should [be|become|read] {new}",
            "{dir}: [change|switch|rename] the constant {old} to {new} in [all|the] [files|sources]",
            "the constant {old}, [defined and used|which is used] in {dir}, [gets|receives|takes] the name {new}",
            "to [have|get] a [better|clearer] name, [change|rename] the constant {old} [of|in] {dir} to {new}",
            "i would like the constant {old} to [carry|have|get] the name {new} [in every file of|all over|throughout] {dir}",
            "we [need|want] the constant {old} in {dir} [renamed|changed] to {new}, [uses included|with all its uses]",
            "there should be a constant {new} [wherever|in each place where] {dir} now has the constant {old}",
            "make sure that all [files|sources] [in|of] {dir} [use|have|say] {new} instead of the constant {old}",
            "the constant {old} [has to|is to|must] be [renamed|changed] to {new} [wherever|in every file where] {dir} uses it",
            "the name of the constant {old} in {dir} is [misleading|unclear|bad|too vague], [switch|change|update] it to {new} [everywhere|]",
            "from constant {old} to constant {new} [in all of|throughout|everywhere in] {dir}",
            "with every [use|mention] [updated|edited|adjusted], the constant {old} in {dir} [is to|should] be [called|named] {new}",
            "take the constant {old}, [name|call|title] it {new} and [edit|fix|adjust] every file in {dir} that [uses|mentions] it",
            "how about {new} as the [new|better|future] name of the constant {old} [across|in all of] {dir}",
            "let us [rename|change] the constant {old} in {dir}, its [new|future] name is {new}",
            "see to it that each [occurrence|mention|use] of the constant {old} in {dir} is [replaced|swapped] with {new}",
            "have the constant {old} in the [folder|directory] {dir} [go by|carry|use] the name {new}",
            "what i want is the constant {old} [written|renamed] as {new} in [every|each] file of {dir}",
        ),
        val=(
            "update {dir} so that the constant {old} is called {new}",
            "use {new} as the name of the constant {old} in every file of {dir}",
        ),
        held=(
            "the constant {old} should be {new} in all files of the folder {dir}",
            "everywhere in {dir} the constant {old} gets the name {new}",
            "call the constant {old} {new} and update every use in {dir}",
        ),
        build=lambda draw: _scene(draw, "constant"),
    ),
    Intent(
        family="rename",
        name="rename_module",
        train=(
            "rename [the module|] {path} to {to} and [update|change] [its|all] imports [in {dir}|]",
            "move [the module|] {path} to {to} and [fix|update] the imports",
            "the module {path} [should|must] be called {to}, [update|change] the imports in {dir} [too|]",
            "[call|name] the module {path} {to} [and update all files that import it|and fix the imports]",
            "[change|turn] the module name {path} [to|into] {to}, imports [too|as well]",
            "in {dir}, rename the module {path} to {to} [with all imports|and fix the imports]",
            "{path} gets the name {to}, [change|update] the files that import it",
            "[give|use] the [new|better] name {to} for the module {path} [and update imports|]",
            "in {dir}, the module {path} [becomes|turns into|changes to] {to}, [adjust|edit|update] every import [of it|]",
            "{path}: [rename|move] this module to {to} and [adjust|correct|repair] the imports",
            "the module {path} and [all|the] imports of it in {dir} [change|switch|move] to {to}",
            "to [get|have] the module {to}, [move|rename] {path} and [adjust|fix|edit] all [its|] imports",
            "i would like the module {path} to be [named|called] {to}, with [its|all|the] imports [updated|fixed|adjusted]",
            "we [want|need] the module {path} [renamed|moved] to {to} [without broken imports|and its imports repaired|with working imports]",
            "there should be a module {to} instead of {path}, and the files in {dir} should import [that one|the new name]",
            "make sure that the module {path} [is renamed to|is moved to|becomes] {to} and that [all|the] files in {dir} import the new name",
            "the module {path} [has to|is to|must] be [renamed|moved] to {to}, with [each|every] import [changed|updated] [too|accordingly]",
            "{path} is a [bad|poor|confusing] [name|title] for a module, [use|make it|call it] {to} and [correct|update] the imports",
            "the module {path} as {to}, all imports [adjusted|updated|changed]",
            "with all imports in {dir} [adjusted|updated|edited], [rename|move] the module {path} to {to}",
            "take the module {path}, [move|rename] it to {to} and [edit|repair|change] every import of it in {dir}",
            "how about [renaming|moving] the module {path} to {to} and [fixing|adjusting|editing] [its|the|all] imports",
            "let us move the module {path} to {to}, the [imports|import lines] in {dir} [follow|change with it|are updated too]",
            "see to it that the module {path} is [called|named] {to} and that its imports [follow|still work|stay correct]",
            "have the module {path} renamed {to}, and [replace|update|correct] the old name in [all|the] imports",
            "what i want is {to} as the new [name|title] of the module {path}, [with|including] [updated|corrected] imports in {dir}",
        ),
        val=(
            "update the imports in {dir} after you rename the module {path} to {to}",
            "use {to} as the name of the module {path} and change the files that import it",
        ),
        held=(
            "{path} should be called {to}, fix all imports in {dir} as well",
            "move {path} to {to}, the files that import the module must change too",
            "the module {path} gets the better name {to}, update all imports in {dir}",
        ),
        build=lambda draw: _scene(draw, "module"),
    ),
]
