"""What is sold."""

from dataclasses import dataclass, field
from decimal import Decimal

from stockroom.money import money


@dataclass
class Item:
    """One article. `reorder_at`: order more when so few are left. `weight` is in grams."""

    sku: str
    name: str
    price: Decimal
    weight: int = 0
    reorder_at: int = 5
    discontinued: bool = False
    tags: list = field(default_factory=list)

    def __post_init__(self):
        self.sku = self.sku.strip().upper()
        if not self.sku:
            raise ValueError("an item needs a sku")
        self.price = money(self.price)
        if self.price < 0:
            raise ValueError(f"{self.sku}: negative price")

    def tag(self, name):
        """Add a tag once."""
        name = name.strip().lower()
        if name and name not in self.tags:
            self.tags.append(name)
