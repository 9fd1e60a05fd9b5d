"""Which JSON Schema keywords the constraint knows, and why it refuses the others."""

from __future__ import annotations

# Say something about the schema, nothing about the instance.
ANNOTATIONS = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "$comment",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentMediaType",
        "contentEncoding",
        "contentSchema",
        "discriminator",  # OpenAPI, written by pydantic next to a oneOf that says the same
        "$defs",
        "definitions",
        "$anchor",
    }
)

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")

# Keywords that assert something which a left-to-right grammar of this kind cannot hold.
UNSUPPORTED: dict[str, str] = {
    "uniqueItems": "use an enum of whole arrays, or drop it and check the parsed value",
    "contains": "use prefixItems for the fixed part",
    "minContains": "use prefixItems for the fixed part",
    "maxContains": "use prefixItems for the fixed part",
    "propertyNames": "use patternProperties with additionalProperties: false",
    "dependentSchemas": "use anyOf with one branch for each case",
    "dependentRequired": "use anyOf with one branch for each case",
    "dependencies": "use anyOf with one branch for each case",
    "not": "say what is allowed instead (enum, anyOf, pattern)",
    "if": "use anyOf with one branch for each case",
    "then": "use anyOf with one branch for each case",
    "else": "use anyOf with one branch for each case",
    "unevaluatedProperties": "use additionalProperties: false in each branch",
    "unevaluatedItems": "use items: false next to prefixItems",
    "additionalItems": "draft 2020-12 writes it as items, next to prefixItems",
    "$dynamicRef": "use $ref",
    "$dynamicAnchor": "use $anchor",
    "$recursiveRef": "use $ref",
    "$recursiveAnchor": "use $anchor",
    "$vocabulary": "remove it",
    "nullable": 'use type: ["...", "null"]',
    "id": "draft 2020-12 writes it as $id",
}
