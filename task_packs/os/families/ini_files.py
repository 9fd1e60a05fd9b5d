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
            "for {key}, the [ini file|config file|config|configuration] {file} should [have|hold|use] the value {value}",
            "{file}: [set|change|update] the [config option|ini option|ini key|ini setting] {key} to {value}",
            "the [ini key|ini setting|config option] {key} in {file}, [set|changed|updated] to {value}",
            "to [have|get] {key} at {value}, [edit|change|update|adjust] the [config file|ini file|configuration] {file}",
            "i would like the [option|setting|key] {key} in the [ini file|config file|configuration] {file} to [be|equal|become] {value}",
            "there should be [an entry|a setting|a line] {pair} in the [ini file|config file|config|configuration] {file}",
            "the [ini setting|ini key|config option] {key} [is to be|has to be|must be] [changed|switched|set|updated] to {value} in {file}",
            "the [value|setting] of {key} in the [config|ini file|configuration] {file} is [wrong|outdated], [change|set|correct] it to {value}",
            "{pair} as [an ini setting|a config option|an ini entry] in {file}",
            "with {value} as the new value, [store|save|update] the [key|option|setting] {key} in the [config|ini file] {file}",
            "how about [setting|changing|switching] {key} to {value} in the [config file|ini file|configuration] {file}",
            "see to it that the [ini file|config|config file] {file} [says|has|contains] {pair}",
            "have the [ini key|config option|ini option|config setting] {key} of {file} [set|switched|changed] to {value}",
            "what i want is {value} for the [setting|option|key] {key} [in|of] the [config file|ini file|configuration] {file}",
            "under {key}, [record|write|put|enter] {value} in the [ini file|config file|config] {file}",
            "open the [ini file|config file|configuration] {file} and give the [option|key|setting] {key} the value {value}",
            "apply [the setting|the option|] {pair} in the [configuration|config|ini file] {file}",
            "whatever {key} is [now|at present] in the [config file|ini file|config] {file}, [switch|change|set] it to {value}",
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
            "from the [ini file|config file|configuration] {file}, [take out|cut|strip|remove] the [key|option|setting|entry] {key}",
            "{file}: [drop|delete|remove|erase] the [ini key|ini option|config setting|config option] {key}",
            "the [ini key|config option|ini setting] {key}, [removed|deleted|erased|dropped] from {file}",
            "to [clean up|tidy up|shorten] the [ini file|config file|configuration] {file}, [throw away|discard|drop|delete] its [key|option|setting] {key}",
            "i would like the [config|ini file|config file] {file} to have no [option|key|setting|entry] {key} any [more|longer]",
            "there should no longer be [an entry|a setting|a key|an option] {key} in the [ini file|config file|configuration] {file}",
            "the [ini entry|ini key|config option] {key} [is to be|has to be|must be] [deleted|removed|erased|dropped] from {file}",
            "nobody [uses|needs|reads] the [option|setting|key] {key} any more, [remove|drop|delete] it from the [config|ini file] {file}",
            "no {key} in the [ini file|config file|configuration|config] {file} any [more|longer]",
            "without {key}, the [config|ini file|configuration] {file} is [fine|complete|correct], so [delete|remove|erase] that [key|option|setting]",
            "how about [removing|deleting|dropping|unsetting] {key} in the [config file|ini file|configuration] {file}",
            "see to it that {key} is [gone|removed|deleted] from the [config|ini file|config file] {file}",
            "have the [setting|option|key|entry] {key} [erased|removed|cleared] from the [configuration|ini file|config] {file}",
            "what i want is the [ini file|config file|config] {file} without its [option|entry|setting|key] {key}",
            "get rid of the [option|key|entry|setting] {key} in the [ini file|config file|configuration] {file}",
            "open the [ini file|config file|config] {file}, [find|look up] the [key|option|entry] {key} and [delete|remove|discard] it",
            "both {key} and its value [must|should|have to] [go|disappear|vanish] from the [config|ini file|config file] {file}",
            "wherever {key} is set in the [ini file|config file|config] {file}, [clear|throw|take|cut] it out",
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
