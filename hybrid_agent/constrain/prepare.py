"""From any JSON Schema (draft 2020-12) to one that llguidance enforces exactly, or an error.

llguidance ignores keywords that it does not know, reads a few others loosely, and takes options from inside
the schema. So a schema is never handed over as it came: each keyword is checked and written anew, and
whatever is left over is an error that names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hybrid_agent.constrain.disjoint import Disjoint
from hybrid_agent.constrain.finite import check_finite
from hybrid_agent.constrain.formats import FORMATS
from hybrid_agent.constrain.keywords import ANNOTATIONS, TYPES, UNSUPPORTED
from hybrid_agent.constrain.patterns import PatternError, rewrite
from hybrid_agent.constrain.problem import problem, step
from hybrid_agent.constrain.refs import MAX_NODES, find_anchors, resolve
from hybrid_agent.constrain.values import check_constant, check_count, check_number, check_text

Node = bool | dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_DEPTH = 100
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
# llguidance reads keywords in order and closes a group of them at each of these: they must come last.
_APPLICATORS = ("const", "enum", "allOf", "anyOf", "oneOf", "$ref")


def prepare(schema: Any, *, keep_spans: bool = False) -> Node:
    """Return an equivalent schema made only of keywords that are enforced exactly.

    `keep_spans` leaves the `x-span` marks in, for `narrow`.

    Raises:
        GrammarError: names the keyword that cannot be enforced and its JSON pointer.
    """
    return _Preparation(schema, keep_spans).run()


class _Preparation:
    def __init__(self, root: Any, keep_spans: bool) -> None:
        self.root = root
        self.keep_spans = keep_spans
        self.anchors = find_anchors(root)
        self.names: dict[str, str] = {}  # canonical pointer -> name among our own $defs
        self.waiting: list[tuple[str, Any, str]] = []
        self.one_ofs: list[tuple[str, dict[str, Any]]] = []
        self.factors: set[int] = set()
        self.nodes = 0

    def run(self) -> Node:
        result = self.node(self.root, "#", 0)
        defs: dict[str, Node] = {}
        while self.waiting:
            pointer, target, name = self.waiting.pop()
            defs[name] = self.node(target, pointer, 0)
        if isinstance(result, bool):
            if not result:
                raise problem("#", "the schema false accepts nothing")
            return result
        if defs:
            result["$defs"] = defs
        pointers = {name: pointer for pointer, name in self.names.items()}
        disjoint = Disjoint(result)
        for at, node in self.one_ofs:
            branches = node.pop("oneOf")
            for index, branch in enumerate(branches):
                for other in range(index):
                    if not disjoint.apart(branch, branches[other]):
                        raise problem(
                            at,
                            f"oneOf is enforced only if no value matches two branches; {other} and {index} may overlap",
                            "use anyOf, or give the branches a required property with different const values",
                        )
            node.setdefault("allOf", []).append({"anyOf": branches})
        check_finite(result, pointers)
        return result

    def node(self, schema: Any, at: str, depth: int) -> Node:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise problem(at, "the schema is nested too deeply or too large")
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, dict):
            raise problem(at, f"a schema must be an object or a boolean, not {type(schema).__name__}")
        out: dict[str, Any] = {}
        conjuncts: list[Node] = []
        for key, value in schema.items():
            if not isinstance(key, str):
                raise problem(at, f"keywords must be strings, not {type(key).__name__}")
            self.keyword(key, value, step(at, key), depth, out, conjuncts)
        self.check_min_properties(out, at)
        ordered = {key: value for key, value in out.items() if key not in _APPLICATORS}
        ordered |= {key: out[key] for key in _APPLICATORS if key in out}
        if conjuncts:
            ordered["allOf"] = [*ordered.get("allOf", []), *conjuncts]
        if "oneOf" in ordered:
            self.one_ofs.append((step(at, "oneOf"), ordered))
        return ordered

    def keyword(self, key: str, value: Any, at: str, depth: int, out: dict[str, Any], conjuncts: list[Node]) -> None:
        """Check one keyword; put what it means into `out`, or into `conjuncts` if it needs a schema of its own."""

        def sub(schema: Any, *where: str | int) -> Node:
            return self.node(schema, step(at, *where), depth + 1)

        if key == "x-span" and self.keep_spans:
            out[key] = value
            return
        if key in ANNOTATIONS or key.startswith("x-"):
            return
        if key in _COUNTS:
            out[key] = check_count(value, at)
        elif key in _BOUNDS:
            out[key] = check_number(value, at)
        elif key in ("items", "additionalProperties"):
            out[key] = sub(value)
        elif key in ("allOf", "anyOf", "oneOf", "prefixItems"):
            if not isinstance(value, list | tuple) or not value:
                raise problem(at, "must be a list of at least one schema")
            out[key] = [sub(item, index) for index, item in enumerate(value)]
        elif handler := _HANDLERS.get(key):
            handler(self, value, at, out, sub, conjuncts)
        elif key in UNSUPPORTED:
            if key == "uniqueItems" and value is False:
                return
            raise problem(at, f"the keyword {key!r} cannot be enforced", UNSUPPORTED[key])
        else:
            raise problem(at, f"unknown keyword {key!r}", "remove it, or name it x-... if it is an annotation")

    def type(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not names:
            raise problem(at, "must be a type name or a list of them")
        for name in names:
            if name not in TYPES:
                raise problem(at, f"{name!r} is not a JSON type", "one of " + ", ".join(TYPES))
        unique = list(dict.fromkeys(names))
        if "number" in unique and "integer" in unique:
            unique.remove("integer")
        out["type"] = unique[0] if len(unique) == 1 else unique

    def properties(self, value: Any, at: str, out: dict[str, Any], sub: Callable[..., Node], *_: Any) -> None:
        if not isinstance(value, dict):
            raise problem(at, "must be an object")
        out["properties"] = {check_text(name, at): sub(schema, name) for name, schema in value.items()}

    def pattern_properties(self, value: Any, at: str, out: dict[str, Any], sub: Callable[..., Node], *_: Any) -> None:
        if not isinstance(value, dict):
            raise problem(at, "must be an object")
        patterns: dict[str, Node] = {}
        for name, schema in value.items():
            pattern = self.rewritten(name, step(at, str(name)))
            if pattern in patterns:
                raise problem(step(at, name), "two patterns mean the same", "merge them")
            patterns[pattern] = sub(schema, name)
        out["patternProperties"] = patterns

    def pattern(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        out["pattern"] = self.rewritten(value, at)

    def rewritten(self, value: Any, at: str) -> str:
        if not isinstance(value, str):
            raise problem(at, "must be a string")
        try:
            return rewrite(value)
        except PatternError as error:
            raise problem(at, f"pattern {value[:80]!r}: {error}") from None

    def format(self, value: Any, at: str, _out: Any, _sub: Any, conjuncts: list[Node]) -> None:
        if not isinstance(value, str) or value not in FORMATS:
            raise problem(at, f"the format {value!r} cannot be enforced", "one of " + ", ".join(FORMATS))
        others = [name for name in TYPES if name not in ("string", "integer")]
        conjuncts.append({"anyOf": [{"type": "string", "pattern": FORMATS[value]}, {"type": others}]})

    def required(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        if not isinstance(value, list | tuple):
            raise problem(at, "must be a list of property names")
        out["required"] = list(dict.fromkeys(check_text(name, at) for name in value))

    def multiple_of(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        number = check_number(value, at)
        if number <= 0:
            raise problem(at, "must be above 0")
        if not isinstance(number, int):
            raise problem(at, "multipleOf is enforced only for whole numbers", "use a pattern on a string")
        self.factors.add(number)
        product = max(self.factors)
        for factor in self.factors:
            product *= factor
        # The library multiplies in 32 bits when schemas are joined, and needs that many lexer states.
        if number > 10_000 or product >= 2**32:
            raise problem(at, f"multipleOf {number} makes too large a grammar")
        out["multipleOf"] = number

    def const(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        out["const"] = check_constant(value, at)

    def enum(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        if not isinstance(value, list | tuple) or not value:
            raise problem(at, "must be a list of at least one value")
        out["enum"] = check_constant(value, at)

    def ref(self, value: Any, at: str, out: dict[str, Any], *_: Any) -> None:
        pointer, target = resolve(self.root, value, at, self.anchors)
        if pointer == "#":
            out["$ref"] = "#"
            return
        if pointer not in self.names:
            self.names[pointer] = f"d{len(self.names)}"
            self.waiting.append((pointer, target, self.names[pointer]))
        out["$ref"] = f"#/$defs/{self.names[pointer]}"

    def dialect(self, value: Any, at: str, *_: Any) -> None:
        if not isinstance(value, str) or value.rstrip("#") != DIALECT:
            raise problem(at, f"the dialect {value!r} is not supported", f"write the schema for {DIALECT}")

    def identity(self, value: Any, at: str, *_: Any) -> None:
        if at != "#/$id" or not isinstance(value, str):
            raise problem(at, "$id is supported only at the top of the schema", "remove it and refer by #/$defs/...")

    def check_min_properties(self, out: dict[str, Any], at: str) -> None:
        """Additional properties may repeat a key, so the grammar can only count up to the first of them."""
        least = out.get("minProperties", 0)
        if least <= len(out.get("required", ())) + 1 or (
            out.get("additionalProperties") is False and "patternProperties" not in out
        ):
            return
        raise problem(step(at, "minProperties"), "minProperties cannot count additional properties beyond one")


_HANDLERS: dict[str, Callable[..., None]] = {
    "type": _Preparation.type,
    "properties": _Preparation.properties,
    "patternProperties": _Preparation.pattern_properties,
    "pattern": _Preparation.pattern,
    "format": _Preparation.format,
    "required": _Preparation.required,
    "multipleOf": _Preparation.multiple_of,
    "const": _Preparation.const,
    "enum": _Preparation.enum,
    "$ref": _Preparation.ref,
    "$schema": _Preparation.dialect,
    "$id": _Preparation.identity,
}
