"""Sets of minutes, kept as sorted spans that neither overlap nor touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spanlib.span import Span


class SpanSet:
    """A set of minutes."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: list[Span] = _merged(spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpanSet) and self._spans == other._spans

    def __hash__(self) -> int:
        return hash(tuple(self._spans))

    def __contains__(self, minute: int) -> bool:
        return any(minute in span for span in self._spans)

    def __repr__(self) -> str:
        return f"SpanSet({self._spans!r})"

    @property
    def total(self) -> int:
        """Minutes in the set."""
        return sum(span.length for span in self._spans)

    def add(self, span: Span) -> None:
        """Put a span's minutes into the set."""
        self._spans = _merged([*self._spans, span])

    def remove(self, span: Span) -> None:
        """Take a span's minutes out of the set; minutes that are not in it are ignored."""
        kept: list[Span] = []
        for each in self._spans:
            if not each.overlaps(span):
                kept.append(each)
                continue
            if each.start < span.start:
                kept.append(Span(each.start, span.start))
            if span.end < each.end:
                kept.append(Span(span.end, each.end))
        self._spans = kept

    def covers(self, span: Span) -> bool:
        """True if every minute of `span` is in the set."""
        return any(each.covers(span) for each in self._spans)

    def union(self, other: SpanSet) -> SpanSet:
        """Minutes in either set."""
        return SpanSet([*self._spans, *other])

    def intersection(self, other: SpanSet) -> SpanSet:
        """Minutes in both sets."""
        found = []
        mine, theirs = list(self), list(other)
        i = j = 0
        while i < len(mine) and j < len(theirs):
            common = mine[i].intersection(theirs[j])
            if common is not None:
                found.append(common)
            if mine[i].end < theirs[j].end:
                i += 1
            else:
                j += 1
        return SpanSet(found)

    def complement(self, within: Span) -> SpanSet:
        """Minutes of `within` that are not in the set."""
        gaps = []
        at = within.start
        for span in self._spans:
            if span.end <= within.start:
                continue
            if span.start >= within.end:
                break
            if at < span.start:
                gaps.append(Span(at, span.start))
            at = span.end
        if at < within.end:
            gaps.append(Span(at, within.end))
        return SpanSet(gaps)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = merged[-1].hull(span)
        else:
            merged.append(span)
    return merged
