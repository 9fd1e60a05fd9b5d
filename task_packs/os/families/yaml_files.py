"""Values in YAML files: change or add one, remove one."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import NoValueCheck, ValueCheck
from task_packs.os import documents as docs
from task_packs.os.calls import edit
from task_packs.os.data import file
from task_packs.os.steps import at, place


def _set(draw: Draw) -> Scene:
    doc, comment = docs.settings(draw), draw.phrase(2, 4)
    key, old = draw.choice(list(docs.leaves(doc).items()))
    if draw.chance(0.25):
        key, value = docs.new_key(draw, doc)
    else:
        value = docs.changed_value(draw, old)
    new, where = docs.shown(value), place(draw, "yaml", "yml")
    return Scene(
        slots={"file": name(where.said), "key": name(key), "value": name(new)},
        setup=[file(where.real, docs.to_yaml(doc, comment))],
        gold=at(where, lambda path: edit(path, "set", key=key, value=new)),
        done=ValueCheck(path=where.real, key=key, value=new),
        checks=[ValueCheck(path=where.real, key=key, value=new), *docs.others_kept(where.real, doc, comment, key)],
    )


def _unset(draw: Draw) -> Scene:
    doc, comment = docs.settings(draw), draw.phrase(2, 4)
    key, where = draw.choice(list(docs.leaves(doc))), place(draw, "yaml", "yml")
    return Scene(
        slots={"file": name(where.said), "key": name(key)},
        setup=[file(where.real, docs.to_yaml(doc, comment))],
        gold=at(where, lambda path: edit(path, "unset", key=key)),
        done=NoValueCheck(path=where.real, key=key),
        checks=[NoValueCheck(path=where.real, key=key), *docs.others_kept(where.real, doc, comment, key)],
    )


INTENTS = [
    Intent(
        family="yaml_files",
        name="yaml_set",
        train=(
            "[set|change|update|put] the yaml [key|value|field|setting] {key} to {value} in {file}",
            "[set|switch|adjust|change] {key} to {value} in the YAML file {file}",
            "in the [yaml|YAML file|yaml config] {file}, {key} [must|should|has to|needs to] [be|become|equal] {value}",
            "[make|edit|update|modify] the yaml so that {key} [is|equals|becomes] {value} in {file}",
            "change what {file} [says|has|holds] [for|under|at] {key} to {value}",
            "[under|at] {key}, {file} [should|must|has to] [say|have|hold] {value}",
            "[replace|overwrite|update] the [value|setting] of {key} in {file} [with|by] {value}",
            "[write|put|enter] {value} [under|at] {key} in [the YAML file|the yaml] {file}",
            "for {key}, [enter|use|choose|set] {value} in {file}",
            "[i need|we need] {value} as the [value|setting] of {key} in the [YAML file|yaml] {file}",
            "into the YAML file {file}, [put|write|enter] {value} as the [value|setting] [of|for] {key}",
            "{file}: [set|change|switch] the yaml [key|field|setting] {key} to {value}",
            "to get {value} for {key}, [edit|adjust|modify] the [YAML file|yaml config] {file}",
            "i would like the [key|field|setting] {key} in the yaml {file} to [be|have the value|become] {value}",
            "there should be {value} [under|at|for] the [key|yaml key] {key} in {file}",
            "the [yaml key|setting|field] {key} in {file} [has to be|is to be|must be] [set|changed|switched] to {value}",
            "{key} has the wrong [value|setting] in the [YAML file|yaml config] {file}, [the right one is|it should be|change it to] {value}",
            "{value} as the [new|] [value|setting] of {key} in the yaml {file}",
            "with {value} as the value of {key}, the YAML file {file} is [right|correct], [edit|update|adjust] it accordingly",
            "take the [YAML file|yaml config] {file}, [find|look up] {key} and [set|change] [it|its value] to {value}",
            "how about [setting|changing|switching] {key} to {value} in the [yaml|YAML file] {file}",
            "see to it that {file} [has|holds|says] {value} [under|for] the yaml [key|field] {key}",
            "have {key} [set|changed|updated] to {value} in the [yaml|yaml config|YAML file] {file}",
            "what i want is {key} with the [value|setting] {value} in the YAML file {file}",
            "as the value [of|for] {key}, [record|store|write|save] {value} in the [yaml|YAML file] {file}",
            "let the [key|entry|setting] {key} [of|in] the YAML document {file} [be|read|have the value] {value}",
            "whatever {key} is now in the [yaml|YAML file] {file}, [give|assign] it the value {value}",
        ),
        val=(
            "enter {value} for the key {key} in {file}",
            "replace what the yaml {file} holds at {key} with {value}",
        ),
        held=(
            "overwrite {key} with {value} in the YAML file {file}",
            "the yaml {file} should say {value} for {key}",
            "in {file}, choose {value} as the setting {key}",
        ),
        build=_set,
    ),
    Intent(
        family="yaml_files",
        name="yaml_unset",
        train=(
            "[remove|delete|drop|erase] the yaml [key|field|setting|entry] {key} from {file}",
            "[remove|delete|drop|cut] {key} from the YAML file {file}",
            "in the [yaml|YAML file|yaml config] {file}, [get rid of|remove|drop|delete] the [key|field|entry] {key}",
            "[edit|change|modify|rewrite] the yaml {file} so that it [has|contains] no {key}",
            "[clear|unset|erase|scrap] {key} in the [yaml|YAML file] {file}",
            "the YAML file {file} [must|should] not [mention|contain|have] {key}",
            "[nothing|no value] [should|must] be [left|kept] under {key} in {file}: [delete|remove|drop] the key",
            "{file} is fine [without|with no] {key}, so [delete|scrap|remove|drop] the key",
            "[i need|we need] the YAML file {file} without the [key|entry|field|setting] {key}",
            "from the [YAML file|yaml config] {file}, [take out|erase|remove|delete] the [key|setting] {key}",
            "{file}: [drop|remove|delete|unset] the yaml [key|field|entry] {key}",
            "to [clean up|simplify|shorten] the yaml {file}, [throw out|remove|discard] {key} [and its value|with its value|]",
            "i would like the [key|setting|entry] {key} to [disappear|vanish|be removed] from the [yaml|YAML file] {file}",
            "there should be no [key|field|entry|setting] {key} [left|any more] in the [yaml|YAML file] {file}",
            "the [key|entry|setting] {key} [has to be|is to be|must be] [deleted|removed|erased|dropped] from the yaml {file}",
            "{key} is [obsolete|outdated|no longer used], [delete|erase|scrap] it in the [YAML file|yaml config] {file}",
            "no more {key} in the [YAML file|yaml|yaml config] {file}",
            "without the [key|setting] {key}, the yaml {file} is [right|complete|fine], so [remove|drop|delete|unset] that one",
            "take the [yaml|YAML file] {file}, [find|look up] the [key|entry] {key} and [delete|erase|remove] it",
            "how about [dropping|removing|deleting|unsetting] the [key|field] {key} in the YAML file {file}",
            "see to it that the [yaml|YAML document] {file} [no longer has|no longer contains|loses] the [key|field|entry] {key}",
            "have the [field|setting|entry] {key} [removed|erased|deleted|thrown out] in the yaml {file}",
            "what i want is {key} [gone|deleted|removed] from the [YAML file|yaml config] {file}",
            "nobody [reads|uses|needs] the [setting|key] {key} any more, [discard|get rid of|drop] it in the yaml {file}",
            "do away with the [entry|key|field] {key} in the [YAML file|yaml config] {file}",
            "both the value [of|under] {key} and the key itself should [go|disappear|be removed] from the yaml {file}",
        ),
        val=(
            "rewrite {file} without the yaml key {key}",
            "the entry {key} in the yaml {file} must go",
        ),
        held=(
            "scrap the key {key} of the YAML file {file}",
            "no {key} should be kept in the yaml {file}",
            "cut the field {key} out of the yaml {file}",
        ),
        build=_unset,
    ),
]
