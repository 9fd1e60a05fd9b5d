"""Checks evaluated in the sandbox: each kind passes, fails, and says what it found."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from hybrid_agent.checks import verify, verify_ro_binds
from hybrid_agent.checks.values import MISSING, equal, lookup
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.types import Check

ADAPTER: TypeAdapter[Check] = TypeAdapter(Check)
CASES: list[tuple[dict[str, Any], str | None]] = [  # check, and what the detail says (None: it passes)
    ({"kind": "exists", "path": "f"}, None),
    ({"kind": "exists", "path": "dangling"}, None),
    ({"kind": "exists", "path": "dangling", "type": "link"}, None),
    ({"kind": "exists", "path": "d", "type": "dir"}, None),
    ({"kind": "exists", "path": "f", "type": "dir"}, "f: is not a dir"),
    ({"kind": "exists", "path": "link", "type": "file"}, None),
    ({"kind": "exists", "path": "nope"}, "nope: does not exist"),
    ({"kind": "exists", "path": "/workspace/f"}, None),
    ({"kind": "absent", "path": "nope"}, None),
    ({"kind": "absent", "path": "f/below"}, None),
    ({"kind": "absent", "path": "dangling"}, "dangling: exists"),
    ({"kind": "equals", "path": "f", "text": "one\ntwo"}, None),
    ({"kind": "equals", "path": "f", "text": "one\ntwo\n"}, None),
    ({"kind": "equals", "path": "f", "text": "one\n2\n"}, 'line 2 is "two", not "2"'),
    ({"kind": "equals", "path": "f", "text": "one"}, "1 more lines"),
    ({"kind": "equals", "path": "f", "text": "one\ntwo\nthree"}, '"three" is missing'),
    ({"kind": "contains", "path": "f", "text": "ne\nt"}, None),
    ({"kind": "contains", "path": "f", "text": "zzz"}, 'does not contain "zzz"'),
    ({"kind": "contains", "path": "d", "text": "zzz"}, "is a folder"),
    ({"kind": "contains", "path": "bin", "text": "zzz"}, "not UTF-8"),
    ({"kind": "lacks", "path": "f", "text": "zzz"}, None),
    ({"kind": "lacks", "path": "f", "text": "two"}, 'contains "two" on line 2'),
    ({"kind": "lacks", "path": "nope", "text": "two"}, "no such file"),
    ({"kind": "matches", "path": "f", "pattern": "^t.o$"}, None),
    ({"kind": "matches", "path": "f", "pattern": "^o$"}, "nothing matches"),
    ({"kind": "matches", "path": "f", "pattern": "("}, "pattern is not valid"),
    ({"kind": "mode", "path": "f", "mode": "640"}, None),
    ({"kind": "mode", "path": "f", "mode": "600"}, "mode is 640, not 600"),
    ({"kind": "link", "path": "link", "target": "f"}, None),
    ({"kind": "link", "path": "link", "target": "./f"}, 'points at "f"'),
    ({"kind": "link", "path": "f", "target": "f"}, "is not a link"),
    ({"kind": "same", "path": "f", "other": "link"}, None),
    ({"kind": "same", "path": "f", "other": "bin"}, "differ"),
    ({"kind": "value", "path": "c.yaml", "key": "a.b", "value": "1"}, None),
    ({"kind": "value", "path": "c.yaml", "key": "a.b", "value": "2"}, 'a.b is "1", not "2"'),
    ({"kind": "value", "path": "c.yaml", "key": "a.z", "value": "2"}, "no value at a.z"),
    ({"kind": "value", "path": "bad.json", "key": "a", "value": "2"}, "cannot be parsed"),
    ({"kind": "no_value", "path": "c.yaml", "key": "a.z"}, None),
    ({"kind": "no_value", "path": "c.yaml", "key": "a.b"}, 'a.b is "1"'),
    ({"kind": "member", "path": "t.tgz", "member": "f"}, None),
    ({"kind": "member", "path": "t.tgz", "member": "d"}, None),
    ({"kind": "member", "path": "z.zip", "member": "x/y"}, None),
    ({"kind": "member", "path": "z.zip", "member": "y"}, "no member y; it has"),
    ({"kind": "member", "path": "f", "member": "y"}, "not a tar or zip"),
    ({"kind": "command", "cmd": "grep -q one f"}, None),
    ({"kind": "command", "cmd": "echo ' hi '", "stdout": "hi"}, None),
    ({"kind": "command", "cmd": "echo ho", "stdout": "hi"}, 'printed "ho", not "hi"'),
    ({"kind": "command", "cmd": "echo no >&2; exit 4"}, 'exit status 4: "no"'),
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("checks")
    (folder / "f").write_text("one\ntwo\n")
    (folder / "f").chmod(0o640)
    (folder / "bin").write_bytes(b"\xff\xfe\0")
    (folder / "d" / "inner").mkdir(parents=True)
    (folder / "link").symlink_to("f")
    (folder / "dangling").symlink_to("gone")
    (folder / "c.yaml").write_text("a:\n  b: 1\n")
    (folder / "bad.json").write_text("{")
    with tarfile.open(folder / "t.tgz", "w:gz") as tar:
        tar.add(folder / "f", "./f")
        tar.add(folder / "d", "./d")
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        archive.writestr("x/y", "1")
    sandbox = make_sandbox("bubblewrap", folder, Limits(), ro_binds=verify_ro_binds())
    yield sandbox
    sandbox.close()


def test_every_kind_of_check(box: Sandbox) -> None:
    results = verify(box, [ADAPTER.validate_python(check) for check, _ in CASES])
    for (check, detail), result in zip(CASES, results, strict=True):
        assert result.ok == (detail is None), (check, result)
        assert (detail or "") in result.detail, (check, result)
        assert len(result.detail) <= 300 and "\n" not in result.detail


def test_no_checks_start_nothing(box: Sandbox) -> None:
    assert verify(box, []) == []


JSON = '{"a": {"b.c": 1, "d": [true, null, 1.5]}, "a.x": "y"}'
INI = "top = 0\n[main]\nPort = 80 ; c\nflag\n[a.b]\nc.d = e\n"
ENV = "# c\nexport A='x y' # why\nB=\"q\"\nC=\nD=a=b\n"
TOML = 'n = 1\nx = 1.50\nd = 2020-01-02\n[a."b.c"]\nd = "e"\n'


@pytest.mark.parametrize(
    ("path", "text", "key", "value"),
    [
        ("f.json", JSON, "a.b.c", "1"), ("f.json", JSON, "a.d.0", "true"), ("f.json", JSON, "a.d.0", "True"),
        ("f.json", JSON, "a.d.1", "null"), ("f.json", JSON, "a.d.2", "1.50"), ("f.json", JSON, "a.x", "y"),
        ("f.json", JSON, "a.d", "[true, null, 1.5]"), ("f.json", JSON, "a.d.-1", "1.5"),
        ("f.ini", INI, "main.port", "80"), ("f.ini", INI, "a.b.c.d", "e"), ("f.ini", INI, "top", "0"),
        (".env", ENV, "A", "x y"), (".env", ENV, "B", "q"), (".env", ENV, "C", ""), (".env", ENV, "D", "a=b"),
        ("f.toml", TOML, "a.b.c.d", "e"), ("f.toml", TOML, "x", "1.5"), ("f.toml", TOML, "d", "2020-01-02"),
        ("noname", "[s]\nk=v\n", "s.k", "v"), ("f.conf", "workers = 4\n", "workers", "4"),
    ],
)  # fmt: skip
def test_values_by_dotted_key(path: str, text: str, key: str, value: str) -> None:
    assert equal(lookup(path, text, key), value)
    assert not equal(lookup(path, text, key), value + "0x")


@pytest.mark.parametrize(
    ("path", "text", "key"),
    [
        ("f.json", JSON, "a.d.3"), ("f.json", JSON, "a.d.x"), ("f.json", JSON, "a.b"), ("f.json", JSON, ""),
        ("f.ini", INI, "main.nope"), ("f.ini", INI, "port"), (".env", ENV, "Z"), ("f.toml", TOML, "n.x"),
    ],
)  # fmt: skip
def test_missing_values(path: str, text: str, key: str) -> None:
    assert lookup(path, text, key) is MISSING
