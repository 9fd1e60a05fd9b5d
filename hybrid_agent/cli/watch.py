"""`hybrid-agent watch`: the page's view of a served run, on a terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid_agent.errors import HybridAgentError, InputError

if TYPE_CHECKING:
    import httpx
    from rich.console import Console

RUNS = "/v1/agent/runs"
ENDED = ("done", "failed", "cancelled", "lost")
AGAIN_S = 2.0


def watch(
    run: Annotated[str | None, typer.Argument(help="Id of the run; the newest one if none is named.")] = None,
    url: Annotated[str, typer.Option(help="Address of the gateway.")] = "http://127.0.0.1:8642",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the events as they are, one line of JSON each.")
    ] = False,
    answer: Annotated[bool, typer.Option(help="Ask here what the run asks (on a terminal only).")] = True,
) -> None:
    """Follow an agent run of a gateway: candidates, energies, vetoes, observations, questions, changes.

    A token, where the gateway wants one, is taken from $HYBRID_AGENT_TOKEN. Ctrl-C leaves the run alone.
    """
    import httpx
    from rich.console import Console

    token = os.environ.get("HYBRID_AGENT_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    console = Console(highlight=False)
    with httpx.Client(base_url=url, headers=headers, timeout=httpx.Timeout(10, read=None)) as http:
        name = run or _newest(http)
        last: dict[str, Any] = {}
        for event in follow(http, name):
            if as_json:
                print(json.dumps(event, separators=(",", ":")), flush=True)
            else:
                show(console, event)
            if event["type"] == "run":
                last = event["data"]
            asked = event["type"] == "approval" and event["data"]["state"] == "asked"
            if asked and answer and not as_json and sys.stdin.isatty() and _still_open(http, name, event):
                allow = typer.confirm("Allow it?", default=False)
                http.post(f"{RUNS}/{name}/approvals/{event['data']['approval']}", json={"allow": allow})
    raise typer.Exit(0 if last.get("state") == "done" else 1)


def follow(http: httpx.Client, run: str) -> Iterator[dict[str, Any]]:
    """All events of a run until it has ended; a lost connection is taken up where it broke.

    Raises:
        InputError: there is no such run, no gateway, or the token is missing or wrong.
    """
    import httpx

    known, state, tries = 0, "", 0
    while state not in ENDED:
        try:
            with http.stream("GET", f"{RUNS}/{run}/events", params={"after": known}) as answer:
                _accepted(answer, http, run)
                if answer.status_code == 204:
                    return
                for line in answer.iter_lines():
                    if not line.startswith("data:"):
                        continue
                    event = json.loads(line[5:])
                    known, tries = event["id"], 0
                    state = event["data"]["state"] if event["type"] == "run" else state
                    yield event
        except httpx.TransportError as error:
            tries += 1
            if not known or tries > 30:
                raise _unreachable(http) from error
            time.sleep(AGAIN_S)


def show(console: Console, event: dict[str, Any]) -> None:
    """One event for people. What an agent read or wrote reaches the terminal as text only."""
    from rich.text import Text

    from hybrid_agent.cli.text import describe_call, safe

    def line(text: str, style: str = "") -> None:
        console.print(Text(safe(text), style=style), soft_wrap=True)

    data = event["data"]
    match event["type"]:
        case "run":
            reason = data["reason"] or (data["result"] or {}).get("summary") or ""
            line(f"{data['state']}  {data['goal'] if data['state'] == 'queued' else reason}", "bold")
        case "candidates":
            schedule = data["schedule"] or {}
            count = schedule.get("k", len(data["candidates"]))
            line(
                f"turn {data['turn']}  K {count} ({schedule.get('why', 'fixed')})  risk {data['control']['risk']:.2f}",
                "dim",
            )
            for at, one in enumerate(data["candidates"]):
                mark = "vetoed" if one["vetoed"] else "chosen" if at == data["chosen"] else ""
                energy = "" if one["energy"] is None else f"  energy {one['energy']:+.2f}  p {one['p'] or 0:.2f}"
                style = "red" if one["vetoed"] else "green" if mark else "dim"
                line(f"  {mark:6} {describe_call(one['text'])}  log p {one['logprob']:.2f}{energy}", style)
        case "step":
            obs = data["obs"] or {}
            said = "\n".join(part for part in (obs.get("stdout", ""), obs.get("stderr", "")) if part)
            line(f"  {'ok' if data['ok'] else 'failed'}  {said[:400]}".rstrip(), "" if data["ok"] else "red")
        case "approval":
            line(f"  {data['state']}: {describe_call(json.dumps(data['call']))}  {data['reason']}", "yellow")
        case "diff":
            for file in data["files"]:
                line(f"{file['kind']} {file['path']}", "bold")
                for row in file["diff"].split("\n")[:40]:
                    line("  " + row, "green" if row.startswith("+") else "red" if row.startswith("-") else "dim")
        case "rollback":
            line(f"rolled back to {data['to'] or 'the start'}", "yellow")
        case "checks":
            for check in data["results"]:
                line(f"{'holds' if check['ok'] else 'does not hold'}: {check['step']}", "" if check["ok"] else "red")


def _newest(http: httpx.Client) -> str:
    import httpx

    try:
        answer = http.get(RUNS, params={"limit": 1})
    except httpx.TransportError as error:
        raise _unreachable(http) from error
    _accepted(answer, http, "")
    rows = answer.json()["runs"]
    if not rows:
        raise InputError("the gateway has no run yet", field="RUN", fix="start one on its page, or POST /v1/agent/runs")
    return str(rows[0]["id"])


def _still_open(http: httpx.Client, run: str, event: dict[str, Any]) -> bool:
    """An old question may have its answer already."""
    return event["data"]["approval"] in http.get(f"{RUNS}/{run}").json().get("approvals", ())


def _accepted(answer: httpx.Response, http: httpx.Client, run: str) -> None:
    if answer.status_code == 401:
        raise InputError("the gateway wants a token", field="HYBRID_AGENT_TOKEN", fix="set it to the gateway's token")
    if answer.status_code in (400, 404, 422):
        raise InputError(f"the gateway knows no run {run!r}", field="RUN", fix="choose one of GET /v1/agent/runs")
    if answer.status_code >= 300:
        raise HybridAgentError(f"the gateway at {http.base_url} answered {answer.status_code}")


def _unreachable(http: httpx.Client) -> InputError:
    return InputError(f"no gateway answers at {http.base_url}", field="--url", fix="start one with: hybrid-agent serve")
