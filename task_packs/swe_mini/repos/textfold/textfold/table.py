"""Tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textfold.align import center, left, right, truncate
from textfold.width import visible

_ALIGN = {"l": left, "r": right, "c": center}


class Table:
    """Rows under a header. Numbers stand at the right unless the column says otherwise."""

    def __init__(
        self, header: Sequence[str], rows: Iterable[Sequence[object]] | None = None, *, limit: int | None = None
    ) -> None:
        self.header = list(header)
        self.limit = limit
        self._rows: list[list[object]] = []
        self._align: dict[int, str] = {}
        for row in rows or ():
            self.add(row)

    def add(self, row: Sequence[object]) -> None:
        """Add a row; missing cells at its end are empty.

        Raises:
            ValueError: more cells than columns.
        """
        if len(row) > len(self.header):
            raise ValueError(f"{len(row)} cells for {len(self.header)} columns")
        self._rows.append([*row, *[""] * (len(self.header) - len(row))])

    def align(self, column: str, how: str) -> None:
        """Set a column's alignment: "l", "r" or "c".

        Raises:
            KeyError: no such column.
            ValueError: no such alignment.
        """
        if column not in self.header:
            raise KeyError(column)
        if how not in _ALIGN:
            raise ValueError(f"unknown alignment {how!r}")
        self._align[self.header.index(column)] = how

    def sort(self, column: str, *, reverse: bool = False) -> None:
        """Sort the rows by one column; empty cells come last."""
        if column not in self.header:
            raise KeyError(column)
        index = self.header.index(column)
        full = [row for row in self._rows if row[index] != ""]
        empty = [row for row in self._rows if row[index] == ""]
        self._rows = sorted(full, key=lambda row: row[index], reverse=reverse) + empty

    def widths(self) -> list[int]:
        """Cells of each column."""
        found = [visible(name) for name in self.header]
        for row in self._rows:
            for index, cell in enumerate(row):
                found[index] = max(found[index], visible(self._text(cell)))
        return found

    def render(self, gap: str = "  ") -> str:
        """The table as text, without blanks at the ends of lines."""
        widths = self.widths()
        lines = [gap.join(left(name, width) for name, width in zip(self.header, widths, strict=True))]
        lines.append(gap.join("-" * width for width in widths))
        for row in self._rows:
            cells = [self._cell(index, cell, widths[index]) for index, cell in enumerate(row)]
            lines.append(gap.join(cells))
        return "\n".join(line.rstrip() for line in lines)

    def _cell(self, index: int, cell: object, width: int) -> str:
        number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
        how = self._align.get(index, "r" if number else "l")
        return _ALIGN[how](self._text(cell), width)

    def _text(self, cell: object) -> str:
        text = "" if cell is None else str(cell)
        return truncate(text, self.limit) if self.limit is not None else text
