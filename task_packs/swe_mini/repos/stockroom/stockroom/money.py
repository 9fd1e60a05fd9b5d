"""Amounts of money."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def money(value):
    """An amount in whole cents; half a cent is rounded up."""
    return Decimal(str(value)).quantize(CENT, rounding=ROUND_HALF_UP)


def percent(amount, rate):
    """So many percent of an amount."""
    return money(amount * Decimal(str(rate)) / 100)


def split(amount, parts):
    """The amount in equal parts; cents that are left over go to the first ones."""
    if parts < 1:
        raise ValueError("parts must be at least 1")
    cents = int(money(amount) / CENT)
    each, rest = divmod(cents, parts)
    return [(each + (1 if number < rest else 0)) * CENT for number in range(parts)]
