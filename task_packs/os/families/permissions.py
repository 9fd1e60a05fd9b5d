"""Permissions: a mode that the goal gives, read-only, private."""

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


def read_only(draw: Draw) -> Scene:
    path, content = draw.path(), draw.lines(1, 4)
    return Scene(
        slots={"file": name(path)},
        setup=[file(path, content, "644")],
        gold=[shell(f"chmod a-w {path}")],
        done=CommandCheck(cmd=f"stat -c %a {path}", stdout="444"),
        checks=[ModeCheck(path=path, mode="444"), EqualsCheck(path=path, text=content)],
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
        name="make_read_only",
        train=(
            "make {file} [read-only|write-protected]",
            "[mark|flag|set] {file} as [read-only|write-protected]",
            "[protect|lock|guard] {file} [from|against] [changes|writing|edits]",
            "[take|remove] the [write permission|write bit|right to write] from {file}",
            "{file} should be [read-only|write-protected]",
            "[nobody|no one] should [change|write to|edit] {file} any more, make it read-only",
            "[let|allow] nobody [change|to change|write to|edit] {file}",
            "[turn off|drop|remove] [writing|write access] [for everyone|for everybody|] on {file}",
            "[write-protect|lock] {file} so that it [cannot be changed|stays as it is]",
            "{file} is final, [turn off|remove] the write permission",
            "for {file}, [turn off|take away] write access",
        ),
        val=(
            "[guard|write-protect] {file}, no one should edit it",
            "the write bit of {file} [needs to go away|should go away], it is read-only now",
        ),
        held=(
            "[flag|lock] {file} against writing for everyone",
            "no one should have the right to write to {file}, it stays read-only",
            "[remove|drop] write access on {file}, everybody should only read it",
            "{file} is final and cannot be changed, [mark|make] it write-protected",
        ),
        build=read_only,
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
