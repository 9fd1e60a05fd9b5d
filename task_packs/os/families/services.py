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
            "[i need|we need] a [systemd unit|service unit|systemd service file] {file} to [run|start|launch] {cmd}",
            "into {file}, [put|write|place] a [systemd|service] unit [that launches|that runs|for] {cmd}",
            "{file}: a [new|fresh] [systemd unit|service unit|systemd service] [running|starting|launching] {cmd}",
            "to [run|start] {cmd} [as a service|under systemd|with systemd], [create|prepare|produce] the unit file {file}",
            "i would like {cmd} to [run|be started] as a systemd service, [generate|build|write] {file} for it",
            "there should be a [systemd unit|service unit] {file} that [executes|starts|runs] {cmd}",
            "a unit file {file} [has to be|is to be] [written|created|set up] so that systemd [runs|starts|launches] {cmd}",
            "{cmd} has no [unit file|service file|systemd unit] yet, [create|make|set up] {file} [for it|to start it]",
            "a systemd service for {cmd} [in the file|named|called] {file}",
            "with {cmd} as [its|the] [start command|command to run], [produce|create|generate] the [service unit|unit file] {file}",
            "take the command {cmd}, [wrap|put] it [in a service unit|in a systemd unit] and [save|store|keep] [that|this] as {file}",
            "how about [making|creating|writing] a [service file|systemd unit] {file} [around|for] {cmd}",
            "see to it that systemd can [run|start|launch] {cmd} [through|by means of] a new unit file {file}",
            "have a new [service unit|unit file|systemd unit] {file} [execute|start|launch] {cmd}",
            "what i want is a [service definition|systemd unit] [in the file|called] {file} that [keeps running|starts|launches] {cmd}",
            "as {file}, [save|store|record] a [systemd|service] unit whose [command|start command] is {cmd}",
            "define a [service unit|systemd service] in {file} that [runs|executes|starts] {cmd}",
            "turn {cmd} into a [systemd service|service of systemd], its unit file [should be|is to be] {file}",
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
            "[i need|we need] the [unit|service unit|systemd unit] {file} to [carry|contain|have] the line {pair}",
            "into the [unit file|service file] {file}, [put|write|enter] {pair} in place of the [old|present|current] restart [line|setting]",
            "{file}: [set|change|adjust] the restart [policy|setting|mode] to {new}",
            "to get the restart [policy|rule] {new}, [edit|change|modify] the [unit|service] file {file}",
            "i would like the restart [mode|policy|behaviour] [of|in] {file} to be {new}",
            "there should be {pair} [in|inside] the [unit|systemd unit] {file} instead of [the old|its present] restart [setting|line]",
            "the restart [setting|policy|mode] of {file} [has to be|is to be|must be] [changed|switched|set] to {new}",
            "the [unit|service unit] {file} has the wrong restart [policy|rule|setting], [make it|change it to|turn it into] {new}",
            "{pair} as the restart [line|setting] of the [unit|service file] {file}",
            "with {new} as its restart [policy|rule|mode], the [unit|service unit] {file} would be [right|fine], [edit|update] it accordingly",
            "take the [unit file|systemd unit] {file}, [find|look up] its restart [line|setting] and [change|edit] it to {pair}",
            "how about [switching|changing|moving] the service unit {file} to the restart [policy|mode] {new}",
            "see to it that {file} [says|has|contains] {pair} rather than the restart [line|setting] it has now",
            "have the [unit|systemd unit|service unit] {file} use {new} for its restart [policy|rule|setting]",
            "what i want is {new} as the restart [mode|policy|value] in the [unit|service file] {file}",
            "replace the restart [value|policy|rule] in the [service unit|unit file] {file} [by|with] {new}",
            "when the service [of|in] {file} stops, its restart [rule|policy] should be {new} [from now on|now], [update|adjust] the file",
            "in {file}, [turn|switch|modify] the systemd restart [setting|option] to {new}",
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
            "[i need|we need] a copy of {page} in {out}, [fetched|downloaded] from a [web server|server] for {folder} on port {port}",
            "into {out}, [download|fetch] {page} from {folder}, [served|hosted] by a [local|small] web server on port {port}",
            "{folder}: [serve|host|publish] it on port {port}, [download|fetch|get] {page}, [save|keep] that [as|in] {out}",
            "to get {out}, [serve|host] {folder} on port {port} and [fetch|download|request] {page} from there",
            "i would like {out} to [hold|contain] the page {page}, [requested|downloaded|fetched] over http from {folder}, served on port {port}",
            "there should be a [web server|server] on port {port} for {folder}, and {page} [downloaded|fetched] from it [should be|has to be] in {out}",
            "the page {page} [has to be|is to be] [fetched|downloaded] into {out} from {folder}, [hosted|served|published] on port {port}",
            "{folder} is not [online|served|published] yet, [put it online|serve it|host it] on port {port} and [save|download] its {page} [to|as] {out}",
            "a web server for {folder} on port {port}, its {page} [saved|downloaded|stored] as {out}",
            "with {folder} [served|hosted|online] on port {port}, [request|fetch|retrieve] {page} and [record|write|put] what comes back into {out}",
            "take {folder}, [serve|publish|offer] it over http on port {port}, and [retrieve|download] {page} from there into {out}",
            "how about [serving|hosting|publishing] {folder} on port {port} and [pulling|downloading|fetching] {page} into {out}",
            "see to it that port {port} [serves|offers] {folder}, and that {page} from there [ends up|is stored|gets saved] in {out}",
            "have {out} [hold|contain] {page} [as delivered by|as received from] an http server for {folder} on port {port}",
            "what i want is {page} [requested|fetched] through port {port} from a web server [for|over] {folder}, [stored|saved] as {out}",
            "once {folder} is [served|up|online] on port {port}, [download|get|retrieve] {page} and [name|call] the [download|copy] {out}",
            "on port {port}, [open|set up|bring up] a [web server|server] for the [folder|directory] {folder} and [copy|download] {page} from it to {out}",
            "bring up {folder} as a web site on port {port}, the page {page} from it [goes|is to go] [to|into] {out}",
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
            "[i need|we need] the [http status|status code|response code] of a [web server|server] for {folder} on port {port}, in {out}",
            "into {out}, [put|write|record] the status code that {folder}, served on port {port}, [returns|answers with|gives]",
            "{folder}: [serve|host|publish] it on port {port}, [save|put|keep] the [http code|response code] in {out}",
            "to get the status code in {out}, [bring up|start|set up] a web server for {folder} on port {port} and [ask|query|probe] it",
            "i would like {out} to [hold|contain|show] the [response code|status code] of {folder} [served|hosted|published] on port {port}",
            "there should be [an http status|a status code] in {out}, [taken|obtained] from a server for {folder} on port {port}",
            "the health of {folder} on a web server at port {port} [has to be|is to be] [checked|tested], its status code [recorded|stored|saved] in {out}",
            "nobody knows whether {folder} can be [served|hosted] on port {port}, [try|test] it and [note|store|write] the http code in {out}",
            "the http [status|code] of {folder} [served|hosted|published] on port {port}, [saved|stored|recorded] as {out}",
            "with a [server|web server] for {folder} [running|up] on port {port}, [write|note|store] only the [status|response] code in {out}",
            "take {folder}, [host|serve|publish] it on port {port}, [probe|ask|check] the server and [drop|put|save] the status code in {out}",
            "how about a health [check|test] of a web server for {folder} at port {port}, with the http status [in|written to] {out}",
            "see to it that {folder} is [served|hosted] on port {port} and that the [http code|status code|response code] [lands|ends up] in {out}",
            "have {out} [hold|contain] the [http code|status code] you get from {folder} when it is [served|hosted|published] on port {port}",
            "what i want is a [health check|status check]: {folder} [served|hosted] on port {port}, its http code in {out}",
            "once {folder} is [up|online|served] on port {port}, [note|record|log] the [status code|http status] it [returns|gives] in {out}",
            "on port {port}, [serve|offer|publish] {folder}, only the [response code|http status] [goes|is to go] into {out}",
            "find out which http [status|code] a [web server|server] [for|over] {folder} returns on port {port}, [print|write|save] it to {out}",
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
