"""How many of each item there are."""

from stockroom.items import Item


class OutOfStock(Exception):
    """Fewer are available than wanted."""

    def __init__(self, sku, wanted, available):
        super().__init__(f"{sku}: {wanted} wanted, {available} available")
        self.sku = sku
        self.wanted = wanted
        self.available = available


class Inventory:
    """Counts of items: on hand, and how many of those are reserved for orders."""

    def __init__(self):
        self._items = {}
        self._on_hand = {}
        self._reserved = {}
        self.history = []

    def __contains__(self, sku):
        return _sku(sku) in self._items

    def add(self, item, count=0):
        """Add an item, or more of one that is there."""
        if not isinstance(item, Item):
            raise TypeError(f"not an item: {item!r}")
        if count < 0:
            raise ValueError("count must not be negative")
        self._items.setdefault(item.sku, item)
        self._on_hand[item.sku] = self._on_hand.get(item.sku, 0) + count
        self._reserved.setdefault(item.sku, 0)
        self._note("add", item.sku, count)

    def item(self, sku):
        """The item of a sku.

        Raises:
            KeyError: there is none.
        """
        return self._items[_sku(sku)]

    def items(self):
        """All items by sku."""
        return [self._items[sku] for sku in sorted(self._items)]

    def on_hand(self, sku):
        """How many are there, reserved ones included."""
        return self._on_hand[_sku(sku)]

    def reserved(self, sku):
        """How many are reserved."""
        return self._reserved[_sku(sku)]

    def available(self, sku):
        """How many can still be reserved."""
        return self.on_hand(sku) - self.reserved(sku)

    def reserve(self, sku, count):
        """Set some aside for an order.

        Raises:
            OutOfStock: not so many are available.
        """
        self._positive(count)
        sku = _sku(sku)
        if count > self.available(sku):
            raise OutOfStock(sku, count, self.available(sku))
        self._reserved[sku] += count
        self._note("reserve", sku, count)

    def release(self, sku, count):
        """Give reserved ones back.

        Raises:
            ValueError: not so many are reserved.
        """
        self._positive(count)
        sku = _sku(sku)
        if count > self._reserved[sku]:
            raise ValueError(f"{sku}: only {self._reserved[sku]} reserved")
        self._reserved[sku] -= count
        self._note("release", sku, count)

    def ship(self, sku, count):
        """Send reserved ones away.

        Raises:
            ValueError: not so many are reserved.
        """
        self._positive(count)
        sku = _sku(sku)
        if count > self._reserved[sku]:
            raise ValueError(f"{sku}: only {self._reserved[sku]} reserved")
        self._reserved[sku] -= count
        self._on_hand[sku] -= count
        self._note("ship", sku, count)

    def reserve_all(self, wanted):
        """Reserve several items, or none at all.

        Args:
            wanted: sku -> count.
        """
        done = []
        try:
            for sku, count in wanted.items():
                self.reserve(sku, count)
                done.append((sku, count))
        except (OutOfStock, KeyError):
            for sku, count in done:
                self.release(sku, count)
            raise

    def by_tag(self, tag):
        """Items that carry a tag, by sku."""
        return [item for item in self.items() if tag.strip().lower() in item.tags]

    def _positive(self, count):
        if count <= 0:
            raise ValueError("count must be positive")

    def _note(self, action, sku, count):
        self.history.append((action, sku, count))


def _sku(sku):
    return sku.strip().upper()
