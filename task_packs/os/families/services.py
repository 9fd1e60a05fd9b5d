"""Supervised services: write a systemd unit, change its restart rule, serve a folder and check that it answers."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, text
from hybrid_agent.types import CommandCheck, ContainsCheck, EqualsCheck
from task_packs.os.calls import fs, shell
from task_packs.os.data import file
from task_packs.os.steps import at, place

RESTART = ("always", "no", "on-failure", "on-abnormal", "on-success")


def _command(draw: Draw) -> str:
    return draw.choice(
        (
            f"/usr/bin/{draw.stem()}",
            f"/opt/{draw.stem()}/bin/{draw.word()}",
            f"/usr/bin/python3 /srv/{draw.stem()}.py",
            f"/usr/bin/{draw.stem()} --port {draw.number(1000, 9999)}",
        )
    )


def _unit(draw: Draw) -> Scene:
    path, command = draw.path("service"), _command(draw)
    body = f"[Service]\nExecStart={command}\nRestart=always\n"
    return Scene(
        slots={"file": name(path), "cmd": text(command)},
        gold=[fs("write", path, text=body)],
        done=ContainsCheck(path=path, text=f"ExecStart={command}\n"),
        checks=[
            CommandCheck(cmd=f"grep -cx '\\[Service\\]' {path}", stdout="1"),
            CommandCheck(cmd=f"grep '^ExecStart=' {path}", stdout=f"ExecStart={command}"),
            CommandCheck(cmd=f"grep '^Restart=' {path}", stdout="Restart=always"),
        ],
    )


def _restart(draw: Draw) -> Scene:
    where = place(draw, "service")
    old, new = draw.sample(RESTART, 2)
    head = f"[Unit]\nDescription={draw.phrase(2, 4)}\n\n[Service]\nExecStart={_command(draw)}\n"
    tail = f"RestartSec={draw.number(1, 60)}\nUser={draw.word()}\n\n[Install]\nWantedBy=multi-user.target\n"
    return Scene(
        slots={"file": name(where.said), "new": name(new), "pair": name(f"Restart={new}")},
        setup=[file(where.real, f"{head}Restart={old}\n{tail}")],
        gold=at(where, lambda path: shell(f"sed -i 's|^Restart=.*|Restart={new}|' {path}")),
        done=ContainsCheck(path=where.real, text=f"Restart={new}\n"),
        checks=[EqualsCheck(path=where.real, text=f"{head}Restart={new}\n{tail}")],
    )


def _serve(draw: Draw, wanted: str) -> Scene:
    folder, page, out = draw.dir(), draw.file("html", "txt", "json"), draw.file("txt", "out", "log")
    port, body = draw.number(2000, 9999), draw.lines(2, 5)
    start = f"python3 -m http.server -d {folder} {port} & "
    fetch = f"curl -s --retry 9 --retry-connrefused localhost:{port}/{page} -o {out}"
    if wanted == "status":
        fetch = f"curl -s --retry 9 --retry-connrefused localhost:{port} -o /dev/null -w '%{{http_code}}' > {out}"
    return Scene(
        slots={"folder": name(folder), "port": name(str(port)), "out": name(out)}
        | ({"page": name(page)} if wanted == "page" else {}),
        setup=[file(f"{folder}/{page}", body), file(f"{folder}/{draw.file('txt')}", draw.lines(1, 3))],
        gold=[shell(f"{start}{fetch}")],  # the sandbox ends the server with the call
        done=CommandCheck(cmd=f"test -s {out}") if wanted == "page" else ContainsCheck(path=out, text="200"),
        checks=[
            EqualsCheck(path=out, text=body if wanted == "page" else "200"),
            EqualsCheck(path=f"{folder}/{page}", text=body),
        ],
    )


INTENTS = [
    Intent(
        family="services",
        name="unit_write",
        train=(
            "[write|create|make] [a systemd unit|a service unit|a unit file] {file} [that runs|that starts|for] {cmd}",
            "[create|write|add] the [systemd service|service file|unit file] {file} "
            "[running|which starts|that runs] {cmd}",
            "{file} [should|must] be a [systemd unit|service unit|unit file] [that runs|that starts|for] {cmd}",
            "[set up|prepare|make] {file} as a [systemd service|service unit] [for|that starts] the command {cmd}",
            "{cmd} [should|must|has to] be [run|started|supervised] by systemd, [write|create|make] the "
            "unit file {file}",
            "[let|have] systemd [run|supervise|start] {cmd} through the [unit|unit file|service file] {file}",
            "[turn|make] {cmd} [into|to] a systemd service, [writing|with] the unit file {file}",
            "for {cmd}, [write|create|prepare] the [systemd unit|service file|service unit] {file}",
        ),
        val=(
            "prepare the unit file {file} so that systemd can start {cmd}",
            "a systemd service {file} which should supervise {cmd} must be made",
        ),
        held=(
            "make the service unit {file} run the command {cmd}",
            "let {cmd} be supervised by a new systemd unit {file}",
            "add a systemd unit named {file} which runs {cmd}",
        ),
        build=_unit,
    ),
    Intent(
        family="services",
        name="unit_restart",
        train=(
            "[set|change|switch|update] Restart [in|of] the [unit|unit file|systemd unit] {file} to {new}",
            "[set|change|switch] the restart [policy|rule|mode] of the [unit|systemd service|service unit] "
            "{file} to {new}",
            "in the [unit file|systemd unit|service file] {file}, [set|change] [Restart|the restart policy] to {new}",
            "the [systemd unit|unit|service file] {file} [should|must|has to] have {pair}",
            "[give|assign] the [unit file|service unit|systemd unit] {file} the restart [policy|rule|mode] {new}",
            "[edit|update|adjust] the [unit|service unit] {file} so that Restart [is|becomes|equals] {new}",
            "[let|make|have] systemd restart {file} {new}",
            "[use|choose] {pair} in the [systemd unit|unit file|service file] {file}",
        ),
        val=(
            "the service unit {file} must use the restart policy {new}",
            "adjust the systemd unit {file} to {pair}",
        ),
        held=(
            "the restart rule has to be {new} in the unit file {file}",
            "choose the restart mode {new} for the systemd service {file}",
            "switch the unit {file} to the restart rule {new}",
        ),
        build=_restart,
    ),
    Intent(
        family="services",
        name="serve_page",
        train=(
            "[serve|publish|host] {folder} on port {port}, [fetch|download|get] {page} from it and "
            "[save|store|write] it [as|in|to] {out}",
            "[start|run] [a web server|an http server|a server] for {folder} on port {port} and "
            "[download|fetch|get] {page} [to|into|as] {out}",
            "with [a web server|an http server] for {folder} on [port|the port] {port}, "
            "[fetch|get|download] {page} [to|into] {out}",
            "[download|fetch|get] {page} [into|to|as] {out} from a [web server|server] that serves {folder} "
            "on port {port}",
            "[save|store|write] the page {page} to {out} after [serving|hosting|publishing] {folder} on port {port}",
            "[host|serve|publish] the folder {folder} on port {port} and [check|test] it by "
            "[downloading|fetching] {page} to {out}",
            "[launch|start] an http server on port {port} [for|in] {folder}, [download|get|fetch] {page} and "
            "[keep|save|store] it as {out}",
            "{out} [should|must] [hold|contain|get] the page {page} as [served|published] from {folder} on port {port}",
        ),
        val=(
            "launch a web server in {folder} on port {port} to fetch the page {page} into {out}",
            "host {folder} with an http server on port {port} and keep the page {page} in {out}",
        ),
        held=(
            "publish the folder {folder} on the port {port}, download the page {page} and keep it in {out}",
            "get the page {page} by http from {folder} served on port {port}, writing it to {out}",
            "a server on port {port} should serve {folder}, use it to download {page} as {out}",
        ),
        build=lambda draw: _serve(draw, "page"),
    ),
    Intent(
        family="services",
        name="serve_health",
        train=(
            "[serve|publish|host] {folder} on port {port} and [save|store|write|put] the "
            "[status code|http status|http code] "
            "[in|to|into] {out}",
            "[start|run|launch] [a web server|an http server] for {folder} on port {port} and [write|save|record] the "
            "[http status|status code] [to|in] {out}",
            "[check|test] the health of a [web server|server] for {folder} on port {port}, [save|write|put] the "
            "[status code|http code] [in|into] {out}",
            "do a health check of {folder} served on port {port} and [record|save|write] the "
            "[status|status code] in {out}",
            "[check|test] that {folder} can be [served|hosted|published] on port {port}, "
            "[status code|http status] to {out}",
            "[record|write|save] [which status|which http status] a server for {folder} on port {port} "
            "[answers|gives] in {out}",
            "{out} [should|must] [hold|contain|get] the http status of a [web server|server] for {folder} "
            "on port {port}",
            "[see|check] whether a web server [for|in] {folder} answers on port {port}, "
            "[recording|saving|writing] its status [in|to] {out}",
        ),
        val=(
            "host {folder} on port {port}, and record in {out} the status code that the server answers",
            "write to {out} the http status of {folder} served on port {port}",
        ),
        held=(
            "launch a server for {folder} on port {port}, test its health and save the status code to {out}",
            "the http code of a web server in {folder} on port {port} must be put in {out}",
            "see which status code {folder} hosted on port {port} gives and store it in {out}",
        ),
        build=lambda draw: _serve(draw, "status"),
    ),
]
