"""Dockerfiles: another base image, a port, a variable."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import ContainsCheck, EqualsCheck
from task_packs.os.calls import edit, shell
from task_packs.os.data import file
from task_packs.os.steps import Place, at, place

IMAGES = ("python", "debian", "ubuntu", "alpine", "node", "golang", "nginx", "ruby", "rust", "busybox", "redis")
TAGS = ("3.11", "3.12-slim", "12", "bookworm", "latest", "22.04", "20-alpine", "1.27", "stable", "3.19")


def image(draw: Draw) -> str:
    """An image with its tag; some of an own registry path."""
    base = draw.choice(IMAGES) if draw.chance(0.7) else f"{draw.word()}/{draw.word()}"
    return f"{base}:{draw.choice(TAGS) if draw.chance(0.6) else f'{draw.number(0, 9)}.{draw.number(0, 20)}'}"


def _dockerfile(draw: Draw) -> list[str]:
    """The lines of a small Dockerfile; the first is FROM."""
    return [
        f"FROM {image(draw)}",
        f"WORKDIR /{draw.word()}",
        f"COPY {draw.word()}.txt .",
        f"RUN echo {draw.phrase(1, 3)}",
        f"ENV {draw.word().upper()}_MODE={draw.word()}",
        f'CMD ["cat", "{draw.word()}.txt"]',
    ]


def _where(draw: Draw) -> Place:
    return place(draw, filename="Dockerfile") if draw.chance(0.5) else place(draw, "dockerfile", astray=0.4)


def _base(draw: Draw) -> Scene:
    lines, where = _dockerfile(draw), _where(draw)
    while f"FROM {(new := image(draw))}" in lines:
        pass
    return Scene(
        slots={"file": name(where.said), "image": name(new)},
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: shell(f"sed -i 's|^FROM .*|FROM {new}|' {path}")),
        done=ContainsCheck(path=where.real, text=f"FROM {new}\n"),
        checks=[EqualsCheck(path=where.real, text="\n".join([f"FROM {new}", *lines[1:]]))],
    )


def _expose(draw: Draw) -> Scene:
    lines, where = _dockerfile(draw), _where(draw)
    line = f"EXPOSE {draw.number(1000, 9999)}"
    return Scene(
        slots={"file": name(where.said), "port": name(line.split()[1])},
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: edit(path, "append", text=line)),
        done=ContainsCheck(path=where.real, text=line),
        checks=[EqualsCheck(path=where.real, text="\n".join([*lines, line]))],
    )


def _env(draw: Draw) -> Scene:
    lines, where = _dockerfile(draw), _where(draw)
    var = draw.ident().upper()
    value = draw.word() if draw.chance(0.6) else str(draw.number(1, 9999))
    line = f"ENV {var}={value}"
    return Scene(
        slots={"file": name(where.said), "var": name(var), "value": name(value), "pair": name(f"{var}={value}")},
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: edit(path, "append", text=line)),
        done=ContainsCheck(path=where.real, text=line),
        checks=[EqualsCheck(path=where.real, text="\n".join([*lines, line]))],
    )


INTENTS = [
    Intent(
        family="dockerfiles",
        name="docker_base",
        train=(
            "[use|take|choose] {image} as the base image [in|of] {file}",
            "[change|switch|set|update] the base image [in|of] {file} to {image}",
            "in the Dockerfile {file}, [change|switch|set] [the base image|the base] to {image}",
            "the [dockerfile|Dockerfile] {file} [should|must|has to] [start from|build on|be based on] {image}",
            "[base|build] the [image|container] of the dockerfile {file} on {image}",
            "the base image [in|of] the dockerfile {file} [should|must|has to] [be|become] {image}",
            "[let|make|have] {file} [build|start] from the image {image}",
            "[replace|swap|exchange] the base image [in|of] {file} [by|with|for] {image}",
            "[edit|update|adjust] the dockerfile {file} so that its base image is {image}",
            "{file}: [switch|change|set] its FROM line to {image}",
            "into the FROM line of {file}, [put|write|place] {image}",
            "to [build|run] on {image}, [edit|adjust|change] the [base image|FROM line] in {file}",
            "i would like {file} to [start|build] [from|on top of] {image}",
            "there should be {image} in the FROM line of the [dockerfile|Dockerfile] {file}",
            "make sure that the [base|base image|parent image] of {file} is {image}",
            "the FROM [line|instruction] of the dockerfile {file} [is to|has to|must] [say|name|read] {image}",
            "{image} as [new base|the base|base image] for the dockerfile {file}",
            "take the dockerfile {file}, [find|look up] its FROM line and [set|change|update] the image to {image}",
            "how about [using|taking|choosing] {image} as the [base|parent image|starting image] for {file}",
            "let's [move|switch|update] {file} to the base image {image}",
            "see to it that [the container|the build|everything] in {file} is [based on|built from|built on] {image}",
            "have the [Dockerfile|dockerfile] {file} [inherit from|use the base|rest on] {image}",
            "what i want is a [dockerfile|Dockerfile] {file} that [starts from|builds on|is based on] {image}",
            "the base image in {file} is [out of date|too old|too big], [put|use|take] {image} instead",
            "with {image} [as|for] the base, [rewrite|edit|update] the FROM line of {file}",
            "from now on {file} [builds on|is based on|uses as its base] {image}, [change|update|fix] the FROM line",
            "whatever base {file} has now, [swap|replace|exchange] it for the image {image}",
        ),
        val=(
            "{image} should be the base of the dockerfile {file}",
            "have the Dockerfile {file} start from {image}",
        ),
        held=(
            "the image in {file} must build on the base {image}",
            "exchange the base of the Dockerfile {file} for {image}",
            "choose the image {image} and let the dockerfile {file} start from it",
        ),
        build=_base,
    ),
    Intent(
        family="dockerfiles",
        name="docker_expose",
        train=(
            "[expose|open|publish] port {port} in {file}",
            "in the [Dockerfile|dockerfile] {file}, [expose|open|publish] the port {port}",
            "the [dockerfile|Dockerfile|image] {file} [should|must|has to] expose port {port}",
            "[add|append] [an EXPOSE line|an expose instruction] for port {port} to {file}",
            "[let|make|have] the [container|image] of {file} [expose|open|listen on] port {port}",
            "[extend|change|edit] the dockerfile {file} so that it exposes [the port|port] {port}",
            "[declare|announce] the port {port} in the [Dockerfile|dockerfile] {file}",
            "port {port} [should|must|has to] be [exposed|open|declared] in the dockerfile {file}",
            "{file}: [add|append|put in] EXPOSE for port {port}",
            "at the end of {file}, [write|put|place|add] an EXPOSE [line|instruction] with {port}",
            "to make the [container|service|image] reachable on {port}, [add|append] an EXPOSE line to {file}",
            "i would like the [container|image] built from {file} to [expose|open up] port {port}",
            "there should be an EXPOSE [line|entry|instruction] with port {port} in {file}",
            "make sure that {file} [exposes|declares|opens] the port {port}",
            "the port {port} is to be [exposed|published|declared] by the [image|container] of {file}",
            "{file} with an [additional|extra|added] exposed port {port}",
            "take the dockerfile {file} and [write|record|add] that [the port|its port] {port} is [exposed|open]",
            "how about [exposing|opening|publishing] {port} as a port in the dockerfile {file}",
            "let's [open|expose|make public] the container port {port} in {file}",
            "see to it that port {port} of the [container|image] is [open|exposed|published], the [dockerfile|Dockerfile] is {file}",
            "have {file} [tell|state|say] that the [container|image] listens on port {port}",
            "what i want is [one more|an|another] exposed port, {port}, in the [Dockerfile|dockerfile] {file}",
            "my [service|server|app] listens on {port}, [update|extend|complete] {file} with the EXPOSE line for it",
            "with an EXPOSE [instruction|line|entry] in {file}, [open|declare|publish] the port {port}",
            "for the port {port}, {file} still [lacks|needs|misses] an EXPOSE line, [append|write|add] it",
            "under the other lines of the dockerfile {file}, [place|append|insert] EXPOSE {port}",
        ),
        val=(
            "have the dockerfile {file} declare that it exposes {port}",
            "the container in {file} must listen on {port}, add the expose line",
        ),
        held=(
            "the dockerfile {file} has to open the port {port}",
            "append to the Dockerfile {file} an instruction that exposes {port}",
            "make port {port} exposed in the image {file}",
        ),
        build=_expose,
    ),
    Intent(
        family="dockerfiles",
        name="docker_env",
        train=(
            "add [an ENV line|an env instruction] {pair} to the [Dockerfile|dockerfile] {file}",
            "in the [Dockerfile|dockerfile] {file}, [set|define|add] the environment variable {var} to {value}",
            "[set|define|declare] {pair} as an environment variable of the [image|container] in {file}",
            "the [image|container] of the dockerfile {file} [should|must|has to] have {var} [set|equal] to {value}",
            "[let|make|have] the dockerfile {file} [set|define|declare] {var} as {value}",
            "[append|write] the env instruction for {var} with value {value} to the [dockerfile|Dockerfile] {file}",
            "[extend|edit|change] the dockerfile {file} so that {var} is {value} in the [container|image]",
            "the environment variable {var} [should|must|has to] be {value} in the [container|image] of {file}",
            "{file}: [append|add|put in] the ENV [line|instruction] {pair}",
            "at the end of {file}, [write|place|add] an ENV line [setting|giving] {var} the value {value}",
            "to have {pair} in the container's environment, [append|add] [an ENV line|an ENV instruction] to {file}",
            "i would like the [container|image] of {file} to [know|see|get] the environment variable {var} with the value {value}",
            "there should be an ENV [entry|line|instruction] {pair} in {file}",
            "make sure that {file} [sets|defines|declares] the variable {var} as {value}",
            "the environment setting {pair} is to be [added to|written into|placed in] the [dockerfile|Dockerfile] {file}",
            "{file} with an [additional|extra|added] ENV line {pair}",
            "take the dockerfile {file} and [record|store|write] in it that {var} equals {value} in the [environment|container]",
            "how about [setting|initializing] {var} to {value} with an ENV line in {file}",
            "let's [add|give] the environment variable {pair} to the [dockerfile|Dockerfile] {file}",
            "see to it that {var} has the value {value} in [containers|images|any container] built from {file}",
            "have {file} [provide|declare|define] {pair} [as environment|for the environment|as an ENV setting]",
            "what i want is {var} [equal to|set to|being] {value} in the environment of the dockerfile {file}",
            "my [app|program|server] reads {var} from the environment, [set|switch] it to {value} in the dockerfile {file}",
            "with ENV, [define|set|declare] {var} as {value} in the [Dockerfile|dockerfile] {file}",
            "inside the [container|image] of {file}, {pair} [should|must|has to] be [set|defined|present] as environment variable",
            "for the variable {var}, {file} still [lacks|needs|misses] an ENV line, the value is {value}",
        ),
        val=(
            "declare the variable {var} with the value {value} in the Dockerfile {file}",
            "extend the image in {file} with the environment variable {var} set to {value}",
        ),
        held=(
            "the dockerfile {file} must define {pair} for the container",
            "append an ENV line to {file}, {var} should be {value} in the image",
            "write {pair} as an environment variable into the Dockerfile {file}",
        ),
        build=_env,
    ),
]
