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
            "i want the {kind} file [gone|out of here|out of the way]",
            "[sort|shorten|tidy] that one {kind} file [here|for me]",
            "the {kind} file is [too big|too large], [compress|shrink|pack] it",
            "we no longer need the {kind} file, [drop|discard|delete|erase] it",
            "how about [removing|deleting|archiving|moving] the {kind} file",
            "let's [copy|duplicate|back up|clone] the {kind} file",
            "make sure the {kind} file is [deleted|gone|empty|compressed]",
            "see to it that the {kind} file [gets|is] [removed|archived|cleaned up|sorted]",
            "there is a {kind} file [somewhere|here|around], [move|copy|archive] it",
            "have the {kind} file [erased|emptied|packed|moved away]",
            "what i want is [a copy|a backup|a sorted version|a zip] of the {kind} file",
            "take the {kind} file and [put it somewhere else|throw it out|make a copy of it]",
            "nobody [uses|needs|reads] the {kind} file any more, [clear it out|get rid of it|remove it]",
            "show the [first|last] [lines|rows] of the {kind} file",
            "the {kind} file is to be [made read only|write protected|made private|locked]",
            "that {kind} file of mine has to [go|move|be emptied|shrink]",
            "[convert|change|turn] the {kind} file to [upper case|lower case]",
            "for the {kind} file, [count|number|list] [the lines|the entries|the words]",
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
            "i would like {file} to [have|get|carry] [another|a new|a different] [name|title]",
            "we [want|need] [a new|some other|a better] name for {file}",
            "the name {file} is [not good|bad|too long|confusing], change it",
            "make sure that {file} [gets|is given|receives] a [new|different|better] [name|title]",
            "see to it that {file} [is renamed|is called something else|gets renamed]",
            "how about [renaming|retitling] the [file|document] {file}",
            "let's [give|assign] the [document|file] {file} [a fresh|another|a proper] name",
            "{file} is to be [renamed|retitled|given a new name] [now|today|for me]",
            "have the [file|document] {file} [renamed|called by another name|given another title]",
            "what i want is [another|a different|a nicer] name for {file}",
            "take {file} and [change|replace|update] its [name|title]",
            "nobody understands the name {file}, [rename|retitle] [it|the file]",
            "i do not like how {file} is [called|named|titled], [change|adjust|edit] that",
            "there should be a [better|clearer|shorter] name for [the file|the document|] {file}",
            "for {file}, [set|pick|use|choose] [a different|a new|another] [name|file name]",
            "the document {file} [cannot|should not|must not] keep its name, [change|switch] the name",
            "once again the [title|name] of {file} [must|has to|needs to] be [replaced|changed]",
            "[replace|update|exchange] the [file name|name] of {file}",
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
            "{file}: [edit|adjust|change|replace] the [setting|entry|value] {key}",
            "i would like {key} in {file} to [be different|have another value|get a new value]",
            "we [need|want] [another|a new|a better] [value|setting] for {key} in {file}",
            "make sure that {key} in {file} [is changed|gets updated|no longer has its old value]",
            "see to it that {file} [has|holds|contains] [a new|a different|another] value for {key}",
            "how about [changing|editing|adjusting] the [setting|entry|key] {key} in {file}",
            "let's [update|edit|modify|correct] what {file} says for {key}",
            "the [entry|setting|key] {key} of {file} is to be [edited|modified|replaced]",
            "have {key} [set|changed|adjusted] [to something else|to another value] in {file}",
            "what i want is [a new|another|a different] [setting|value] of {key} in {file}",
            "take {file} and [set|put] {key} [to a better value|to another value|to something else]",
            "nobody likes the [present|old|current] value of {key} in {file}, [replace|update|swap] it",
            "the {key} [setting|entry|value] in {file} is [out of date|outdated|no good], [update|edit|renew] it",
            "there is a [wrong|bad|stale] value at {key} in {file}, [adjust|correct|replace] it",
            "for {key}, [write|use|store|set] a [different|new] value in {file}",
            "inside {file}, [exchange|replace|swap|fix] the value [stored|kept|found] under {key}",
            "in the document {file}, {key} [must not|cannot|should not] [stay|remain] as it is, change it",
            "once you have {file} open, [turn|switch|set] {key} to [another|a different] value",
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
