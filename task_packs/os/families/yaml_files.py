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
