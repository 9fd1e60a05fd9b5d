"""Headings numbered by level: 1, 1.1, 1.2, 2."""

from __future__ import annotations


class Outline:
    """A list of headings with levels from 1."""

    def __init__(self, max_level: int = 6) -> None:
        self.max_level = max_level
        self._entries: list[tuple[int, str]] = []

    def add(self, title: str, level: int = 1) -> None:
        """Add a heading.

        Raises:
            ValueError: the level is not allowed, or skips one.
        """
        if not 1 <= level <= self.max_level:
            raise ValueError(f"level {level} is not between 1 and {self.max_level}")
        deepest = self._entries[-1][0] if self._entries else 0
        if level > deepest + 1:
            raise ValueError(f"level {level} follows level {deepest}")
        self._entries.append((level, title))

    def numbers(self) -> list[str]:
        """The number of every heading."""
        counters: list[int] = []
        found = []
        for level, _ in self._entries:
            del counters[level:]
            if len(counters) < level:
                counters.append(0)
            counters[-1] += 1
            found.append(".".join(str(count) for count in counters))
        return found

    def render(self, step: str = "  ") -> str:
        """Numbered headings, indented by level."""
        lines = []
        for (level, title), number in zip(self._entries, self.numbers(), strict=True):
            lines.append(f"{step * (level - 1)}{number} {title}")
        return "\n".join(lines)

    def find(self, title: str) -> str | None:
        """The number of the first heading of that title, or None."""
        for (_, name), number in zip(self._entries, self.numbers(), strict=True):
            if name.casefold() == title.casefold():
                return number
        return None
