"""Orders: what a customer wants and what it costs."""

from dataclasses import dataclass
from decimal import Decimal

from stockroom.money import money, percent
from stockroom.pricing import best_price
from stockroom.shipping import shipping_cost


@dataclass(frozen=True)
class Totals:
    """The sums of an order."""

    goods: Decimal
    saved: Decimal
    voucher: Decimal
    shipping: Decimal
    tax: Decimal
    total: Decimal


class Order:
    """Lines of items. States: "open", "placed", "shipped", "cancelled"."""

    def __init__(self, inventory, rules=None, tax_rate=20):
        self.inventory = inventory
        self.rules = list(rules or [])
        self.tax_rate = tax_rate
        self.state = "open"
        self.voucher = Decimal("0.00")
        self._lines = {}

    @property
    def lines(self):
        """sku -> count."""
        return dict(self._lines)

    def add(self, sku, count=1):
        """Add pieces of an item; more of one that is already in the order are added up."""
        self._must_be("open")
        if count <= 0:
            raise ValueError("count must be positive")
        item = self.inventory.item(sku)
        if item.discontinued and count > self.inventory.available(sku):
            raise ValueError(f"{item.sku} is discontinued")
        self._lines[item.sku] = self._lines.get(item.sku, 0) + count

    def remove(self, sku, count=None):
        """Remove pieces, or the whole line."""
        self._must_be("open")
        sku = self.inventory.item(sku).sku
        if sku not in self._lines:
            raise KeyError(sku)
        if count is None or count >= self._lines[sku]:
            del self._lines[sku]
        else:
            self._lines[sku] -= count

    def use_voucher(self, amount):
        """Take an amount off the goods; never more than they cost."""
        self._must_be("open")
        self.voucher = money(amount)

    def totals(self, express=False):
        """What the order costs. Tax is on goods after reductions and on shipping."""
        full = Decimal("0.00")
        reduced = Decimal("0.00")
        weight = 0
        for sku, count in self._lines.items():
            item = self.inventory.item(sku)
            full += money(item.price * count)
            reduced += best_price(item, count, self.rules)[0]
            weight += item.weight * count
        voucher = min(self.voucher, reduced)
        goods = reduced - voucher
        shipping = shipping_cost(weight, goods, express)
        tax = percent(goods + shipping, self.tax_rate)
        return Totals(
            goods=full,
            saved=full - reduced,
            voucher=voucher,
            shipping=shipping,
            tax=tax,
            total=goods + shipping + tax,
        )

    def place(self):
        """Reserve everything.

        Raises:
            ValueError: the order is empty, or not open.
            OutOfStock: something is missing; then nothing is reserved.
        """
        self._must_be("open")
        if not self._lines:
            raise ValueError("the order is empty")
        self.inventory.reserve_all(self._lines)
        self.state = "placed"

    def cancel(self):
        """Give up an order that was not shipped; what was reserved is released."""
        if self.state == "placed":
            for sku, count in self._lines.items():
                self.inventory.release(sku, count)
        elif self.state != "open":
            raise ValueError(f"the order is {self.state}")
        self.state = "cancelled"

    def ship(self):
        """Send everything."""
        self._must_be("placed")
        for sku, count in self._lines.items():
            self.inventory.ship(sku, count)
        self.state = "shipped"

    def _must_be(self, state):
        if self.state != state:
            raise ValueError(f"the order is {self.state}, not {state}")
