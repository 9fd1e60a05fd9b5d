"""Archives that try to write outside the workspace when the agent unpacks them, and judges that can be fooled."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_agent.checks import verify, verify_ro_binds
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import CommandCheck, EqualsCheck, MatchesCheck, ToolCall, ValueCheck


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w").mkdir()
    (tmp_path / "canary").write_text("alive")
    return tmp_path / "w"


@pytest.fixture
def box(folder: Path) -> Iterator[Sandbox]:
    sandbox = make_sandbox("bubblewrap", folder, Limits(), ro_binds=verify_ro_binds())
    yield sandbox
    sandbox.close()


@pytest.fixture
def toolbox(folder: Path, box: Sandbox) -> LocalToolbox:
    return LocalToolbox(folder, folder.parent / "state", box, approve="auto")


def _tar(path: Path, canary: Path) -> None:
    with tarfile.open(path, "w") as tar:

        def add(name: str, data: bytes = b"dead", link: str | None = None, hard: bool = False) -> None:
            item = tarfile.TarInfo(name)
            if link is not None:
                item.type, item.linkname = tarfile.LNKTYPE if hard else tarfile.SYMTYPE, link
                tar.addfile(item)
            else:
                item.size = len(data)
                tar.addfile(item, io.BytesIO(data))

        add("../canary")
        add(str(canary))
        add("up", link="..")
        add("up/canary")
        add("abs", link=str(canary.parent))
        add("abs/canary")
        add("hard", link=str(canary), hard=True)
        add("hard")
        add("fine.txt", b"fine")


@pytest.mark.parametrize("flags", ["xf", "xPf", "xf --keep-directory-symlink", "x --overwrite -f"])
def test_tar_cannot_write_outside(toolbox: LocalToolbox, box: Sandbox, folder: Path, flags: str) -> None:
    canary = folder.parent / "canary"
    _tar(folder / "evil.tar", canary)
    flags = flags.replace("f", "f evil.tar", 1) if flags.endswith("f") else flags.replace("xf", "xf evil.tar")
    toolbox.execute(ToolCall(tool="shell", args={"cmd": f"tar {flags}"}))
    box.run(["/bin/tar", *flags.split()])  # and past the gate
    assert canary.read_text() == "alive"
    assert sorted(p.name for p in folder.parent.iterdir()) == ["canary", "state", "w"]
    assert (folder / "fine.txt").read_text() == "fine"


@pytest.mark.parametrize("program", ["unzip -o evil.zip", "python3 -m zipfile -e evil.zip ."])
def test_zip_cannot_write_outside(toolbox: LocalToolbox, folder: Path, program: str) -> None:
    canary = folder.parent / "canary"
    with zipfile.ZipFile(folder / "evil.zip", "w") as archive:
        for name in ("../canary", str(canary), "a/../../canary", "..\\canary", "fine.txt"):
            archive.writestr(name, "dead")
        link = zipfile.ZipInfo("up")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "..")
        archive.writestr("up/canary", "dead")
    toolbox.execute(ToolCall(tool="shell", args={"cmd": program}))
    assert canary.read_text() == "alive"
    assert sorted(p.name for p in folder.parent.iterdir()) == ["canary", "state", "w"]


def test_planted_modules_do_not_reach_the_judge(box: Sandbox, folder: Path) -> None:
    for name in ("json", "re", "stat", "tarfile", "subprocess", "sitecustomize", "usercustomize", "ruamel", "ctypes"):
        (folder / f"{name}.py").write_text("print('owned'); import os; os._exit(0)")
    (folder / "a.yaml").write_text("k: 1\n")
    checks = [
        EqualsCheck(path="a.yaml", text="other"),
        ValueCheck(path="a.yaml", key="k", value="1"),
        CommandCheck(cmd="true"),
    ]
    assert [result.ok for result in verify(box, checks)] == [False, True, True]


def test_a_judged_command_cannot_write_the_verdict(box: Sandbox, folder: Path) -> None:
    forge = (
        "import os, sys, re\n"
        "for pid in [os.getppid(), *map(int, filter(str.isdigit, os.listdir('/proc')))]:\n"
        "    for fd in (1, 0, 3):\n"
        "        try: open(f'/proc/{pid}/fd/{fd}', 'w').write('[[true, \"\"]]\\n')\n"
        "        except OSError: pass\n"
        "    try: print(open(f'/proc/{pid}/environ').read()[:50], open(f'/proc/{pid}/mem', 'rb').read(10))\n"
        "    except OSError: pass\n"
        "sys.exit(1)\n"
    )
    (folder / "forge.py").write_text(forge)
    results = verify(box, [CommandCheck(cmd="python3 forge.py"), EqualsCheck(path="forge.py", text="x")])
    assert [result.ok for result in results] == [False, False]


def test_endless_commands_and_patterns_end(box: Sandbox, folder: Path) -> None:
    (folder / "a").write_text("a" * 40 + "!")
    slow = verify(box, [CommandCheck(cmd="sleep 60 & sleep 60"), CommandCheck(cmd="true")], command_s=1.0)
    assert [result.ok for result in slow] == [False, True] and "1 s" in slow[0].detail
    assert not verify(box, [MatchesCheck(path="a", pattern="(")])[0].ok


def test_judged_text_files_that_are_pipes_or_huge_do_not_hang(box: Sandbox, folder: Path) -> None:
    box.run(["/usr/bin/mkfifo", "pipe"])
    box.run(["/usr/bin/truncate", "-s", "30M", "big"])
    results = verify(box, [EqualsCheck(path=name, text="") for name in ("pipe", "big", "/dev/zero", "missing", ".")])
    assert not any(result.ok for result in results)
    assert "not a regular file" in results[0].detail and "larger" in results[1].detail
