"""Compose files: a service's image or restart rule, a port mapping, the list of images."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import CommandCheck, ContainsCheck, EqualsCheck, ExistsCheck, LacksCheck, ValueCheck
from task_packs.os.calls import edit, shell
from task_packs.os.data import file
from task_packs.os.families.dockerfiles import image
from task_packs.os.steps import Place, at, place

SERVICES = ("web", "db", "cache", "worker", "proxy", "app", "api", "queue", "mail", "search")
RESTART = ("always", "unless-stopped", "on-failure")


@dataclass(frozen=True)
class _Service:
    name: str
    image: str
    restart: str
    port: str


def _services(draw: Draw) -> list[_Service]:
    """Two or three services with images and port mappings of their own."""
    found = []
    ports = draw.sample(range(1000, 9999), 6)
    own = draw.ident()
    while own == "image":  # "grep image:" must find images only
        own = draw.ident()
    for index, each in enumerate([*draw.sample(SERVICES, draw.number(1, 2)), own]):
        port = f"{ports[2 * index]}:{ports[2 * index + 1]}"
        found.append(_Service(each, image(draw), draw.choice(RESTART), port))
    return found


def _yaml(services: list[_Service], comment: str) -> str:
    lines = [f"# {comment}", "services:"]
    for each in services:
        lines += [
            f"  {each.name}:",
            f"    image: {each.image}",
            f"    restart: {each.restart}",
            "    ports:",
            f'      - "{each.port}"',
        ]
    return "\n".join(lines) + "\n"


def _values(path: str, services: list[_Service]) -> list[ValueCheck]:
    found = []
    for each in services:
        key = f"services.{each.name}"
        found += [
            ValueCheck(path=path, key=f"{key}.image", value=each.image),
            ValueCheck(path=path, key=f"{key}.restart", value=each.restart),
            ValueCheck(path=path, key=f"{key}.ports.0", value=each.port),
        ]
    return found


def _where(draw: Draw) -> Place:
    if draw.chance(0.5):
        return place(draw, filename=draw.choice(("compose.yaml", "docker-compose.yml")))
    return place(draw, "yaml", "yml")


def _change(draw: Draw, field: str, services: list[_Service], index: int, new: str) -> Scene:
    where, comment = _where(draw), draw.phrase(2, 4)
    service = services[index]
    key = f"services.{service.name}.{field}"
    after = replace(service, image=new) if field == "image" else replace(service, restart=new)
    return Scene(
        slots={"file": name(where.said), "service": name(service.name), "new": name(new)},
        setup=[file(where.real, _yaml(services, comment))],
        gold=at(where, lambda path: edit(path, "set", key=key, value=new)),
        done=ValueCheck(path=where.real, key=key, value=new),
        checks=[
            *_values(where.real, [*services[:index], after, *services[index + 1 :]]),
            ContainsCheck(path=where.real, text=f"# {comment}\n"),
        ],
    )


def _image(draw: Draw) -> Scene:
    services = _services(draw)
    index = draw.number(0, len(services) - 1)
    while (new := image(draw)) == services[index].image:
        pass
    return _change(draw, "image", services, index, new)


def _restart(draw: Draw) -> Scene:
    services = _services(draw)
    index = draw.number(0, len(services) - 1)
    new = draw.choice([each for each in RESTART if each != services[index].restart])
    return _change(draw, "restart", services, index, new)


def _port(draw: Draw) -> Scene:
    services, where, comment = _services(draw), _where(draw), draw.phrase(2, 4)
    index = draw.number(0, len(services) - 1)
    old = services[index].port
    new = (
        f"{draw.number(10000, 20000)}:{old.split(':')[1]}"
        if draw.chance(0.5)
        else f"{draw.number(80, 99)}:{draw.number(80, 99)}"
    )
    after = [*services[:index], replace(services[index], port=new), *services[index + 1 :]]
    return Scene(
        slots={"file": name(where.said), "old": name(old), "new": name(new)},
        setup=[file(where.real, _yaml(services, comment))],
        gold=at(where, lambda path: edit(path, "replace", find=old, text=new)),
        done=LacksCheck(path=where.real, text=old),
        checks=[EqualsCheck(path=where.real, text=_yaml(after, comment))],
    )


def _images(draw: Draw) -> Scene:
    services, comment, out = _services(draw), draw.phrase(2, 4), draw.file("txt", "lst")
    path = draw.path("yaml", "yml")
    return Scene(
        slots={"file": name(path), "out": name(out)},
        setup=[file(path, _yaml(services, comment))],
        gold=[shell(f"grep 'image:' {path} > {out}")],
        done=ExistsCheck(path=out),
        checks=[
            CommandCheck(
                cmd=f"sed 's/^ *//' {out}", stdout="\n".join(f"image: {service.image}" for service in services)
            ),
            EqualsCheck(path=path, text=_yaml(services, comment)),
        ],
    )


INTENTS = [
    Intent(
        family="compose_files",
        name="compose_image",
        train=(
            "[use|take|choose] the image {new} for the service {service} in {file}",
            "[change|switch|set|update] the image of [the service|service] {service} to {new} in {file}",
            "in the compose file {file}, [set|change|switch] the image of {service} to {new}",
            "the [service|container] {service} in {file} [should|must|has to] [use|run|be based on] the image {new}",
            "[let|make|have] the service {service} [use|run] the image {new} in [the compose file|] {file}",
            "[upgrade|bump|move] the service {service} [in|of] {file} to the image {new}",
            "[edit|update|adjust] [the compose file|] {file} so that {service} [uses|runs] the image {new}",
            "the image [for|of] the service {service} [should|must|has to] [be|become] {new} in {file}",
            "[swap|exchange] whatever image {service} [runs on|is using] for {new} in {file}",
            "into {file}, [write|put|enter] {new} as the [container image|image] of the service {service}",
            "{file}: [set|switch|change] the image of {service} to {new}",
            "{service} in {file} [is to be|has to be|should be] [switched|moved|changed] to the image {new}",
            "to [get|bring] {service} onto the image {new}, [edit|modify|adjust] {file}",
            "[i would like|we want|i want] {service} to [run on|be based on] the image {new}, [change|adjust|fix] that in {file}",
            "there should be {new} as the [image|container image] [of|for] the service {service} in {file}",
            "make sure that the service {service} in {file} [pulls|uses|starts from] the image {new}",
            "the image of {service} in {file} is [outdated|wrong|no longer right], [replace it with|use|change it to] {new}",
            "{file}, service {service}, [new image|image] {new}",
            "as the image for {service}, [write|enter|record] {new} in {file}",
            "take {file}, [look up|find|go to] the service {service} and [change|set|switch] its image to {new}",
            "how about [running|starting] {service} [from|with|on] the image {new}, [update|edit|change] {file} for that",
            "see to it that {file} [lists|names|has] {new} as the image of {service}",
            "have {file} [name|list|give] {new} as the image for the service {service}",
            "what i want is the image {new} for [the service|the container|] {service} in {file}",
            "once {file} is [saved|edited|updated], {service} [must|should] be [running|using] the image {new}",
            "the compose service {service} needs [another|a different] image, [write|put|set] {new} in {file}",
        ),
        val=(
            "the compose file {file} must run the service {service} with the image {new}",
            "bump the image of the service {service} to {new} in the compose file {file}",
        ),
        held=(
            "the service {service} has to move to the image {new} in the compose file {file}",
            "choose {new} as the image of {service} in the compose file {file}",
            "in {file}, let {service} be a service that uses the image {new}",
        ),
        build=_image,
    ),
    Intent(
        family="compose_files",
        name="compose_restart",
        train=(
            "[set|change|switch|update] the restart [policy|rule|mode] of the service {service} to {new} in {file}",
            "in the compose file {file}, [set|change|switch] restart of {service} to {new}",
            "the service {service} in [the compose file|] {file} [should|must|has to] restart {new}",
            "[give|assign] the service {service} [in|of] {file} the restart [policy|rule|mode] {new}",
            "[let|make|have] the service {service} restart {new} in {file}",
            "[use|choose] {new} as the restart [policy|rule|mode] [of|for] {service} in [the compose file|] {file}",
            "[edit|update|adjust] the compose file {file} so that {service} restarts {new}",
            "the restart [policy|rule|mode] [for|of] {service} [should|must|has to] [be|become] {new} in {file}",
            "{file}: the restart [policy|setting] of {service} [is|should be] {new} from now on",
            "into {file}, [put|write|enter] the restart [policy|setting] {new} for the service {service}",
            "to have {service} restart {new}, [modify|edit|change] [its entry|its restart line] in {file}",
            "[i would like|we want|i need] {service} to have the restart [policy|rule] {new} in {file}",
            "there should be a restart [line|setting|entry] with {new} under {service} in {file}",
            "make sure that {file} [has|lists|gives] {new} as the restart [policy|mode] of {service}",
            "the restart [policy|behaviour|setting] of {service} in {file} is to be [changed|adjusted|switched] to {new}",
            "{service} [does not come back up properly|restarts the wrong way], [set|switch] its restart [policy|rule] in {file} to {new}",
            "{file}, service {service}, restart [policy|mode|rule] {new}",
            "as the restart [rule|mode|policy] of {service}, [record|write|enter] {new} in {file}",
            "take the service {service} in {file} and [adjust|change|switch] its restart [setting|policy] to {new}",
            "how about the restart [mode|policy|rule] {new} for {service} in {file}",
            "let's [put|move|switch] {service} in {file} [on|to] the restart [policy|mode] {new}",
            "see to it that [docker|compose] restarts {service} by the rule {new}, [edit|update|change] {file} for that",
            "have {file} say restart {new} for the [service|container] {service}",
            "what i want is {new} as the restart [policy|rule] [for|of] the service {service} in {file}",
            "under {service} in {file}, the restart [value|entry|key] [must|should|has to] [read|say|be] {new}",
            "[pick|select|enter] {new} for restart in the {service} [section|block|part] of {file}",
        ),
        val=(
            "assign the restart rule {new} to the service {service} in the compose file {file}",
            "have {service} use the restart policy {new} in the compose file {file}",
        ),
        held=(
            "the compose file {file} should give {service} the restart mode {new}",
            "for the service {service} of {file}, choose {new} as the restart policy",
            "update {file}: restart of the service {service} becomes {new}",
        ),
        build=_restart,
    ),
    Intent(
        family="compose_files",
        name="compose_port",
        train=(
            "[change|switch|update] the port mapping {old} to {new} in {file}",
            "in the compose file {file}, [replace|change|swap] the [ports|port mapping] {old} [by|with|to] {new}",
            "[replace|swap|exchange] the [ports|published ports|port mapping] {old} [by|with|for] {new} in {file}",
            "the [ports|port mapping] {old} in {file} [should|must|has to] [become|be changed to] {new}",
            "[publish|map] {new} instead of {old} in [the compose file|] {file}",
            "[move|remap] the ports {old} of [the compose file|] {file} to {new}",
            "[use|map] the ports {new} instead of {old} in [the compose file|] {file}",
            "[edit|update|adjust] [the compose file|] {file} so that the port mapping {old} becomes {new}",
            "{file}: [turn|change] the port mapping {old} into {new}",
            "into {file}, [put|write|enter] the port mapping {new} where {old} [stands|is] now",
            "to [expose|publish|open] {new} [rather than|in place of] {old}, [edit|modify|adjust] the ports in {file}",
            "[i would like|we want|i want] {file} to publish {new} where it [published|mapped|exposed] {old} [before|until now]",
            "there should be the ports {new} in {file} [rather than|in place of] {old}",
            "make sure that {file} [maps|publishes|exposes] {new} and no longer {old}",
            "the [published|mapped|exposed] ports {old} are to be [changed|switched|altered] to {new} in {file}",
            "the ports {old} are [already in use|taken], so [map|publish|expose] {new} [in their place|instead] in {file}",
            "{file}, port mapping {new} [replacing|in place of|rather than] {old}",
            "as the port mapping in {file}, [write|use|enter] {new} [rather than|and not] {old}",
            "take the port mapping {old} in {file}, [remove|delete|erase] it and [put|write] {new} there",
            "how about the ports {new} [in place of|rather than] {old} in {file}",
            "let's [switch|move|update] the [published|exposed] ports in {file} from {old} to {new}",
            "see to it that the port [line|entry] {old} in {file} [reads|says|becomes] {new}",
            "have {file} [map|publish|expose] the ports {new} where {old} [is|stands] now",
            "what i want is {new} where {file} [has|lists] the port mapping {old}",
            "wherever {file} [lists|publishes|maps] the ports {old}, it should [list|have] {new}",
            "[adjust|modify|fix] the port [line|entry] {old} in the compose file {file}, it [must|should] be {new}",
        ),
        val=(
            "the compose file {file} should map {new} instead of the ports {old}",
            "exchange the port mapping {old} for {new} in the compose file {file}",
        ),
        held=(
            "remap {old} to the ports {new} in the compose file {file}",
            "have the compose file {file} publish the ports {new} instead of {old}",
            "in {file}, the port mapping must be changed from {old} to {new}",
        ),
        build=_port,
    ),
    Intent(
        family="compose_files",
        name="compose_images",
        train=(
            "[write|save|store|put] the image lines of {file} [to|in|into] {out}",
            "[list|collect|gather] the images [of|in|used by] the compose file {file} in {out}",
            "[extract|pull|copy] [all|the] [images|image lines] from {file} [to|into] {out}",
            "[write|save|dump] which images the [compose file|services in] {file} [uses|needs] to {out}",
            "{out} [should|must] [list|contain|hold] the images [of|used by|in] the compose file {file}",
            "[make|create] a list of [all|the] images in [the compose file|] {file}, "
            "[saved in|written to|collected in] {out}",
            "from the compose file {file}, [extract|collect|save] the images [to|in|into] {out}",
            "[find|look up] the images that {file} uses and [save|list|write] them in {out}",
            "into {out}, [put|write|save] [every|each] image line of [the compose file|] {file}",
            "{file}: [gather|collect|extract] its image lines [into|in] {out}",
            "to get {out}, [pull|grep|filter] the image lines out of {file}",
            "[i would like|we want|i need] {out} to [hold|list|show] [every|each] image [named|mentioned] in {file}",
            "there should be a [file|document] {out} with the image lines [from|of] {file}",
            "make sure that every image of the services in {file} [ends up|is listed|is recorded] in {out}",
            "the images [used|named|mentioned] in {file} are to be [listed|recorded|saved] in {out}",
            "we have to know which images {file} [pulls|uses|needs], [record|note|store] them in {out}",
            "{out}: all image lines [from|of|in] the compose file {file}",
            "as {out}, [save|store|keep] [a list|the list] of the images in {file}",
            "take {file}, [pick|filter|copy] out its image lines and [place|drop|save] them in {out}",
            "how about a list of the images [in|of|used by] {file}, [kept|stored|saved] as {out}",
            "let's [collect|gather|record] the container images of {file} in {out}",
            "see to it that {out} [names|lists|shows] the images [used|needed] by {file}",
            "have {out} [contain|hold|show] the image lines [found in|taken from|of] {file}",
            "what i want is the list of images in {file} [written|saved|copied] to {out}",
            "with the image lines of {file}, [fill|create|produce] the [file|document] {out}",
            "[search|scan|go through] {file} for its image lines and [send|write|direct] them to {out}",
        ),
        val=(
            "gather all image lines that are in the compose file {file} into {out}",
            "into {out}, dump the images used by the compose file {file}",
        ),
        held=(
            "{out} must get a list of all images that the compose file {file} uses",
            "find every image line in the compose file {file} and store them in {out}",
            "the images used in {file} should be collected in {out}",
        ),
        build=_images,
    ),
]
