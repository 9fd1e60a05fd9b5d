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
            "on {file}, [put|set|apply] the [mode|permissions|access rights] {mode}",
            "{file}: [set|change|switch|adjust] its [mode|permissions|rights] to {mode}",
            "the [file mode|permissions|access rights] of {file} [must|should] be {mode}",
            "to [fix|correct|repair] the [rights|permissions|mode] of {file}, [use|apply|set] {mode}",
            "i would like {file} to have the [permissions|access rights|mode] {mode}",
            "we [need|want] {mode} as the [mode|permissions|permission bits] of {file}",
            "make sure that {file} has [mode|permissions|the access rights] {mode}",
            "the permissions of {file} [have to|are to|must] be [changed|set|switched|updated] to {mode}",
            "the access rights of {file} are [not right|not correct|wrong], [change|switch|adjust] them to {mode}",
            "{mode} as [mode|permissions|rights] for {file}",
            "with chmod, [set|change|turn|switch] {file} to {mode}",
            "as [permissions|mode|access rights], {file} should [have|get] {mode}",
            "take {file} and [give|assign] it the [permission bits|access rights|mode] {mode}",
            "how about [changing|setting|switching] the [access rights|permissions|mode] of {file} to {mode}",
            "let us [set|update|change] the [permission bits|file mode|access rights] of {file} to {mode}",
            "see to it that the [mode|access mode] of {file} [is|becomes|equals] {mode}",
            "have {file} [changed|set|switched] to [mode|permissions|rights] {mode}",
            "what i want is [mode|permissions] {mode} on [the file|] {file}",
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
            "on {file}, [disable|forbid|block|switch off] writing for [all|all users|everybody]",
            "{file}: [remove|clear|drop|take away] the write [bit|permission] for [all users|everyone]",
            "the [file|document] {file} is to be [write-protected|made read-only|set to read-only]",
            "to [avoid|prevent] [edits|changes|accidental changes] to {file}, [make|set] it read-only",
            "i would like {file} to be [readable but not writable|read-only for all|write-protected for everybody]",
            "we want {file} [protected against|safe from] [overwriting|writing|edits], [drop|remove|turn off] its write [bits|permission]",
            "there should be no write [permission|access|right] on {file} for [anyone|anybody|any user]",
            "make sure that [nobody|no user|no one] can [edit|write to|overwrite|modify] {file} [any more|]",
            "every write [right|permission|bit] on {file} [has to|must|is to] be [removed|cleared|taken away]",
            "{file} is [finished|complete|done] and must not [change|be edited|be modified], so [write-protect it|make it read-only]",
            "no more [writing|edits|changes] to {file}, [read-only|write-protected] from now on",
            "with chmod, [take|strip] the write [bits|permission] from {file}",
            "take {file} and [turn|switch] off its write [bits|permission|access] for [everybody|all users]",
            "how about making {file} [read-only|write-protected] for [everyone|all users|all]",
            "let us [freeze|write-protect] {file}, nobody should [modify|change|overwrite] it",
            "see to it that {file} can be read but not [changed|edited|written|modified]",
            "have {file} [set|switched|changed] to [read-only|write-protected]",
            "what i want is {file} [without any write permission|in a read-only state|with write access turned off]",
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
            "on {file}, [clear|drop|cancel|erase] all [rights|permissions] of the group and of [others|other users]",
            "{file}: [give|leave|allow] access to [its owner|the owner|me] [only|alone]",
            "the [file|document] {file} is to be [private|confidential], [close|shut] it to [others|other users|everyone else]",
            "to keep other [people|users|accounts] out of {file}, [make|set] it [private|owner-only]",
            "i would like {file} to be [visible|readable|open] [only to me|to me alone|to its owner only]",
            "we want {file} [closed|shut|locked] to everyone [but|except|other than] [its owner|the owner]",
            "there should be no access to {file} for [other users|anyone else|anyone but the owner|strangers]",
            "make sure that no other [user|person|account] can [read|open|look into|see] {file}",
            "{file} has to be [kept|made] [private|owner-only|secret], other users [get no access|have no business in it]",
            "{file} [contains|has] [passwords|private data|confidential text], so [hide|shield|protect] it from other users",
            "no access for [others|other users|strangers] to {file}, [private|owner-only] from now on",
            "with chmod, [shut|lock|keep] [everybody|everyone] but the owner out of {file}",
            "take {file} and [withdraw|remove|clear] [every|any] right that [other users|the group and others|strangers] have on it",
            "how about making {file} [private|owner-only], so that [others|other users] cannot [see|read|open] it",
            "let us [hide|conceal|shield] the [content|contents|text] of {file} from [all other users|everyone else|everybody but me]",
            "see to it that only [the owner|its owner] can [open|read and change|see and edit] {file}",
            "have {file} [reserved for|accessible to] [its owner|me] [only|alone]",
            "what i want is {file} [for my eyes only|as my private file|open to nobody but me]",
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
