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
            "[i need|we need] a new [symlink|soft link|symbolic link] at {link} [for|to] {target}",
            "at {link}, [put|place|create] a [new|fresh] [symlink|soft link] that [leads|points|goes] to {target}",
            "{link}: a new [symlink|symbolic link|soft link] [leading|pointing|going] to {target}",
            "to [reach|find|open] {target} under the name {link}, [create|set up|make] a [symlink|soft link]",
            "i would like {link} to be [created|set up|made] as a [symbolic link|soft link] to {target}",
            "there should be a new [symlink|symbolic link] {link} [pointing|leading|going] to {target}",
            "a [symlink|symbolic link|soft link] named {link} [has to be|is to be] [made|created|set up] for {target}",
            "the path of {target} is too long, [add|create|make] a [short|handy] symlink {link} [for|to] it",
            "a new [soft link|symlink|symbolic link] from {link} to {target}",
            "with a new [symlink|soft link] named {link}, give {target} a second [name|path]",
            "take {target}, [add|create|build] a symlink to it and [call|name] that {link}",
            "how about a new [soft link|symbolic link|symlink] {link} that [takes us|leads|points] to {target}",
            "see to it that a new [symlink|symbolic link] {link} [points|leads] to {target}",
            "have a [soft link|symlink] [called|named] {link} [created|made|prepared] for {target}",
            "what i want is a new [symlink|soft link] [called|named|with the name] {link} whose target is {target}",
            "as {link}, [place|generate|write] a symbolic link [with|that has] {target} as its target",
            "produce a new [symbolic|soft] link: its [name|title] is {link}, its target is {target}",
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
            "[i need|we need] a [symlink|soft link] to {target} called {link}, or [called|named] {other} in case {link} is [taken|there already]",
            "at {link}, [place|put] a [symlink|symbolic link] to {target}, but at {other} if something [is there already|already has that name]",
            "{link}: a [symlink|soft link] to {target}, with {other} as the [fallback|second choice|spare] name if the first is [taken|in use]",
            "to [reach|find] {target} by a symlink, [use|choose|take] the name {link}, or {other} if {link} [exists|is occupied]",
            "i would like {link} to be a [symlink|symbolic link] to {target}, or {other} to be one if {link} already [exists|is there]",
            "there should be a [symlink|soft link] to {target}, named {link} if [possible|that name is free] and {other} [if not|otherwise]",
            "a [symbolic link|symlink] to {target} [has to be|is to be] [created|made|set up] as {link}, or as {other} if {link} is not free",
            "{link} may be [taken|in use|there] already, so [use|take] it if it is free or else {other} for a new symlink to {target}",
            "a symlink to {target} as {link}, [failing that|otherwise|or if taken] as {other}",
            "with {other} as the [reserve|fallback|alternative] name, [set up|create|make] a new [symlink|soft link] {link} to {target}",
            "take {target}, symlink it as {link}, and if that name [is occupied|exists already] [use|pick|take] {other} [instead|]",
            "how about a [symbolic link|soft link] {link} to {target}, or {other} [in case|when] the name is [taken|occupied]",
            "see to it that {target} has a [symlink|soft link], [preferably|ideally] {link}, but {other} if {link} is [already there|in use]",
            "have a [symlink|symbolic link] [called|named] {link} lead to {target}, and [choose|go for] {other} if {link} is [occupied|taken]",
            "what i want is the [symlink|link] {link} to {target}, {other} will do if that name is [not free|occupied|already used]",
            "if {link} [exists|is there already|is taken], [create|make] the symlink to {target} as {other}, otherwise as {link}",
            "as long as {link} is [free|unused], [build|create|add] it as a symlink to {target}, else [use|take] {other}",
            "prefer {link} [as|for] the name of a new symlink to {target}, with {other} for the case that it is [in use|taken]",
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
            "[i need|we need] the [existing|current|old] [symlink|link] {link} to [go|lead|point] to {target} [instead|now]",
            "to {target}, and no longer to its old [target|place|file], the [symlink|link] {link} [should|must] [point|lead]",
            "{link}: [redirect|retarget|repoint] this [existing|old] [symlink|link] to {target}",
            "to [correct|fix|repair] the [symlink|link] {link}, [let|make] it [point|lead] to {target}",
            "i would like the [link|symlink] {link}, which [exists already|is already there], to [point|lead|go] to {target} [instead|from now on]",
            "there should be {target} [behind|at the end of] the [existing|old] link {link} [from now on|instead of its old target]",
            "the [target|destination] of the [link|symlink] {link} [has to be|is to be|must be] [changed|switched|updated] to {target}",
            "the [symlink|link] {link} is [outdated|wrong|out of date], [aim|point] it at {target} [instead|now]",
            "the [existing|old] [symlink|soft link] {link} [now|from now on] to {target}",
            "with {target} as its new [target|destination], [update|redo|renew] the [existing|old] [symlink|link] {link}",
            "take the old [symlink|link] {link}, [remove|drop|delete] it and [make|create] it [again|anew] with the target {target}",
            "how about [redirecting|repointing|switching] the [existing|current] [link|symlink] {link} to {target}",
            "see to it that the [existing|old] symlink {link} [leads|points] to {target} and no longer to its old [target|place]",
            "have the [link|symlink] {link} [lead|point|go] to {target} [instead of where it goes now|instead of its present target]",
            "what i want is {target} as the new [target|destination] of the [link|symlink] {link}",
            "edit the [target|destination] of the existing [link|symlink] {link}, it [should|is to|must] become {target}",
            "wherever the [symlink|link] {link} [leads|points] now, it [should|must|has to] [lead|point] to {target}",
            "swap the [present|old] [target|destination] of the [symlink|link] {link} for {target}",
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
