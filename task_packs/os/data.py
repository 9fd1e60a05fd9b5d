"""Starting files with real content: logs, tables, lists; and files that are not where the goal says."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.types import SetupItem

LEVELS = ("ERROR", "WARN", "INFO", "DEBUG")


def file(path: str, text: str, mode: str | None = None) -> SetupItem:
    """A starting text file."""
    return SetupItem(path=path, text=text, mode=mode)


def folder(path: str) -> SetupItem:
    """A starting empty folder."""
    return SetupItem(path=path, dir=True)


def place(draw: Draw, name: str, text: str, lost: float = 0.3) -> tuple[str, SetupItem]:
    """Put a file where the goal says or, with probability `lost`, in some other folder: (real path, item)."""
    path = f"{draw.dir()}/{name}" if draw.chance(lost) else name
    return path, file(path, text)


def marked_lines(draw: Draw, mark: str, low: int = 1, high: int = 4) -> str:
    """Lines of text of which some contain `mark` (once each), others not."""

    def words(least: int, most: int) -> str:
        while mark in (phrase := draw.phrase(least, most)):
            pass
        return phrase

    lines = [f"{words(1, 3)} {mark} {words(1, 2)}" for _ in range(draw.number(low, high))]
    lines += [words(2, 5) for _ in range(draw.number(3, 6))]
    draw.rng.shuffle(lines)
    return "".join(line + "\n" for line in lines)


def log_text(draw: Draw, level: str | None = None, low: int = 6, high: int = 14) -> str:
    """A log, one `date time LEVEL message` a line; `level` occurs at least twice."""
    levels = [draw.choice(LEVELS) for _ in range(draw.number(low, high))]
    if level is not None:
        levels[1] = levels[-2] = level
    day, second = f"2026-{draw.number(1, 12):02}-{draw.number(1, 28):02}", draw.number(0, 40000)
    lines = []
    for each in levels:
        second += draw.number(1, 900)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        lines.append(f"{day} {clock} {each} {draw.phrase(2, 4)}\n")
    return "".join(lines)


def table(draw: Draw, columns: int = 4, header: bool = True, low: int = 4, high: int = 9) -> str:
    """Comma-separated rows: a key, words and a number; with a header line on request."""
    rows = [",".join(draw.word() for _ in range(columns))] if header else []
    for index in range(draw.number(low, high)):
        cells = [f"{draw.word()}{index}", *(draw.word() for _ in range(columns - 2)), str(draw.number(10, 999))]
        rows.append(",".join(cells))
    return "".join(row + "\n" for row in rows)


def fresh_phrase(draw: Draw, text: str, low: int = 2, high: int = 5) -> str:
    """A phrase that does not occur in `text`."""
    while (phrase := draw.phrase(low, high)) in text:
        pass
    return phrase
