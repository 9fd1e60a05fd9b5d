"""Bugs of calcu."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "tower-of-powers",
        "2^3^2 is 64, should be 512",
        """Powers are grouped from the left. Every other calculator I know (and mathematics) reads `2^3^2` as `2^(3^2)`.""",
        (
            Edit(
                "calcu/parser.py",
                "            right = self._binary(level if op in RIGHT else level + 1)\n",
                "            right = self._binary(level + 1)\n",
            ),
        ),
    ),
    Bug(
        "remainder-by-zero",
        "5 % 0 raises ValueError instead of EvalError",
        """Our program catches CalcError to show a message. `evaluate("5 % 0")` gets past that with "ValueError: math domain
error". `5 / 0` is reported properly.""",
        (
            Edit(
                "calcu/evaluator.py",
                """        if op in ("/", "%"):
            if right == 0:
                raise EvalError("division by zero")
            return left / right if op == "/" else math.fmod(left, right)
""",
                """        if op == "/":
            if right == 0:
                raise EvalError("division by zero")
            return left / right
        if op == "%":
            return math.fmod(left, right)
""",
            ),
        ),
    ),
    Bug(
        "plus-in-exponent",
        "Numbers like 2.5E+4 are not read",
        """Pasting values from a spreadsheet fails: `2.5E+4` is split into `2.5`, `E`, `+` and `4`. `1e-3` and `1e3` work.""",
        (
            Edit(
                "calcu/tokens.py",
                '        if mark < len(text) and text[mark] in "+-":\n',
                '        if mark < len(text) and text[mark] == "-":\n',
            ),
        ),
    ),
    Bug(
        "average-of-nothing",
        "avg() crashes",
        """`avg()` without arguments ends in a ZeroDivisionError. Other functions with too few arguments give an EvalError
("max does not take 0 arguments").""",
        (Edit("calcu/functions.py", '    "avg": (_average, 1, None),\n', '    "avg": (_average, 0, None),\n'),),
    ),
    Bug(
        "outer-variables",
        "Assigning in a child scope does not reach the variable outside",
        """`Scope.set` should change a name where it is defined. After

    outer = Scope({"a": 1})
    outer.child().set("a", 5)

`outer.get("a")` is still 1.""",
        (
            Edit(
                "calcu/scope.py",
                """        \"\"\"Set a name where it is defined, else here.\"\"\"
        scope = self
        while scope is not None:
            if name in scope._values:
                scope._values[name] = value
                return
            scope = scope.parent
        self._values[name] = value
""",
                """        \"\"\"Set a name where it is defined, else here.\"\"\"
        scope = self
        if name in scope._values:
            scope._values[name] = value
            return
        self._values[name] = value
""",
            ),
        ),
    ),
    Bug(
        "zero-minus",
        "simplify turns 0 - x into x",
        """`render(simplify(parse("0 - x")))` is "x", so the sign is lost. I expected "-x". We differentiate formulas and simplify
them afterwards, and half of the results have the wrong sign.""",
        (
            Edit(
                "calcu/simplify.py",
                """    if op == "+" and left == ZERO:
        return right
""",
                """    if op in "+-" and left == ZERO:
        return right
""",
            ),
        ),
    ),
    Bug(
        "hundred-becomes-one",
        "show_number(100) returns '1'",
        """Numbers that end in zeros lose them: 100 is shown as "1", 2500 as "25". Fractions look right.""",
        (
            Edit(
                "calcu/render.py",
                """    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
""",
                """    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-") else text
""",
            ),
        ),
    ),
    Bug(
        "choice-in-test",
        "render drops brackets around a choice that is used as a test",
        """`render(parse("(a ? b : c) ? d : e"))` gives "a ? b : c ? d : e", which means something else when it is read again.""",
        (
            Edit(
                "calcu/render.py",
                """        text = f"{_text(node.test, 1)} ? """,
                """        text = f"{_text(node.test, 0)} ? """,
            ),
        ),
    ),
)
