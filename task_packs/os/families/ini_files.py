"""Keys in sections of INI files; a key is written `section.key`."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import NoValueCheck, ValueCheck
from task_packs.os import documents as docs
from task_packs.os.calls import edit
from task_packs.os.data import file
from task_packs.os.steps import at, place


def _set(draw: Draw) -> Scene:
    doc, comment = docs.settings(draw, top=0), draw.phrase(2, 4)
    key, old = draw.choice(list(docs.leaves(doc).items()))
    if draw.chance(0.25):
        key, value = docs.new_key(draw, doc)
    else:
        value = docs.changed_value(draw, old)
    new, where = docs.shown(value), place(draw, "ini", "cfg")
    return Scene(
        slots={"file": name(where.said), "key": name(key), "value": name(new), "pair": name(f"{key}={new}")},
        setup=[file(where.real, docs.to_ini(doc, comment))],
        gold=at(where, lambda path: edit(path, "set", key=key, value=new)),
        done=ValueCheck(path=where.real, key=key, value=new),
        checks=[ValueCheck(path=where.real, key=key, value=new), *docs.others_kept(where.real, doc, comment, key)],
    )


def _unset(draw: Draw) -> Scene:
    doc, comment = docs.settings(draw, top=0), draw.phrase(2, 4)
    key, where = draw.choice(list(docs.leaves(doc))), place(draw, "ini", "cfg")
    return Scene(
        slots={"file": name(where.said), "key": name(key)},
        setup=[file(where.real, docs.to_ini(doc, comment))],
        gold=at(where, lambda path: edit(path, "unset", key=key)),
        done=NoValueCheck(path=where.real, key=key),
        checks=[NoValueCheck(path=where.real, key=key), *docs.others_kept(where.real, doc, comment, key)],
    )


INTENTS = [
    Intent(
        family="ini_files",
        name="ini_set",
        train=(
            "[set|change|update|switch] the ini [key|setting|option] {key} to {value} in {file}",
            "in the ini file {file}, [set|change|update|adjust] {key} to {value}",
            "[configure|prepare|tune] {file} [so that|such that] {key} [is|equals|becomes] {value}",
            "[let|have|make] {file} use {value} for {key}",
            "use {value} [for|as] {key} in [the config|the configuration|the ini file] {file}",
            "the [config|config file|settings file] {file} [should|must|needs to] have {key} [set|equal] to {value}",
            "[configure|set up] {key} as {value} in [the config file|the configuration] {file}",
            "the option {key} of the config {file} [should|must|has to|needs to] [become|be|equal] {value}",
            "[write|put|store] the [ini setting|setting|option] {pair} [in|into] {file}",
        ),
        val=(
            "the ini setting {key} in {file} must change to {value}",
            "update the configuration {file}, using {value} for {key}",
        ),
        held=(
            "have {key} be {value} in the ini file {file}",
            "{value} is what the config file {file} should use for {key}",
            "edit the config {file}: the key {key} needs to be {value}",
        ),
        build=_set,
    ),
    Intent(
        family="ini_files",
        name="ini_unset",
        train=(
            "[remove|delete|drop|erase] the ini [key|option|setting|entry] {key} from {file}",
            "in the ini file {file}, [remove|delete|drop|get rid of] {key}",
            "[unset|clear|erase] {key} in [the config|the configuration|the ini file] {file}",
            "[edit|change|clean] the [config|configuration|config file] {file} so that it has no {key}",
            "[throw out|take out|cut] [the option|the setting|the key] {key} of [the config|the configuration] {file}",
            "the [configuration|config file|ini file] {file} [must|should] not [have|contain|set] {key} any more",
            "{key} [is obsolete|is not needed] in [the config file|the configuration] {file}: [drop|delete|remove] it",
            "there [should|must] be no [option|setting|key] {key} in the ini file {file}",
        ),
        val=(
            "the config file {file} should no longer set {key}",
            "clear the option {key}, it is obsolete in {file}",
        ),
        held=(
            "unset the setting {key} of the configuration {file}",
            "{key} must disappear from the ini file {file}",
            "throw the key {key} out of the config {file}",
        ),
        build=_unset,
    ),
]
