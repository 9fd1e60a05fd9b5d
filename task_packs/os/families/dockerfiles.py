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
