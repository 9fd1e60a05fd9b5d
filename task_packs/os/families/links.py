"""Symbolic links: make one, make one under another name if the first is taken, point one elsewhere."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import EqualsCheck, LinkCheck, SetupItem
from task_packs.os.calls import fs
from task_packs.os.data import file


def make(draw: Draw) -> Scene:
    target, link, content = draw.path(), draw.stem(), draw.lines(1, 4)
    made = LinkCheck(path=link, target=target)
    return Scene(
        slots={"link": name(link), "target": name(target)},
        setup=[file(target, content)],
        gold=[fs("link", link, to=target)],
        done=made,
        checks=[made, EqualsCheck(path=target, text=content)],
    )


def make_or(draw: Draw) -> Scene:
    target, link, other, content = draw.path(), draw.stem(), draw.stem(), draw.lines(1, 4)
    taken = draw.chance(0.5)
    setup, gold = [file(target, content)], [fs("link", link, to=target)]
    made = LinkCheck(path=other if taken else link, target=target)
    checks: list[LinkCheck | EqualsCheck] = [made, EqualsCheck(path=target, text=content)]
    if taken:
        there = draw.lines(1, 3)
        setup.append(file(link, there))
        gold.append(fs("link", other, to=target))
        checks.append(EqualsCheck(path=link, text=there))
    return Scene(
        slots={"link": name(link), "other": name(other), "target": name(target)},
        setup=setup,
        gold=gold,
        done=made,
        checks=checks,
    )


def repoint(draw: Draw) -> Scene:
    old, new, link = draw.path(), draw.path(), draw.stem()
    before, after = draw.lines(1, 3), draw.lines(1, 3)
    made = LinkCheck(path=link, target=new)
    return Scene(
        slots={"link": name(link), "target": name(new)},
        setup=[file(old, before), file(new, after), SetupItem(path=link, link=old)],
        gold=[fs("remove", link), fs("link", link, to=new)],
        done=made,
        checks=[made, EqualsCheck(path=old, text=before), EqualsCheck(path=new, text=after)],
        destructive=True,
    )


INTENTS = [
    Intent(
        family="links",
        name="make_link",
        train=(
            "[make|create|add|set up] a [symbolic link|symlink|soft link] {link} to {target}",
            "[make|create] a [symbolic link|symlink|link] [called|named] {link} that [points|leads] to {target}",
            "[link|symlink] {link} to {target}",
            "{link} should be a [symbolic link|symlink|soft link] to {target}",
            "[make|let] {target} [reachable|available] as {link} with a [symlink|symbolic link]",
            "for {target}, [make|create|add] a [symbolic link|symlink] with the name {link}",
            "to {target}, [make|create|set up] a [symlink|link] called {link}",
            "[I need|we need] a [symlink|symbolic link] {link} [pointing|leading] to {target}",
            "[place|put] a [symlink|soft link] to {target} at {link}",
            "{target} should be [available|reachable] under the name {link}, [create|add] a symlink",
        ),
        val=(
            "[add|set up] {link} as a symlink leading to {target}",
            "{target} should be reachable as {link}, [add|make] a symbolic link",
        ),
        held=(
            "[place|create] the link {link} pointing to {target}",
            "we need {target} available through a symlink named {link}",
            "the soft link {link} should point to {target}, [create|set up] it",
            "[put|make] at {link} a symbolic link that leads to {target}",
        ),
        build=make,
    ),
    Intent(
        family="links",
        name="make_link_or",
        train=(
            "[make|create|add] a [symlink|link] {link} to {target}, or {other} if {link} [is taken|already exists]",
            "[make|create] a symbolic link {link} to {target}, if that name is [taken|in use] [use|take] {other}",
            "[link|symlink] {link} to {target}, [falling back to|or else] {other} if the name is taken",
            "[add|place] a link {link} [pointing|leading] to {target}, should that already exist [use|choose] {other}",
            "if {link} is free, [make|let] it a symlink to {target}, otherwise [make|use] {other}",
            "for {target}, [make|create] a symbolic link {link} or, if that is taken, {other}",
            "[try|attempt] to [make|create] the symlink {link} to {target}, [use|take] {other} if the name is in use",
            "a [symlink|link] to {target} should be called {link}, or {other} when {link} is already there",
        ),
        val=(
            "[set up|place] the link {link} leading to {target}, choose {other} if that name is already in use",
            "we need a symlink {link} to {target}, otherwise {other} if {link} is taken",
        ),
        held=(
            "[put|add] a soft link to {target} at {link}, or else at {other} when that is taken",
            "{target} should be available as the symlink {link}, [take|choose] {other} if {link} is not free",
            "[try|attempt] to link {link} to {target}, should the name be in use make it {other}",
        ),
        build=make_or,
    ),
    Intent(
        family="links",
        name="repoint_link",
        train=(
            "[point|redirect|switch|change] the [existing|] [symlink|link] {link} to {target} [instead|]",
            "[update|change] [the symlink|the link] {link} so that it [points|leads] to {target}",
            "[let|make] the [existing|old|] [symlink|link] {link} [point|lead] to {target} [instead|from now on]",
            "the [existing|old] [symlink|link] {link} [should point|has to lead] to {target} [now|instead|]",
            "[replace|redo] the [old|existing] [symlink|link] {link} with one [pointing|leading] to {target}",
            "[redirect|repoint|retarget] {link} to {target}",
            "{link} [points|leads] to the wrong file, [redirect|change|point] it to {target}",
            "[give|assign] the [old|existing] [symlink|link] {link} the new target {target}",
            "[repoint|retarget] the link {link} so that it leads to {target}",
            "the new target of [the link|the symlink] {link} is {target}",
        ),
        val=(
            "[switch|redirect] the target of the link {link} to {target}",
            "the target of the symlink {link} is wrong, it should lead to {target}",
        ),
        held=(
            "from now on the existing link {link} should point to {target}",
            "[change|update] the target of the old symlink {link} to {target}",
            "[retarget|repoint] the symlink {link}, it has to lead to {target}",
        ),
        build=repoint,
    ),
]
