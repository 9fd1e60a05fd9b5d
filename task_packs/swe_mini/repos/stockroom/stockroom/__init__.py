"""Stock, prices and orders."""

from stockroom.imports import read_items
from stockroom.inventory import Inventory, OutOfStock
from stockroom.items import Item
from stockroom.orders import Order, Totals
from stockroom.pricing import Bulk, FixedOff, PercentOff, Rule, best_price
from stockroom.reports import Report
from stockroom.shipping import shipping_cost

__all__ = [
    "Bulk",
    "FixedOff",
    "Inventory",
    "Item",
    "Order",
    "OutOfStock",
    "PercentOff",
    "Report",
    "Rule",
    "Totals",
    "best_price",
    "read_items",
    "shipping_cost",
]
