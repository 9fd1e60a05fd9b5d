"""Values in JSON files: change, add, remove, and save one to a file."""

from __future__ import annotations

from typing import Any

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import Check, CommandCheck, EqualsCheck, ExistsCheck, NoValueCheck, ValueCheck
from task_packs.os import documents as docs
from task_packs.os.calls import edit, shell
from task_packs.os.data import file
from task_packs.os.steps import Place, at, place


def _whole(path: str, doc: dict[str, Any]) -> Check:
    return CommandCheck(cmd=f"jq -Sc . {path}", stdout=docs.compact_json(doc))


def _setting(draw: Draw, where: Place, doc: dict[str, Any], key: str, value: docs.Value) -> Scene:
    new = docs.shown(value)
    return Scene(
        slots={"file": name(where.said), "key": name(key), "value": name(new)},
        setup=[file(where.real, docs.to_json(doc))],
        gold=at(where, lambda path: edit(path, "set", key=key, value=new)),
        done=ValueCheck(path=where.real, key=key, value=new),
        checks=[_whole(where.real, docs.with_value(doc, key, value))],
    )


def _set(draw: Draw) -> Scene:
    doc = docs.settings(draw)
    key, old = draw.choice(list(docs.leaves(doc).items()))
    return _setting(draw, place(draw, "json"), doc, key, docs.changed_value(draw, old))


def _add(draw: Draw) -> Scene:
    doc = docs.settings(draw)
    key, value = docs.new_key(draw, doc)
    return _setting(draw, place(draw, "json"), doc, key, value)


def _unset(draw: Draw) -> Scene:
    doc = docs.settings(draw)
    key = draw.choice(list(docs.leaves(doc)))
    where = place(draw, "json")
    return Scene(
        slots={"file": name(where.said), "key": name(key)},
        setup=[file(where.real, docs.to_json(doc))],
        gold=at(where, lambda path: edit(path, "unset", key=key)),
        done=NoValueCheck(path=where.real, key=key),
        checks=[_whole(where.real, docs.without(doc, key))],
    )


def _get(draw: Draw) -> Scene:
    doc = docs.settings(draw)
    key, value = draw.choice(list(docs.leaves(doc).items()))
    path, out = draw.path("json"), draw.file("txt", "out", "val")
    return Scene(
        slots={"file": name(path), "key": name(key), "out": name(out)},
        setup=[file(path, docs.to_json(doc))],
        gold=[shell(f"jq -r .{key} {path} > {out}")],
        done=ExistsCheck(path=out),
        checks=[EqualsCheck(path=out, text=docs.shown(value)), _whole(path, doc)],
    )


INTENTS = [
    Intent(
        family="json_files",
        name="json_set",
        train=(
            "[set|change|update|switch|adjust] {key} in {file} to {value}",
            "[change|update|set|modify] the [key|setting|field|option] {key} [in|of|inside] {file} to {value}",
            "in {file}, [set|change|update|switch] {key} to {value}",
            "in the [JSON file|json config|settings file] {file}, the [key|field|setting] {key} "
            "[should be|must be|has to be|needs to be] {value}",
            "give [the key|the field|the setting|the option] {key} [in|of] {file} the value {value}",
            "[open|edit|modify|change] {file} so that {key} [is|becomes|equals] {value}",
            "{key} [in|inside] {file} [should|must|has to|needs to] [be|become|equal] {value}",
            "[store|write|put|save] {value} as the [value|new value] of {key} in {file}",
            "the value of {key} in {file} [should|must|has to] [change|switch] to {value}",
            "[make|let] {key} equal {value} in the JSON file {file}",
        ),
        val=(
            "edit {file} and [give|make] {key} the value {value}",
            "{file} needs {value} as the value of {key}",
        ),
        held=(
            "in the file {file}, put {value} into the field {key}",
            "[modify|adjust] {file}: the setting {key} has to become {value}",
            "the JSON key {key} of {file} should switch to {value}",
            "let {file} have {value} for {key}",
        ),
        build=_set,
    ),
    Intent(
        family="json_files",
        name="json_add",
        train=(
            "add [the key|a key|the field|the setting] {key} with [the value|value] {value} to {file}",
            "add {key} to the JSON file {file} and give it the value {value}",
            "[insert|include|add|create] a new [key|field|entry|option] {key} in {file} with {value} as its value",
            "{file} [needs|should get|must get|has to get] a [new key|new field|new setting] {key} with value {value}",
            "in {file}, [add|create|insert|introduce] the missing [key|setting|option|field] {key} set to {value}",
            "[extend|complete] {file} with [the key|the field|the option] {key} equal to {value}",
            "{key} is missing [from|in] {file}: [add|insert|create] it with the value {value}",
            "put [the new key|a new setting|the new option] {key} with {value} into {file}",
        ),
        val=(
            "create the key {key} in {file}, with value {value}",
            "the json config {file} should get a field {key} set to {value}",
        ),
        held=(
            "extend the file {file} by adding {key} with {value}",
            "a new entry {key} with the value {value} is missing in {file}, insert it",
            "include the option {key} set to {value} in the JSON file {file}",
        ),
        build=_add,
    ),
    Intent(
        family="json_files",
        name="json_unset",
        train=(
            "[remove|delete|drop|erase] {key} from {file}",
            "[remove|delete|take out|drop] the [key|field|setting|option] {key} [from|in] {file}",
            "in {file}, [delete|remove|drop|get rid of] [the key|the field|the setting|the entry] {key}",
            "get rid of {key} in the JSON file {file}",
            "{file} [should|must] no longer [have|contain|hold] [the key|the field|the setting] {key}",
            "[the key|the setting|the option|the field] {key} [must|should|has to] [go|disappear|vanish] from {file}",
            "[take|cut] [the entry|the key|the option] {key} out of {file}",
            "[strip|clean] {file} of [the key|the field|the obsolete key|the setting] {key}",
            "we do not need {key} in {file} any more, [remove|delete|drop] it",
        ),
        val=(
            "edit the JSON file {file} so that {key} disappears",
            "drop the obsolete setting {key}, which is in {file}",
        ),
        held=(
            "{key} is obsolete, take it out of the file {file}",
            "the field {key} should no longer be in {file}",
            "make {file} a JSON file without the key {key}",
            "clean {file}: the option {key} has to go",
        ),
        build=_unset,
    ),
    Intent(
        family="json_files",
        name="json_get",
        train=(
            "[read|extract|look up|fetch] {key} from {file} and [save|store|write] [it|the value] [in|to] {out}",
            "[save|store|write|put] the value of {key} from {file} [in|into|to] {out}",
            "[write|save|extract|copy] what {file} has [for|under|at] {key} [to|into] {out}",
            "from the JSON file {file}, [extract|read|get|pull] {key} into {out}",
            "[get|pull|extract|fetch] the [value|setting|field] {key} out of {file} and [put|write|save] it in {out}",
            "{out} [should|must] [hold|contain|get] the value that {file} has for {key}",
            "use jq to [write|save|print] {key} of {file} to {out}",
            "[look up|read] the [key|option|field] {key} in {file}, [save|store|writing] the result in {out}",
        ),
        val=(
            "fetch the value under {key} in {file} and store it in {out}",
            "into {out}, write the value that {key} has in {file}",
        ),
        held=(
            "{out} must get what the key {key} holds in {file}",
            "pull the field {key} from {file} and copy the value to {out}",
            "read the JSON file {file} and save only the value of {key} in {out}",
        ),
        build=_get,
    ),
]
