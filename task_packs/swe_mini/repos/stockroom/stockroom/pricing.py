"""Rules that lower a price."""

from decimal import Decimal

from stockroom.money import money, percent


class Rule:
    """A reduction of the price of `count` pieces of an item; the base of all rules reduces nothing."""

    def applies(self, item, count):
        """True if the rule is for such a line."""
        return True

    def off(self, item, count):
        """By how much the line gets cheaper."""
        return Decimal("0.00")

    def price(self, item, count):
        """The price of the line; never below 0."""
        full = money(item.price * count)
        if not self.applies(item, count):
            return full
        return max(full - self.off(item, count), Decimal("0.00"))


class PercentOff(Rule):
    """So many percent off items with a tag, or off everything."""

    def __init__(self, rate, tag=None):
        if not 0 <= rate <= 100:
            raise ValueError("rate must be between 0 and 100")
        self.rate = rate
        self.tag = tag

    def applies(self, item, count):
        return self.tag is None or self.tag in item.tags

    def off(self, item, count):
        return percent(item.price * count, self.rate)


class FixedOff(Rule):
    """An amount off every piece."""

    def __init__(self, amount, sku=None):
        self.amount = money(amount)
        self.sku = sku.upper() if sku is not None else None

    def applies(self, item, count):
        return self.sku is None or self.sku == item.sku

    def off(self, item, count):
        return self.amount * count


class Bulk(Rule):
    """Percentages by number of pieces: Bulk({10: 5, 50: 12}) is 5 % from 10 pieces on, 12 % from 50 on."""

    def __init__(self, steps):
        if not steps:
            raise ValueError("no steps")
        self.steps = dict(steps)

    def rate(self, count):
        """Percent off for so many pieces."""
        reached = [least for least in self.steps if count >= least]
        return self.steps[max(reached)] if reached else 0

    def applies(self, item, count):
        return self.rate(count) > 0

    def off(self, item, count):
        return percent(item.price * count, self.rate(count))


def best_price(item, count, rules):
    """The lowest price that any one rule gives, and the rule (None: the full price)."""
    best, chosen = money(item.price * count), None
    for rule in rules:
        price = rule.price(item, count)
        if price < best:
            best, chosen = price, rule
    return best, chosen
