"""Bugs of spanlib."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "evening-gap",
        "SpanSet.complement loses the time after the last span",
        """I use `Calendar.free_slots` to offer appointments, and nothing is ever offered in the evening. It comes down to
`SpanSet.complement`:

    >>> SpanSet([Span(0, 10)]).complement(Span(0, 30))
    SpanSet([])

I expected `SpanSet([Span(start=10, end=30)])`. Gaps before and between spans are found. An empty set has no complement
at all, although all of it should be free.""",
        (
            Edit(
                "spanlib/spanset.py",
                """            at = span.end
        if at < within.end:
            gaps.append(Span(at, within.end))
        return SpanSet(gaps)
""",
                """            at = span.end
        return SpanSet(gaps)
""",
            ),
        ),
    ),
    Bug(
        "rooms-back-to-back",
        "rooms_needed asks for a second room for meetings that follow each other",
        """`rooms_needed([Span(0, 10), Span(10, 20), Span(20, 30)])` returns 2. The meetings never overlap (spans do not
include their end), so one room is enough, and `assign_rooms` does get by with one for the same list.""",
        (
            Edit(
                "spanlib/schedule.py",
                "    for _, change in sorted(events):\n",
                "    for _, change in sorted(events, key=lambda event: (event[0], -event[1])):\n",
            ),
        ),
    ),
    Bug(
        "after-midnight",
        "parse_time accepts times after midnight such as 24:30",
        """A customer typed "24:30" and we stored minute 1470, which later crashed `format_time`. `parse_time("24:00")` is
documented as the end of the day and should stay valid, but everything after it should be a ValueError like "25:00" is.""",
        (
            Edit(
                "spanlib/clock.py",
                "    if minutes > 59 or hours * 60 + minutes > DAY:\n",
                "    if hours > 24 or minutes > 59:\n",
            ),
        ),
    ),
    Bug(
        "next-free-goes-back",
        "Calendar.next_free proposes a time before the one I asked for",
        """With bookings of ana 09:00-10:00 and 11:00-12:00 and ben 09:30-10:30, `next_free(800, 15)` (that is 13:20)
returns a slot that starts at minute 720. It has to start at 800, where everybody is free.

Something similar happens when a short booking of one person lies inside a long one of another: the slot it finds is in
the middle of the long booking.""",
        (
            Edit(
                "spanlib/calendar.py",
                "            start = max(start, booking.span.end)\n",
                "            start = booking.span.end\n",
            ),
        ),
    ),
    Bug(
        "intersection-of-neighbours",
        "ValueError from Span.intersection for spans that only touch",
        """    >>> Span(0, 10).intersection(Span(10, 20))
    ValueError: a span must not be empty: 10..10

The docstring promises None if there is no common part.""",
        (Edit("spanlib/span.py", "        if start >= end:\n", "        if start > end:\n"),),
    ),
    Bug(
        "weight-of-neighbours",
        "best_weight refuses to take two spans in a row",
        """`best_weight([(Span(0, 5), 2.0), (Span(5, 9), 2.0)])` gives `(2.0, ...)` and one span only. The second begins where
the first one ends, so both can be taken and the answer is 4.0. With a gap of one minute between them it works.""",
        (
            Edit("spanlib/schedule.py", "from bisect import bisect_right\n", "from bisect import bisect_left\n"),
            Edit(
                "spanlib/schedule.py",
                "        before = bisect_right(ends, span.start, 0, index)\n",
                "        before = bisect_left(ends, span.start, 0, index)\n",
            ),
            Edit(
                "spanlib/schedule.py",
                "        index = bisect_right(ends, span.start, 0, index - 1)\n",
                "        index = bisect_left(ends, span.start, 0, index - 1)\n",
            ),
        ),
        hints="Look at both places where the table is searched, they have to agree.",
    ),
    Bug(
        "owner-stays",
        "People without bookings still show up in owners() and load()",
        """After the last booking of somebody is cancelled, `Calendar.owners()` still lists them and `load()` has an entry with
0 minutes. Our report then sends mail to people who have nothing booked.""",
        (
            Edit(
                "spanlib/calendar.py",
                """        mine.remove(booking)
        if not mine:
            del self._bookings[booking.owner]
""",
                """        mine.remove(booking)
""",
            ),
        ),
    ),
)
