"""Environment files: set or remove a NAME=value line, start one from its example."""

from __future__ import annotations

from typing import Any

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import EqualsCheck, ExistsCheck, NoValueCheck, SameCheck, ValueCheck
from task_packs.os import documents as docs
from task_packs.os.calls import edit, fs
from task_packs.os.data import file

PREFIXES = ("APP", "DB", "API", "MAIL", "WEB", "CACHE")


def _variables(draw: Draw) -> dict[str, Any]:
    """Four to six NAME: value pairs, names in capitals."""
    found: dict[str, Any] = {}
    for _ in range(draw.number(4, 6)):
        key, kind = docs.some_key(draw, set())
        found[f"{draw.choice(PREFIXES)}_{key}".upper() if draw.chance(0.5) else key.upper()] = docs.some_value(
            draw, kind
        )
    return found


def _folder_file(draw: Draw) -> str:
    return f"{draw.dir()}/.env" if draw.chance(0.6) else draw.file("env")


def _set(draw: Draw) -> Scene:
    doc, comment, path = _variables(draw), draw.phrase(2, 4), _folder_file(draw)
    if draw.chance(0.3):
        key, value = f"{draw.ident()}_{draw.choice(('URL', 'MODE', 'NAME'))}".upper(), docs.some_value(draw, "string")
    else:
        key, old = draw.choice(list(doc.items()))
        value = docs.changed_value(draw, old)
    new = docs.shown(value)
    expected = docs.to_env(docs.with_value(doc, key, value), comment)
    return Scene(
        slots={"file": name(path), "var": name(key), "value": name(new), "pair": name(f"{key}={new}")},
        setup=[file(path, docs.to_env(doc, comment))],
        gold=[edit(path, "set", key=key, value=new)],
        done=ValueCheck(path=path, key=key, value=new),
        checks=[EqualsCheck(path=path, text=expected)],
    )


def _unset(draw: Draw) -> Scene:
    doc, comment, path = _variables(draw), draw.phrase(2, 4), _folder_file(draw)
    key = draw.choice(list(doc))
    return Scene(
        slots={"file": name(path), "var": name(key)},
        setup=[file(path, docs.to_env(doc, comment))],
        gold=[edit(path, "unset", key=key)],
        done=NoValueCheck(path=path, key=key),
        checks=[EqualsCheck(path=path, text=docs.to_env(docs.without(doc, key), comment))],
    )


def _start(draw: Draw) -> Scene:
    doc, comment, folder = _variables(draw), draw.phrase(2, 4), draw.dir()
    ending = draw.choice(("example", "sample", "template"))
    example, path = f"{folder}/.env.{ending}", f"{folder}/.env"
    return Scene(
        slots={"example": name(example), "file": name(path)},
        setup=[file(example, docs.to_env(doc, comment))],
        gold=[fs("copy", example, to=path)],
        done=ExistsCheck(path=path, type="file"),
        checks=[SameCheck(path=path, other=example), EqualsCheck(path=example, text=docs.to_env(doc, comment))],
    )


INTENTS = [
    Intent(
        family="env_files",
        name="env_set",
        train=(
            "[set|change|switch|update] the variable {var} to {value} in {file}",
            "[set|define|export] the environment variable {var} as {value} in {file}",
            "in [the env file|the environment file] {file}, [set|change|define|update] {var} to {value}",
            "[set|put|write|add] {pair} [in|into] the [env|environment] file {file}",
            "the [variable|environment variable|env variable] {var} in {file} [must|should|has to] "
            "[be|become|equal] {value}",
            "[let|make|have] {file} define {var} as {value}",
            "[edit|change|update|adjust] the [env|environment] file {file} so that {var} [is|equals|becomes] {value}",
            "[define|assign|give] {var} the value {value} in the env file {file}",
            "[assign|write] {value} to [the variable|the env variable] {var} in {file}",
            "into [the env file|the environment file] {file}, [put|write|enter] {pair}",
            "{file}: [set|change|switch] the [variable|environment variable] {var} to {value}",
            "the [line|setting|assignment] {pair} [belongs in|goes into|must be in] the [env|environment] file {file}",
            "to [get|have] {var} equal to {value}, [edit|adjust|update] the [env|environment] file {file}",
            "i would like {var} to [be|equal|become] {value} in the [env|environment] file {file}",
            "we [need|want] {pair} in the [env|environment] file {file}",
            "there should be [a line|a setting|an assignment] {pair} in the [env|environment] file {file}",
            "make sure that the [environment variable|variable] {var} [has|gets|holds] the value {value} in {file}",
            "the [environment variable|variable|env variable] {var} is to be [set|changed|switched] to {value} in {file}",
            "the value of the variable {var} in {file} is [wrong|out of date|not right], [change|correct|update] it to {value}",
            "{pair} for the [env|environment] file {file}",
            "with {value} as its value, [define|store|record] the [variable|environment variable] {var} in {file}",
            "as the value of the environment variable {var}, [use|write|put] {value} in {file}",
            "take {file}, [open|edit] it and [set|change|switch] the [variable|env variable] {var} to {value}",
            "how about [defining|setting] the [variable|environment variable] {var} as {value} in {file}",
            "let us have {pair} as [a setting|a variable|a line] in the [env|environment] file {file}",
            "see to it that {file} [sets|defines] the [environment variable|variable] {var} with the value {value}",
            "what i want is the [variable|environment variable] {var} in {file} with {value} as its [new|] value",
        ),
        val=(
            "the env file {file} should define {var} as {value}",
            "give the environment variable {var} in {file} the value {value}",
        ),
        held=(
            "update {file}: the variable {var} becomes {value}",
            "in the environment file {file}, assign {value} to {var}",
            "have the env variable {var} equal {value} in {file}",
        ),
        build=_set,
    ),
    Intent(
        family="env_files",
        name="env_unset",
        train=(
            "[remove|delete|drop|erase] the [variable|environment variable|env variable] {var} from {file}",
            "in the [env|environment] file {file}, [remove|delete|unset|drop] {var}",
            "[unset|undefine|clear] the [variable|environment variable] {var} in {file}",
            "{var} should [not|no longer] be defined in the [env|environment] file {file}",
            "[take|throw|cut] the [variable|env variable] {var} out of {file}",
            "[get rid of|strip out|scrap] the [variable|environment variable] {var} in {file}",
            "the [env|environment] file {file} [must|should] not [define|set|export] {var} any more",
            "[edit|clean|change] {file} so that the variable {var} [disappears|is gone|is not defined]",
            "from the [env|environment] file {file}, [take out|erase|strip|throw out] [the line for|the variable|] {var}",
            "{file}: [unset|remove|delete|discard] the [variable|environment variable] {var}",
            "the [definition|setting|assignment] of the variable {var} [is to|has to|must] be [removed|deleted|erased] from {file}",
            "to [tidy|shorten|clean up] the env file {file}, [get rid of|throw away|drop] the variable {var}",
            "i would like {file} to [stop defining|lose|be without] the [variable|environment variable] {var}",
            "we want the [environment variable|variable] {var} [gone|removed|deleted] from {file}",
            "there should be no [variable|environment variable|definition of] {var} in the env file {file} [any more|]",
            "make sure that {file} does not [define|set|contain] the variable {var} any [more|longer]",
            "the variable {var} in {file} is [obsolete|not used now|no longer needed], [erase|delete|drop|clear out] it",
            "no more variable {var} in the [env|environment] file {file}",
            "once and for all, [scrap|delete|throw out] the [env variable|environment variable] {var} in {file}",
            "take the [env|environment] file {file}, [find|look for] the variable {var} and [remove|erase|delete] it",
            "how about [removing|dropping|deleting] the [variable|line that sets] {var} from the [env|environment] file {file}",
            "let us [throw out|unset|discard] the [old|unneeded|useless] variable {var} of the env file {file}",
            "see to it that the [environment variable|variable] {var} [disappears|vanishes|is gone] from {file}",
            "have the [env variable|variable] {var} [erased from|taken out of|removed from] the [env|environment] file {file}",
            "what i want is {file} [without|minus] the [environment variable|variable] {var}",
            "nothing [reads|uses|needs] the variable {var} now, so [drop|delete|erase] it [from|in] {file}",
        ),
        val=(
            "undefine {var} in the env file {file}",
            "the variable {var} must be gone from {file}",
        ),
        held=(
            "the environment file {file} should no longer export {var}",
            "strip the env variable {var} from {file}",
            "clear {var} out of the environment file {file}",
        ),
        build=_unset,
    ),
    Intent(
        family="env_files",
        name="env_start",
        train=(
            "[create|make|start|set up] the env file {file} from {example}",
            "[use|take] the [example|sample|template] {example} [as the start of|to create|to start] {file}",
            "[copy|duplicate] the env [example|sample|template] {example} to {file}",
            "{file} does not exist yet, [create|make|copy|start] it from {example}",
            "[start|begin] {file} as a copy of the [example|sample|template] {example}",
            "from [the example|the template|the sample] {example}, [create|make|start] "
            "[the env file|the environment file] {file}",
            "[give me|prepare] an env file {file} that is a copy of {example}",
            "the [environment|env] file {file} [should|must] [start|begin] as a copy of {example}",
            "into {file}, [copy|put|write] the [content|contents|text] of the [sample|example] env file {example}",
            "{example}: [copy|duplicate|clone] it to {file} so that we have an env file",
            "the [sample|example|template] {example} is to be [copied|duplicated|cloned] to the env file {file}",
            "to [get|create|set up] the [env|environment] file {file}, [copy|duplicate|replicate] {example}",
            "i would like the env file {file} to be a [copy|duplicate|clone] of the [template|sample|example] {example}",
            "we [need|want] an [environment|env] file {file}, [made|created|copied] from {example}",
            "there should be an [env|environment] file {file} with the same [content|contents|lines] as the [example|template|sample] {example}",
            "make sure that the env file {file} exists, [copied|cloned|duplicated] from the [template|sample] {example}",
            "{file} has to be [created|made|set up|generated] from the [env template|env sample|example file] {example}",
            "the env file {file} is [missing|not there yet], [make|generate|produce|create] it [from|out of] the [sample|example] {example}",
            "{example} [copied|cloned|duplicated] as the [env|environment] file {file}",
            "with {example} as the [template|sample|starting point], [create|generate|set up] the [env|environment] file {file}",
            "take the [sample|example|template] {example} and [copy|duplicate|clone] it to the [new|] [env|environment] file {file}",
            "how about [starting|creating|preparing] the env file {file} with a copy of {example}",
            "let us [use|take] {example} as the [template|base|starting point] for the [env|environment] file {file}",
            "see to it that {file} [starts out|begins] as a [duplicate|clone|copy] of the env [example|template|sample] {example}",
            "have the env file {file} [made|created|prepared] by [copying|duplicating|cloning] {example}",
            "what i want is a [duplicate|copy] of the env [sample|template|example] {example} [named|called] {file}",
        ),
        val=(
            "prepare the environment file {file} from the template {example}",
            "take {example} and create {file} from it",
        ),
        held=(
            "begin the env file {file} with the sample {example}",
            "make {file} a copy of the env template {example}",
            "use {example} as the template and set up {file}",
        ),
        build=_start,
    ),
]
