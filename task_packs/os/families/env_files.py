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
