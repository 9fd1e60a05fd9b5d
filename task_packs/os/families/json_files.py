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
            "for the [key|setting|option] {key}, {file} should [now|from now on] [say|have|hold] {value}",
            "{file}: [set|change|switch] [the value of|the key|] {key} to {value}",
            "the [setting|option|key] {key} of {file} to {value}",
            "to [get|have] {value} for {key}, [edit|adjust|modify] [the file|the JSON document|] {file}",
            "i would like {key} in {file} to [be|become|read] {value}",
            "we [need|want] {file} to [have|use|hold] the value {value} [for|under] {key}",
            "there should be {value} [under|at|behind] the [key|field|setting] {key} of {file}",
            "make sure that the [key|field|option|entry] {key} of {file} [equals|is|reads] {value}",
            "the [current|old|present] value of {key} in {file} is to be [replaced|overwritten] with {value}",
            "the value of {key} in {file} is [wrong|out of date|no longer right], [correct|change|adjust] it to {value}",
            "with {value} as its new value, [update|edit|adjust] the [field|key|setting] {key} of {file}",
            "as the [value|content] of {key}, {file} [should|must] [have|hold|store] {value} [from now on|]",
            "take {file}, [look for|find|go to] the [key|setting|entry] {key} and [switch|change|set] it to {value}",
            "how about [setting|changing|switching] the [option|key|field] {key} of {file} to {value}",
            "let us [use|have|store] {value} instead of the [old|present|current] value of {key} in {file}",
            "see to it that {file} [says|has|shows] {value} where it [defines|sets|gives] {key}",
            "have {key} [changed|updated|edited] in {file}, the new value is {value}",
            "what i want is the [setting|field|option] {key} [changed|turned|set] to {value} in the JSON document {file}",
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
            "into {file}, [insert|put|write] [a new|an extra|another] [key|field|entry] {key} with the value {value}",
            "{file}: [add|insert|create] the [missing|new] [key|setting|field] {key} with {value}",
            "the [new|additional|extra] [key|option|entry] {key}, with the value {value}, [belongs|goes] in {file}",
            "to [complete|extend] {file}, [add|create|insert] a new [key|field|setting] {key} [that holds|that equals|equal to] {value}",
            "i would like {file} to have [an extra|a new|an additional] [field|key|option] {key} holding {value}",
            "we [need|want] one more [setting|key|entry] in {file}, [named|called] {key} and with value {value}",
            "there should be [a new|an additional|one more] [key|field|option] {key} in {file}, [set to|equal to|with value] {value}",
            "make sure that a new [entry|field|key] {key} [with|holding|containing] {value} [gets into|is added to|is put in] {file}",
            "a new [field|key|setting] {key} with value {value} [has to|is to|must] be [added to|inserted into|included in] {file}",
            "{file} [has|knows|contains] no [key|option|setting] {key} yet, [create|add|insert] it with the value {value}",
            "one [new|more|extra] [key|field|entry] for {file}: {key} with {value}",
            "with {value} as its value, [create|introduce|insert] a new [key|option|field] {key} in {file}",
            "take {file} and [add|attach] [a new|another|an extra] [field|key|setting] {key} to it, with {value} as its [value|content]",
            "how about [including|creating|inserting] the not yet existing [key|field] {key} in {file}, with value {value}",
            "let us [extend|enlarge|expand] {file} by a new [option|key|setting] {key}, its value is {value}",
            "see to it that {file} [gets|receives] [an additional|a new|another] [entry|field] {key} whose value is {value}",
            "have {file} contain a [key|setting|field] {key} that was not there before, [with value|set to|equal to] {value}",
            "what i want is {key} [added|introduced] as [a new|an extra] [key|option] in {file}, with {value} as its value",
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
            "from {file}, [throw out|erase|take away] the [key|option|entry] {key} [with|together with|and] its value",
            "{file}: [delete|remove|drop|discard] the [key|field|setting] {key}",
            "the [entry|field|option] {key} of {file} [is to|has to|must] be [deleted|removed|erased]",
            "to [tidy|clean up|shorten] {file}, [get rid of|take out|throw away] the [setting|key|field] {key}",
            "i would like {file} to be without [the key|the entry|the option|] {key}",
            "we want the [key|setting|entry] {key} [gone|deleted|removed] from {file}",
            "there should be no [key|field|entry|option] {key} in [the JSON file|] {file} [any more|]",
            "make sure that {file} does not [have|contain|hold] the [key|setting|field] {key} any [more|longer]",
            "the [key|option] {key} in {file} is [obsolete|out of date|no longer used], [discard|delete|clear out|erase] it",
            "no more {key} in {file}, [remove|drop|erase] [the whole key|the entire entry]",
            "once and for all, [remove|scrap|erase] the [field|setting|entry] {key} from the JSON document {file}",
            "take {file}, [look for|find|search for] the [key|entry|field] {key} in it and [delete|erase|remove] it",
            "how about [deleting|dropping|removing] the [unused|useless|unneeded] [key|option|setting] {key} in {file}",
            "let us [throw out|get rid of|drop] the [field|entry|option] {key} that is still in {file}",
            "see to it that {key} [disappears|vanishes|is gone] from the [settings|keys|fields] in {file}",
            "have the [key|option|entry] {key} [taken out of|deleted from|erased from] {file}",
            "what i want is {file} [minus|without] the [key|setting|field] {key}",
            "nothing [needs|uses|reads] {key} in {file} now, so [delete|drop|throw away] that [key|entry|field]",
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
            "{file}: [read|look up|find] the [key|setting|option] {key} and [put|place|drop] its value in {out}",
            "the [value|content] of {key}, as [given|found|set] in {file}, [goes to|belongs in] {out}",
            "to [get|fill|make] {out}, [read|fetch|query] the [field|key|entry] {key} of [the JSON file|] {file}",
            "i would like {out} to [hold|contain|show] what is [stored|set|recorded] under {key} in {file}",
            "we need the value of the [key|option|field] {key} from {file} in a [file|document] called {out}",
            "there should be a file {out} with [just|only|nothing but] the value of {key} [from|in] {file}",
            "make sure that {out} [contains|shows|gets] the [setting|value] {file} has [for|under] {key}",
            "the [key|field|entry] {key} of {file} [has to|is to|must] be [read|looked up|queried], its value goes to {out}",
            "i do not know what {key} is in {file}, [print|report|write] it to {out}",
            "only the value of {key} in {file}, [saved|stored|printed] as {out}",
            "with jq, [query|read|get] {key} in {file} and [send|print|save] the [answer|value|result] to {out}",
            "take the JSON document {file}, [look up|find|pick out] {key} in it and [record|save|note] the value in {out}",
            "how about [reading|fetching|extracting] {key} out of {file} and [saving|storing|keeping] the value as {out}",
            "let us [see|find out|check] which value {file} [lists|has|stores] for {key}, [answer|output] in {out}",
            "see to it that the value [behind|of|under] the [key|option|setting] {key} in {file} [lands|ends up] in {out}",
            "have {out} [contain|hold|show] the [current|present|actual] value of {key} in {file}",
            "whatever {file} [says|has] [under|for|at] {key}, [copy|duplicate|write] it to {out}",
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
