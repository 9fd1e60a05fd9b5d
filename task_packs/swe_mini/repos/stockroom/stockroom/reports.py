"""What the stock looks like."""

from decimal import Decimal

from stockroom.money import money


class Report:
    """Figures of an inventory at the time they are asked for."""

    def __init__(self, inventory):
        self.inventory = inventory

    def low(self):
        """Items to be ordered again: few available, and not discontinued. The emptiest first."""
        found = []
        for item in self.inventory.items():
            available = self.inventory.available(item.sku)
            if available <= item.reorder_at and not item.discontinued:
                found.append((available, item.sku))
        return [sku for _, sku in sorted(found)]

    def value(self, tag=None):
        """What everything on hand would sell for, or everything with a tag."""
        items = self.inventory.items() if tag is None else self.inventory.by_tag(tag)
        return sum((money(item.price * self.inventory.on_hand(item.sku)) for item in items), Decimal("0.00"))

    def average_price(self):
        """Mean price of the pieces on hand; 0 if there are none."""
        pieces = sum(self.inventory.on_hand(item.sku) for item in self.inventory.items())
        return money(self.value() / pieces) if pieces else Decimal("0.00")

    def shipped(self):
        """How many of each item were shipped so far."""
        found = {}
        for action, sku, count in self.inventory.history:
            if action == "ship":
                found[sku] = found.get(sku, 0) + count
        return found

    def best_sellers(self, most=3):
        """The skus shipped most often, the best first; equal ones by sku."""
        ranked = sorted(self.shipped().items(), key=lambda pair: (-pair[1], pair[0]))
        return [sku for sku, _ in ranked[:most]]

    def dead_stock(self):
        """Items on hand that were never shipped."""
        sold = self.shipped()
        return [i.sku for i in self.inventory.items() if i.sku not in sold and self.inventory.on_hand(i.sku) > 0]
