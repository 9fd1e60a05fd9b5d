"""What sending costs."""

from decimal import Decimal

from stockroom.money import money

# up to so many grams -> price
STEPS = ((500, "3.90"), (2000, "5.90"), (10000, "9.90"))
PER_KILO = Decimal("1.20")
FREE_FROM = Decimal("50.00")


def shipping_cost(weight, total, express=False):
    """Price of sending `weight` grams of goods worth `total`.

    Free from 50.00 on, unless express, which costs half as much again as sending normally.
    """
    if weight < 0:
        raise ValueError("weight must not be negative")
    if weight == 0:
        return Decimal("0.00")
    if total >= FREE_FROM and not express:
        return Decimal("0.00")
    cost = _normal(weight)
    return money(cost * Decimal("1.5")) if express else cost


def _normal(weight):
    for most, price in STEPS:
        if weight <= most:
            return Decimal(price)
    heaviest, price = STEPS[-1]
    kilos = -(-(weight - heaviest) // 1000)
    return Decimal(price) + kilos * PER_KILO
