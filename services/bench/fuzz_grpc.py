"""Malformed calls of every method of the running services: `python -m services.bench.fuzz_grpc n=10000 seed=1`.

Three kinds: bytes that are no message, messages whose strings are broken JSON or JSON of another kind, and messages
that are right but for one value. No answer may be INTERNAL or UNKNOWN, and every service must still serve at the end.
Exit code 1 says that one did not hold.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor

from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.serve import Name
from hybrid_agent.types import Budget, Control, Exchange, Segment, ToolCall, Window
from services import wire
from services.bench.farm import Farm, farm
from services.bench.words import read_words
from services.load import needed, spec_of

CODE = grpc.StatusCode
FORBIDDEN = (CODE.INTERNAL, CODE.UNKNOWN, CODE.UNAVAILABLE, CODE.DATA_LOSS)
TIMEOUT_S = 120.0
MODULES: tuple[tuple[Name, Any], ...] = (
    ("tools", wire.tools_pb2),
    ("tools", wire.memory_pb2),
    ("scorer", wire.scorer_pb2),
    ("planner", wire.planner_pb2),
    ("decoder", wire.decoder_pb2),
)
GOOD = [
    Window(goal="create the file a.txt", exchanges=(Exchange(call="x", obs="y"),)).model_dump_json(),
    Budget(max_tokens=4).model_dump_json(),
    Control().model_dump_json(),
    Segment(text='{"tool":"fs","args":{"op":"read","path":"a.txt"}}').model_dump_json(),
    ToolCall(tool="fs", args={"op": "read", "path": "a.txt"}).model_dump_json(),
    ToolCall(tool="shell", args={"cmd": "true"}).model_dump_json(),
    '{"kind":"exists","path":"a.txt"}',
    '{"path":"b.txt","text":"b"}',
    "fuzz-session",
    "fuzz-session-1",
    "key-0123456789",
    "000001",
    "deny",
    "user",
]
ODD = [
    "",
    "{",
    "[]",
    "null",
    "0",
    "true",
    '"x"',
    "{}",
    "\x00",
    "../../etc/passwd",
    "é" * 300,
    "a" * 5000,
    "[" * 3000,
    '{"a":' * 400,
    '{"goal":1}',
    '{"goal":"x","phase":"nowhere"}',
    '{"goal":"x","index":-1e999}',
    '{"tool":"shell","args":{"cmd":"' + "\\u0000" * 5 + '"}}',
    '{"tool":"fs","args":{"op":"read","path":"\\ud800"}}',
    '{"tool":"nothing","args":{}}',
    '{"k":65}',
    '{"k":1e400,"seed":99999999999999999999999}',
    '{"text":"x","logprob":NaN}',
    '{"text":"x","energy":Infinity}',
    '{"kind":"matches","path":"a.txt","pattern":"(((("}',
    '{"path":"/abs","text":""}',
    "unix:/tmp/x",
    "%s%n%x",
]


class Fuzz:
    """Makes calls and counts what they are answered with."""

    def __init__(self, made: Farm, seed: int) -> None:
        self.made, self.rng = made, random.Random(seed)
        self.answers: Counter[str] = Counter()
        self.bad: list[str] = []
        self.methods = [
            (name, f"/{service.full_name}/{method.name}", method, getattr(module, method.input_type.name, None))
            for name, module in MODULES
            if name in made.running
            for service in module.DESCRIPTOR.services_by_name.values()
            for method in service.methods_by_name.values()
        ]

    def one(self) -> None:
        """One malformed call."""
        name, path, method, kind = self.rng.choice(self.methods)
        data = self._data(kind or wire.common_pb2.AboutRequest)
        channel = self.made.services.channels[name].grpc
        call: Callable[..., Any] = (channel.unary_stream if method.server_streaming else channel.unary_unary)(path)
        try:
            answer = call(data, timeout=TIMEOUT_S)
            if method.server_streaming:
                for _ in answer:
                    pass
            code = CODE.OK
        except grpc.RpcError as error:
            code = error.code()
            if code in FORBIDDEN:
                self.bad.append(f"{path}: {code.name}: {error.details()}: {data[:200]!r}")
        self.answers[code.name] += 1

    def _data(self, kind: Any) -> bytes:
        way = self.rng.randrange(4)
        if way == 0:
            return self.rng.randbytes(self.rng.randrange(1, 200))
        message = kind()
        self._fill(message, 0, odd=0.5 if way < 3 else 0.1)
        data = bytes(message.SerializeToString())
        if way == 1 and data:
            at = self.rng.randrange(len(data))
            data = data[:at] + self.rng.randbytes(self.rng.randrange(1, 4)) + data[at + self.rng.randrange(3) :]
        return data

    def _fill(self, message: Any, depth: int, odd: float) -> None:
        for field in message.DESCRIPTOR.fields:
            if depth > 3 or self.rng.random() < 0.1:
                continue
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                for _ in range(self.rng.randrange(3)):
                    getattr(message, field.name)[self._text(odd)] = self._text(odd)
            elif field.is_repeated:
                for _ in range(self.rng.choice([0, 1, 1, 2, 150] if self.rng.random() < odd else [0, 1, 2])):
                    if field.message_type is not None:
                        self._fill(getattr(message, field.name).add(), depth + 1, odd)
                    else:
                        getattr(message, field.name).append(self._value(field, odd))
            elif field.message_type is not None:
                part = getattr(message, field.name)
                part.SetInParent()
                self._fill(part, depth + 1, odd)
            else:
                setattr(message, field.name, self._value(field, odd))

    def _value(self, field: Any, odd: float) -> Any:
        kind, rng = field.cpp_type, self.rng
        if kind == FieldDescriptor.CPPTYPE_STRING:
            text = self._text(odd)
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return rng.random() < 0.5
        if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            return rng.choice([0.0, 1.0, -1.0, float("nan"), float("inf"), 1e30])
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return rng.choice([0, 1, 2, 7])
        small = rng.choice([0, 1, 2, 4, -1, 65, 2**31 - 1, -(2**31)])
        return small

    def _text(self, odd: float) -> str:
        if self.rng.random() >= odd:
            return self.rng.choice(GOOD)
        if self.rng.random() < 0.4:
            return self._mutated(json.loads(self.rng.choice([text for text in GOOD if text.startswith("{")])))
        return self.rng.choice(ODD)

    def _mutated(self, data: dict[str, Any]) -> str:
        key = self.rng.choice(list(data))
        values = [None, -1, 1e308, "x" * 3000, [], {}, [[[]]], True, "\x00"]
        change = self.rng.randrange(3)
        if change == 0:
            data[key] = self.rng.choice(values)
        elif change == 1:
            del data[key]
        else:
            data[self.rng.choice(["extra", "", "__class__"])] = self.rng.choice(values)
        return json.dumps(data)


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    numbers, overrides = read_words(words, {"n": 10_000, "seed": 1})
    count = int(numbers["n"])
    with farm(overrides=[*overrides, "services.client.patience_s=0"]) as made:
        made.start(*needed(spec_of(made.config)))
        made.services.open("fuzz-session", goal="g")
        fuzz = Fuzz(made, int(numbers["seed"]))
        for _ in range(count):
            fuzz.one()
        away = [name for name in made.services.away() if name in made.running]
    print(f"{count} malformed calls of {len(fuzz.methods)} methods: {dict(fuzz.answers.most_common())}")
    for line in fuzz.bad[:20]:
        print("BAD", line)
    if away:
        print("no longer serving:", ", ".join(away))
    print("held" if not fuzz.bad and not away else f"{len(fuzz.bad)} forbidden answers")
    return 1 if fuzz.bad or away else 0


if __name__ == "__main__":
    guarded(lambda: run(sys.argv[1:]))
