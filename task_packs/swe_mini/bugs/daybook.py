"""Bugs of daybook."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "december",
        "add_months is a year off for December",
        """`add_months(date(2024, 6, 10), 6)` returns 2025-12-10. It should be 2024-12-10. Other months are right as long as
they do not end up in December.""",
        (
            Edit(
                "daybook/dates.py",
                """    total = day.year * 12 + (day.month - 1) + months
    year, month = total // 12, total % 12 + 1
""",
                """    total = day.year * 12 + day.month + months
    year, month = total // 12, total % 12 or 12
""",
            ),
        ),
    ),
    Bug(
        "age",
        "years_between is one too low late in the month",
        """From 2000-05-20 to 2024-06-01 it says 23 years. The birthday was two weeks ago, so it should be 24.""",
        (
            Edit(
                "daybook/dates.py",
                "    if (end.month, end.day) < (start.month, start.day):\n",
                "    if end.month < start.month or end.day < start.day:\n",
            ),
        ),
    ),
    Bug(
        "open-ranges",
        "TypeError in overlaps when the other range has no end",
        """    DateRange(date(2024, 3, 5)).overlaps(DateRange(date(2024, 3, 20)))

    TypeError: '<=' not supported between instances of 'datetime.date' and 'NoneType'

The other way round, a range with an end against one without, depends on who is asked.""",
        (
            Edit(
                "daybook/ranges.py",
                "        theirs = other.end is None or self.start <= other.end\n",
                "        theirs = self.start <= other.end\n",
            ),
        ),
    ),
    Bug(
        "merge-shrinks",
        "merge_ranges loses days when one range lies inside another",
        """1.-20. March and 5.-9. March are merged to 1.-9. March. The days from the 10th on are gone.""",
        (
            Edit(
                "daybook/ranges.py",
                "            merged[-1] = DateRange(last.start, max(last.end, each.end))\n",
                "            merged[-1] = DateRange(last.start, each.end)\n",
            ),
        ),
    ),
    Bug(
        "march-to-march",
        "format_range hides the year of the start",
        """5 March 2023 to 8 March 2024 is shown as "5.-8. March 2024", which looks like four days.""",
        (
            Edit(
                "daybook/parse.py",
                "    if (start.year, start.month) == (end.year, end.month):\n",
                "    if start.month == end.month:\n",
            ),
        ),
    ),
    Bug(
        "observed-holiday",
        "add_holiday(observed=True) does not close the day it returns",
        """1 December 2024 is a Sunday. `add_holiday(date(2024, 12, 1), observed=True)` returns Monday the 2nd, but `is_open` is
still True for that Monday. The Sunday was put into `holidays` instead.""",
        (
            Edit(
                "daybook/business.py",
                """        if observed:
            day = self.roll(day, "following")
        self.holidays.add(day)
        return day
""",
                """        self.holidays.add(day)
        if observed:
            day = self.roll(day, "following")
        return day
""",
            ),
        ),
    ),
    Bug(
        "drifting-months",
        "every(1, 'months') never comes back to the 31st",
        """Starting on 31 January I get 29 February, 29 March, 29 April. The documentation says that the 31st comes back after a
short month. Yearly dates from 29 February have the same problem: they are on the 28th for ever.""",
        (
            Edit(
                "daybook/recur.py",
                """    for number in counted():
        if count is not None and number >= count:
            return
        day = _step(start, number * interval, unit)
        if until is not None and day > until:
            return
        yield day
""",
                """    day = start
    for number in counted():
        if count is not None and number >= count:
            return
        if until is not None and day > until:
            return
        yield day
        day = _step(day, interval, unit)
""",
            ),
        ),
    ),
    Bug(
        "load-outside",
        "Roster.load counts days outside the range",
        """`load(within)` should only count duty days within the range. Ana is on duty from the 1st to the 5th; for 5.-12. March I
get five days for that duty instead of one.""",
        (
            Edit(
                "daybook/shifts.py",
                "                    found[person] += common.days\n",
                "                    found[person] += span.days\n",
            ),
        ),
    ),
)
