"""Classic small functions with parameter variations: loops, dicts, recursion, brackets, searches."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions import shapes_lists, shapes_values
from task_packs.code.functions.model import Bug, Function

SHAPES = (*shapes_lists.SHAPES, *shapes_values.SHAPES)


def classic(draw: Draw) -> Function:
    """Draw a classic function with its parameter names, wording and number."""
    shape = draw.choice(SHAPES)
    two = "{q}" in shape.body
    params = shape.params if two else (draw.choice(shape.params),)
    number = draw.number(2, 5) if shape.key != "clamp" else draw.number(5, 12)
    values = {"p": params[0], "q": params[-1], "n": number}
    docs = {"val": shape.docs[-2:-1], "test_paraphrase": shape.docs[-1:]}.get(draw.split, shape.docs[:-2])
    body = tuple("    " + line for line in shape.body.format(**values).split("\n"))
    bugs = []
    for right, wrong in shape.bugs:
        line = body.index("    " + right.format(**values))
        bugs.append(Bug((*body[:line], "    " + wrong.format(**values), *body[line + 1 :]), line))
    answer = shape.answer
    return Function(
        key=("classic", shape.key),
        params=params,
        body=body,
        doc=draw.choice(docs).format(**values),
        reference=lambda *args: answer(number, *args),
        inputs=tuple(shape.inputs(draw, number)),
        bugs=tuple(bugs),
    )
