"""Goals that cannot be decided from what is there: ask one question, change nothing."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import Check, EqualsCheck, ExistsCheck, SetupItem
from task_packs.os import documents as docs
from task_packs.os.calls import Call
from task_packs.os.data import file

KINDS = {"log": "log", "text": "txt", "csv": "csv", "json": "json", "markdown": "md", "config": "cfg", "backup": "bak"}
TAGS = ("ask",)


def _ask(question: str) -> list[Call]:
    return [{"tool": "ask", "args": {"question": question}}]


def _kept(items: list[SetupItem]) -> list[Check]:
    return [EqualsCheck(path=item.path, text=item.text or "") for item in items]


def _which(draw: Draw) -> Scene:
    kind = draw.choice(list(KINDS))
    paths = [draw.file(KINDS[kind]) for _ in range(draw.number(2, 3))]
    items = [file(path, draw.lines(2, 5)) for path in paths]
    other = file(draw.file("html", "dat"), draw.lines(2, 4))
    return Scene(
        slots={"kind": plain(kind)},
        setup=[*items, other],
        gold=_ask("Which file do you mean?"),
        done=ExistsCheck(path=paths[0]),
        checks=_kept([*items, other]),
    )


def _new_name(draw: Draw) -> Scene:
    item = file(draw.path(), draw.lines(2, 5))
    return Scene(
        slots={"file": name(item.path)},
        setup=[item],
        gold=_ask("What should the new name be?"),
        done=ExistsCheck(path=item.path),
        checks=_kept([item]),
    )


def _value(draw: Draw) -> Scene:
    doc = docs.settings(draw, top=2)
    key = draw.choice(list(docs.leaves(doc)))
    if draw.chance(0.5):
        item = file(draw.path("json"), docs.to_json(doc))
    else:
        item = file(draw.path("yaml", "yml"), docs.to_yaml(doc, draw.phrase(2, 3)))
    return Scene(
        slots={"file": name(item.path), "key": name(key)},
        setup=[item],
        gold=_ask("Which value should it have?"),
        done=ExistsCheck(path=item.path),
        checks=_kept([item]),
    )


INTENTS = [
    Intent(
        family="ambiguous",
        name="ask_which",
        train=(
            "[delete|remove|erase] the {kind} file",
            "[compress|zip|archive] the {kind} file",
            "[rename|move|copy] the {kind} file [to the archive|to the backup folder|somewhere safe]",
            "the {kind} file [should|must|has to] be [deleted|removed|cleared|compressed]",
            "[empty|clear|reset] the {kind} file",
            "[make|set] the {kind} file [read only|executable|private]",
            "[sort|count] the lines [of|in] the {kind} file",
            "[get rid of|throw away|clean up] that {kind} file",
        ),
        val=(
            "that {kind} file needs to be compressed",
            "throw the {kind} file away",
        ),
        held=(
            "that {kind} file has to be removed",
            "archive the {kind} file and clear it",
            "make that {kind} file private",
        ),
        build=_which,
        solo=True,
        weight=0.7,
        tags=TAGS,
    ),
    Intent(
        family="ambiguous",
        name="ask_name",
        train=(
            "rename {file}",
            "[rename|change the name of] the file {file}",
            "[give|assign] {file} [a new name|another name|a better name|a different name]",
            "{file} [needs|should get|must get] a [new|better|different] name",
            "[call|name] {file} [something else|differently]",
            "{file} [should|must] [be renamed|be called something else|have another name]",
            "[find|choose] [a better|another] name for {file}",
            "the name of {file} [should|must|has to] [be changed|be different|change]",
        ),
        val=(
            "the file {file} must be renamed",
            "change how {file} is called",
        ),
        held=(
            "choose a new name for the file {file}",
            "let {file} have a different name",
            "the file {file} should be called differently",
        ),
        build=_new_name,
        solo=True,
        weight=0.7,
        tags=TAGS,
    ),
    Intent(
        family="ambiguous",
        name="ask_value",
        train=(
            "[change|update|adjust|modify] {key} in {file}",
            "[change|adjust|update|set] the value of {key} in {file}",
            "in {file}, [change|update|adjust] {key}",
            "{key} in {file} [should|must|has to] be [changed|updated|different]",
            "[give|assign] {key} [in|of] {file} [a new value|another value|a different value]",
            "{key} [needs|should get|must get] [another value|a new value|a better value] in {file}",
            "[open|edit] {file} and [change|adjust|update] {key}",
            "the value of {key} in {file} [is wrong|is not right|must change], [correct|fix|change] it",
        ),
        val=(
            "the key {key} in {file} needs a different value",
            "fix the value of {key} in {file}",
        ),
        held=(
            "let {key} in {file} have another value",
            "edit {file}, the value of {key} has to change",
            "assign a better value to {key} in {file}",
        ),
        build=_value,
        solo=True,
        weight=0.7,
        tags=TAGS,
    ),
]
