"""The page in a real browser and its twin on a terminal: goal, candidates, approval, diff, rollback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli_process import call, done, finish, plan
from tests.integration.gateway_process import PATIENCE_S, ROOT, Gateway, script

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MS = PATIENCE_S * 1000
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    base = tmp_path_factory.mktemp("page")
    calls = script(
        base,
        plan("write a.txt", "remove b.txt"),
        call("fs", op="write", path="a.txt", text=HOSTILE),
        done(kind="exists", path="a.txt"),
        call("fs", op="remove", path="b.txt"),
        done(kind="absent", path="b.txt"),
        finish(),
    )
    running = Gateway(base, calls, "gateway.runs.concurrent=1")
    yield running
    assert running.stop() in (0, -15), running.log()


def blank(playwright, troubles):
    """A browser and an empty page of it, whose complaints become troubles."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(MS)
    page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return browser, page


def start_with(page, path, text):
    """Add a file to the goal that was typed, and go."""
    page.get_by_text("Files to start with").click()
    page.get_by_role("button", name="Add a file").click()
    page.get_by_label("Path of file 1").fill(path)
    page.get_by_label("Text of file 1").fill(text)
    page.locator("#goal").press("Control+Enter")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)")
def test_a_whole_run_on_the_page(gateway: Gateway) -> None:
    from playwright.sync_api import sync_playwright

    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser, page = blank(playwright, troubles)
        page.on("request", lambda request: request.url.startswith(gateway.url) or troubles.append(request.url))
        page.goto(gateway.url)

        # Without a mouse: the goal, a file, and off it goes.
        page.keyboard.press("Tab")  # the link that skips the form
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.id") == "goal"
        page.keyboard.type(f"replace b.txt by a.txt {HOSTILE}")
        start_with(page, "b.txt", "bye\n")

        allow = page.get_by_role("button", name="Allow")
        allow.wait_for()
        assert page.evaluate("() => document.activeElement.textContent") == "Allow"
        allow.press("Enter")
        page.locator("#run-state.done").wait_for()

        page.locator("#diff summary").nth(1).wait_for()
        assert page.locator("#diff summary").all_inner_texts() == ["added: a.txt", "removed: b.txt"]
        assert "-bye" in page.locator("#diff").inner_text()
        assert page.locator("#plan li").all_inner_texts() == ["write a.txt", "remove b.txt"]
        assert page.locator("#turns article").count() == page.locator("#turns tr.chosen").count() == 6
        assert page.locator("#chart rect").count() == 6
        assert page.locator("#checks li").count() == 2
        with page.expect_download() as download:
            page.locator("#artifacts a").first.click()
        assert Path(download.value.path()).read_text() == HOSTILE

        page.get_by_role("button", name="Roll back").click()
        page.get_by_text("rolled back to").first.wait_for()
        page.get_by_text("no file differs").wait_for()

        # Past runs can be looked at again, also by their address.
        page.goto(f"{gateway.url}/{page.evaluate('() => location.hash')}")
        page.reload()
        page.locator("#run-state.done").wait_for()
        assert page.title() == "hybrid-agent"
        assert "lost" not in page.locator("#status").inner_text()
        assert page.locator("img").count() == 0
        browser.close()
    assert troubles == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)")
def test_the_shipped_agents_candidates_have_energies_on_the_page(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    shots = Path(os.environ.get("HYBRID_AGENT_SCREENSHOTS", tmp_path))
    running = Gateway(tmp_path, "hybrid=energy4", "hybrid.draw=branch")  # other names mostly agree: one candidate
    troubles: list[str] = []
    try:
        with sync_playwright() as playwright:
            browser, page = blank(playwright, troubles)
            page.goto(running.url)
            page.locator("#goal").fill("create the file report.txt with the line hello, then delete notes.txt")
            start_with(page, "notes.txt", "old\n")
            allow = page.get_by_role("button", name="Allow")
            allow.wait_for()
            page.screenshot(path=shots / "page-approval.png", full_page=True)
            allow.press("Enter")
            page.locator("#run-state.done").wait_for()
            page.locator("#diff summary").nth(1).wait_for()
            assert page.locator("#diff summary").all_inner_texts() == ["removed: notes.txt", "added: report.txt"]
            turns = page.locator("#turns article").all()
            several = [rows for turn in turns if len(rows := turn.locator("tr:has(td)").all()) > 1]
            cells = [row.locator("td").all_inner_texts() for rows in several for row in rows]
            assert cells and all(float(value) < 1e9 for cell in cells for value in cell[2:5])  # log p, energy, p
            page.screenshot(path=shots / "page-hybrid.png", full_page=True)
            page.get_by_role("button", name="Roll back").click()
            page.get_by_text("no file differs").wait_for()
            page.emulate_media(color_scheme="dark")
            page.screenshot(path=shots / "page-dark.png", full_page=True)
            browser.close()
    finally:
        running.stop()
    assert troubles == []


def watch(*args: str) -> subprocess.CompletedProcess[str]:
    """`hybrid-agent watch`, not on a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "hybrid_agent.cli", "watch", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_watch_tells_the_same_on_a_terminal(gateway: Gateway) -> None:
    run = gateway.begin("replace b.txt", files={"b.txt": "bye\n"}, approve="auto")
    told = watch("--url", gateway.url, "--json")
    assert told.returncode == 0, told.stderr
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert events == gateway.follow(run)
    shown = watch(run, "--url", gateway.url)
    assert shown.returncode == 0
    for part in ("turn 1", "chosen", "plan", "removed b.txt", "holds: write a.txt", "done"):
        assert part in shown.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [(["20260101-000000-abcdef"], "RUN"), (["nonsense"], "RUN"), (["--url", "http://127.0.0.1:9"], "--url")],
)
def test_what_cannot_be_watched_is_one_line(gateway: Gateway, args: list[str], says: str) -> None:
    told = watch("--url", gateway.url, *args)
    assert told.returncode == 2
    assert told.stderr.startswith("error: ") and says in told.stderr
    assert told.stderr.count("\n") == 1
