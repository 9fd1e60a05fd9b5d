"""Bugs of textfold."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "hanging-indent",
        "wrap_lines makes lines that are too long when the later prefix is the longer one",
        """I use `first=""` and `rest="    "` for a hanging indent with width 7. All lines but the first come out wider than
7 cells. With the long prefix on the first line everything fits.""",
        (
            Edit(
                "textfold/wrap.py",
                "    room = width - max(visible(first), visible(rest))\n",
                "    room = width - visible(first)\n",
            ),
        ),
    ),
    Bug(
        "tiny-columns",
        "truncate returns more cells than allowed for very small widths",
        """`truncate("abcdef", 2)` returns "..." which is three cells. The docstring says never more than `width`. For 2 I would
expect "..", for 0 an empty text.""",
        (
            Edit(
                "textfold/align.py",
                "        return ellipsis[:width]\n",
                "        return ellipsis\n",
            ),
        ),
    ),
    Bug(
        "limited-table",
        "Columns of a table with limit are as wide as the text that was cut off",
        """    table = Table(["t"], [["abcdefgh"]], limit=6)
    table.widths()

gives `[8]`, though nothing longer than 6 cells is ever shown. The line below the header is too long as well.""",
        (
            Edit(
                "textfold/table.py",
                "                found[index] = max(found[index], visible(self._text(cell)))\n",
                '                found[index] = max(found[index], visible("" if cell is None else str(cell)))\n',
            ),
        ),
    ),
    Bug(
        "sort-with-empty-cells",
        "TypeError when sorting a table by a column with empty cells",
        """`Table.sort` says that empty cells come last. With numbers in the column and one row that has no value I get

    TypeError: '<' not supported between instances of 'str' and 'int'

Rows with empty cells should be at the end, also with `reverse=True`.""",
        (
            Edit(
                "textfold/table.py",
                """        full = [row for row in self._rows if row[index] != ""]
        empty = [row for row in self._rows if row[index] == ""]
        self._rows = sorted(full, key=lambda row: row[index], reverse=reverse) + empty
""",
                """        self._rows.sort(key=lambda row: row[index], reverse=reverse)
""",
            ),
        ),
    ),
    Bug(
        "outline-counts-on",
        "Outline goes on counting subsections in the next section",
        """Section 1 has 1.1 and 1.2. The first subsection of section 2 is then numbered 2.3 instead of 2.1. Deeper levels show
the same: they never start again at 1.""",
        (
            Edit(
                "textfold/outline.py",
                """            del counters[level:]
            if len(counters) < level:
                counters.append(0)
            counters[-1] += 1
            found.append(".".join(str(count) for count in counters))
""",
                """            if len(counters) < level:
                counters.append(0)
            counters[level - 1] += 1
            found.append(".".join(str(count) for count in counters[:level]))
""",
            ),
        ),
    ),
    Bug(
        "numbers-out-of-line",
        "numbered(start=...) does not line the numbers up",
        """`numbered(["a", "b"], start=9)` gives

    9. a
    10. b

The 9 should have a blank before it, as it has in a list of ten items that starts at 1.""",
        (
            Edit(
                "textfold/lists.py",
                """    last = start + len(items) - 1
    digits = len(str(last))
""",
                """    digits = len(str(len(items)))
""",
            ),
        ),
    ),
    Bug(
        "empty-first-prefix",
        "indent(first='') indents the first line anyway",
        """For code after a label I want only the later lines indented: `indent("a\\nb", "  ", first="")`. The result is
"  a\\n  b", with the first line indented too. `first="x "` works.""",
        (
            Edit(
                "textfold/wrap.py",
                "        before = first if number == 0 and first is not None else prefix\n",
                "        before = first if number == 0 and first else prefix\n",
            ),
        ),
    ),
    Bug(
        "coloured-right",
        "Coloured text is not aligned at the right",
        """`right("\\x1b[31mred\\x1b[0m", 8)` does not add any blanks, so columns of coloured numbers look ragged. `left` and `center`
are fine. East Asian text is off by a few cells as well.""",
        (
            Edit(
                "textfold/align.py",
                "    return fill * (width - visible(text)) + text\n",
                "    return fill * (width - len(text)) + text\n",
            ),
        ),
    ),
)
