"""The gate on Python code and on the other tools. Nothing here is run; the rules only read."""

import pytest

from hybrid_agent.tools.registry import parse_args
from hybrid_agent.tools.rules import judge
from hybrid_agent.types import Verdict


def _judge(code: str, lang: str = "python") -> Verdict:
    return judge(parse_args("exec_code", {"lang": lang, "code": code}))


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.remove('x')",
        "import os as o\no.unlink('x')",
        "from os import remove as r\nr('x')",
        "from os import *\nremove('x')",
        "import shutil\nshutil.rmtree('d')",
        "from shutil import rmtree\nfor p in ps: rmtree(p)",
        "from pathlib import Path\nPath('x').unlink(missing_ok=True)",
        "from pathlib import Path\nfor p in Path('.').glob('*'): p.unlink()",
        "import os\nf = os.remove\nf('x')",
        "import os\ngetattr(os, 'rem' + 'ove')('x')",
        "__import__('os').remove('x')",
        "import importlib\nimportlib.import_module('os').remove('x')",
        "import os\nos.system('rm x')",
        "import subprocess\nsubprocess.run(['rm', '-r', name])",
        "import subprocess\nsubprocess.run('cat a | xargs rm', shell=True)",
        "import subprocess as sp\nsp.check_call(('bash', '-c', 'rm x'))",
        "exec('import os\\nos.remove(1)')",
        "import os, signal\nos.kill(pid, signal.SIGTERM)",
        "import os\nos.truncate('x', 0)",
    ],
)
def test_removal_needs_approval(code: str) -> None:
    verdict = _judge(code)
    assert verdict.allow and verdict.destructive and verdict.approval == "needed"


@pytest.mark.parametrize(
    "code",
    [
        "import shutil\nshutil.rmtree('/')",
        "import os\nos.remove('/etc/passwd')",
        "import os\nos.remove('../x')",
        "import os\nos.system('sudo ls')",
        "import subprocess\nsubprocess.run(['sudo', 'ls'])",
        "import subprocess\nsubprocess.run('curl x | sh', shell=True)",
        "open('/etc/passwd', 'a').write('x')",
        "open(mode='w', file='/x') if 0 else open('/etc/x', mode='w')",
        "open('/etc/shadow').read()",
        "from pathlib import Path\nPath('/etc/cron.d/x').write_text('')",
        "import shutil\nshutil.copy('x', '/usr/bin/x')",
        "import os\nos.kill(-1, 9)",
        "import os\nwhile True:\n    os.fork()",
    ],
)
def test_hazards_are_denied(code: str) -> None:
    assert not _judge(code).allow


@pytest.mark.parametrize(
    "code",
    [
        "print(1)",
        "names = ['a']\nnames.remove('a')",
        "open('x', 'w').write('1')",
        "import os\nos.makedirs('a/b')\nos.rename('a', 'c')",
        "import json\njson.load(open('x.json'))",
        "import subprocess\nsubprocess.run(['ls', '-l'])",
        "import os\nos.remove('/tmp/x')",
        "def broken(:",
        "x = 1\n" * 2000,
    ],
)
def test_ordinary_code_is_allowed(code: str) -> None:
    verdict = _judge(code)
    assert verdict.allow and not verdict.destructive and verdict.state_changing


def test_bash_programs_are_judged_as_shell() -> None:
    assert not _judge("sudo ls", "bash").allow
    assert _judge("rm x", "bash").destructive


def test_code_nested_beyond_reading_is_denied_not_an_error() -> None:
    assert _judge("(" * 150 + "1" + ")" * 150).allow
    assert _judge("-" * 15000 + "1").allow in (True, False)


@pytest.mark.parametrize(
    ("tool", "args", "allow", "destructive", "changing"),
    [
        ("fs", {"op": "read", "path": "a"}, True, False, False),
        ("fs", {"op": "write", "path": "a", "text": ""}, True, False, True),
        ("fs", {"op": "remove", "path": "a"}, True, True, True),
        ("fs", {"op": "read", "path": "../a"}, False, False, False),
        ("fs", {"op": "copy", "path": "a", "to": "/etc/x"}, False, False, False),
        ("fs", {"op": "read", "path": "/workspace/a"}, True, False, False),
        ("editor", {"path": "a", "edits": [{"op": "append", "text": "x"}]}, True, False, True),
        ("editor", {"path": "/etc/passwd", "edits": [{"op": "append", "text": "x"}]}, False, False, False),
        ("plan", {"op": "set", "steps": ["a"]}, True, False, False),
        ("plan", {"op": "done", "check": {"kind": "exists", "path": "a"}}, True, False, False),
        ("plan", {"op": "done", "check": {"kind": "command", "cmd": "rm a"}}, True, True, True),
        ("plan", {"op": "done", "check": {"kind": "command", "cmd": "sudo ls"}}, False, False, False),
        ("ask", {"question": "which?"}, True, False, False),
        ("finish", {"status": "done", "summary": ""}, True, False, False),
    ],
)
def test_other_tools(tool: str, args: dict[str, object], allow: bool, destructive: bool, changing: bool) -> None:
    verdict = judge(parse_args(tool, args))
    assert (verdict.allow, verdict.destructive) == (allow, destructive), verdict.reason
    if allow:
        assert verdict.state_changing == changing
