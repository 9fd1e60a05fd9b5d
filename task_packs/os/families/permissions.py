"""Permissions: a mode that the goal gives, executable, private."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import CommandCheck, EqualsCheck, ModeCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import file

MODES = ("400", "440", "444", "500", "555", "600", "640", "660", "664", "700", "750", "755", "775")


def set_mode(draw: Draw) -> Scene:
    lost, content, mode = draw.chance(0.25), draw.lines(1, 4), draw.choice(MODES)
    asked = draw.file() if lost else draw.path()
    real = f"{draw.dir()}/{asked}" if lost else asked
    gold = [fs("chmod", real, mode=mode)]
    if lost:
        gold = [fs("chmod", asked, mode=mode), fs("find", name=asked), *gold]
    right = ModeCheck(path=real, mode=mode)
    return Scene(
        slots={"file": name(asked), "mode": plain(mode)},
        setup=[file(real, content, "644")],
        gold=gold,
        done=right,
        checks=[right, EqualsCheck(path=real, text=content)],
    )


def executable(draw: Draw) -> Scene:
    path = draw.path("sh", "py", "sh")
    first = "#!/bin/sh" if path.endswith("sh") else "#!/usr/bin/env python3"
    content = f"{first}\n{'echo' if path.endswith('sh') else '#'} {draw.phrase(1, 3)}\n"
    return Scene(
        slots={"file": name(path)},
        setup=[file(path, content, "644")],
        gold=[shell(f"chmod a+x {path}")],
        done=CommandCheck(cmd=f"test -x {path}"),
        checks=[ModeCheck(path=path, mode="755"), EqualsCheck(path=path, text=content)],
    )


def private(draw: Draw) -> Scene:
    path, content = draw.path("txt", "cfg", "json", "key", "md"), draw.lines(1, 4)
    return Scene(
        slots={"file": name(path)},
        setup=[file(path, content, draw.choice(("644", "664", "666", "640")))],
        gold=[shell(f"chmod 600 {path}")],
        done=CommandCheck(cmd=f"stat -c %a {path}", stdout="600"),
        checks=[ModeCheck(path=path, mode="600"), EqualsCheck(path=path, text=content)],
    )


INTENTS = [
    Intent(
        family="permissions",
        name="set_mode",
        train=(
            "[set|change|switch] the [mode|permissions|rights] of {file} to {mode}",
            "[give|assign] {file} the [mode|permissions|rights] {mode}",
            "chmod {file} to {mode}",
            "chmod {mode} {file}",
            "{file} should have [mode|permissions|the mode|the permissions] {mode}",
            "[make|let] the [mode|permissions] of {file} [be|become] {mode}",
            "[set|put] {file} to [mode|permissions] {mode}",
            "for {file}, [set|use|apply] [mode|permissions] {mode}",
            "the [mode|permissions] of {file} [is wrong|are wrong], [set|change] it to {mode}",
            "[apply|assign] [mode|permissions|the rights] {mode} to {file}",
        ),
        val=(
            "[use|set] the rights {mode} for {file}",
            "{file} has the wrong mode, it should be {mode}",
        ),
        held=(
            "[let|make] {file} have the permissions {mode}",
            "the rights of {file} should [be|become] {mode}",
            "[switch|put] the file {file} to the mode {mode}",
            "with chmod, [give|assign] permissions {mode} to {file}",
        ),
        build=set_mode,
        weight=1.3,
    ),
    Intent(
        family="permissions",
        name="make_executable",
        train=(
            "make [the script|] {file} [executable|runnable]",
            "[mark|flag] [the script|] {file} as executable",
            "[set|add|turn on] the [execute|executable] [bit|permission|flag] [on|for|of] {file}",
            "[give|grant] [everybody|everyone] [the right|permission] to [run|execute] {file}",
            "{file} should be [executable|runnable]",
            "chmod {file} so that it can be [run|executed|started]",
            "[let|allow] [everybody|everyone] [run|to run|execute] the script {file}",
            "the script {file} cannot be [run|started|executed], [make|mark] it executable",
            "[turn|make] {file} into an executable script",
            "the [execute|executable] bit of {file} is missing, [set|add] it",
            "[grant|give] {file} the execute permission",
        ),
        val=(
            "[grant|give] the execute permission for the script {file} to everyone",
            "[flag|set] {file} as runnable",
        ),
        held=(
            "[turn on|add] what {file} needs to be executable, the execute bit",
            "the script {file} should be runnable, [mark|flag] it so",
            "[allow|let] {file} be [run|started] by everybody",
        ),
        build=executable,
    ),
    Intent(
        family="permissions",
        name="make_private",
        train=(
            "make {file} private",
            "make {file} [readable|accessible] only [by|for|to] [me|its owner|the owner]",
            "[let|allow] [only|nobody but] [the owner|its owner] [read|access|open] {file}",
            "[protect|hide|lock] {file} [from|against] [other users|others|everybody else]",
            "{file} should [be|become] private",
            "[restrict|limit] [access to|the access to|the rights of] {file} to [the owner|its owner|me]",
            "[nobody but the owner|nobody else|only the owner] should [read|access|see] {file}",
            "[take|remove] the rights [of|from] other users on {file}",
            "{file} holds secrets, [keep|make] it private",
            "[keep|hide] {file} away from other users",
            "[lock|protect|restrict] the file {file}, it is private",
            "other users can [see|read] {file}, [limit|restrict] it to the owner",
        ),
        val=(
            "[lock|restrict] {file} so that only its owner can read it",
            "[protect|keep] the secrets in {file} from everybody else",
        ),
        held=(
            "other users should not [see|access] {file}, make it private",
            "[protect|lock] {file} so that other users cannot open it",
            "[hide|protect] {file}, nobody else should read it",
        ),
        build=private,
    ),
]
