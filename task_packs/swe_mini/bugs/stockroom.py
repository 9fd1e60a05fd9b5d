"""Bugs of stockroom."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "half-cents",
        "Half a cent is sometimes rounded down",
        """`money("0.125")` is 0.12, while `money("0.135")` is 0.14. The documentation says that half a cent is rounded up. Our
accountants found differences of a cent in about one invoice of twenty.""",
        (
            Edit(
                "stockroom/money.py",
                "from decimal import ROUND_HALF_UP, Decimal\n",
                "from decimal import Decimal\n",
            ),
            Edit(
                "stockroom/money.py",
                "    return Decimal(str(value)).quantize(CENT, rounding=ROUND_HALF_UP)\n",
                "    return Decimal(str(value)).quantize(CENT)\n",
            ),
        ),
    ),
    Bug(
        "bulk-order-of-steps",
        "Bulk gives the small discount if the large step is written first",
        """`Bulk({10: 5, 50: 12}).rate(70)` is 12, but `Bulk({50: 12, 10: 5}).rate(70)` is 5. The steps come from a JSON file where
the order is not under our control.""",
        (
            Edit(
                "stockroom/pricing.py",
                "        return self.steps[max(reached)] if reached else 0\n",
                "        return self.steps[reached[-1]] if reached else 0\n",
            ),
        ),
    ),
    Bug(
        "low-ignores-reserved",
        "Items that are all reserved are not reported as low",
        """We have 20 cups, 16 of which are promised to customers. `Report.low()` does not list the cup (it is to be reordered at
5), so we ran out. What is reserved cannot be sold again.""",
        (
            Edit(
                "stockroom/reports.py",
                "            available = self.inventory.available(item.sku)\n",
                "            available = self.inventory.on_hand(item.sku)\n",
            ),
        ),
    ),
    Bug(
        "free-shipping-too-soon",
        "Shipping is free although the customer pays less than 50.00",
        """Two lamps cost 50.00, with 10 % off 45.00. The order is sent for free. Free shipping from 50.00 on refers to what the
goods cost after reductions and vouchers.""",
        (
            Edit(
                "stockroom/orders.py",
                "        shipping = shipping_cost(weight, goods, express)\n",
                "        shipping = shipping_cost(weight, full, express)\n",
            ),
        ),
    ),
    Bug(
        "reserved-for-nothing",
        "Stock stays reserved when an order contains an unknown item",
        """`reserve_all({"A-1": 2, "Z": 1})` raises KeyError for Z, as it should, but the two pieces of A-1 stay reserved for ever.
The method promises all or nothing, and with too few pieces in stock it keeps that promise.""",
        (
            Edit(
                "stockroom/inventory.py",
                "        except (OutOfStock, KeyError):\n",
                "        except OutOfStock:\n",
            ),
        ),
    ),
    Bug(
        "express-for-free",
        "Express is free from 50.00 on",
        """Free shipping applies to normal shipping only, the docstring of `shipping_cost` says so. At the moment express costs
nothing either for large orders: `shipping_cost(300, Decimal("80"), express=True)` returns 0.00.""",
        (
            Edit(
                "stockroom/shipping.py",
                "    if total >= FREE_FROM and not express:\n",
                "    if total >= FREE_FROM:\n",
            ),
        ),
    ),
    Bug(
        "empty-upload",
        "TypeError when an empty file is imported",
        """Someone uploaded an empty file and `read_items("")` failed with "TypeError: 'NoneType' object is not iterable". It should
complain about the missing columns like it does for other bad files.""",
        (
            Edit(
                "stockroom/imports.py",
                "    columns = [name.strip().lower() for name in reader.fieldnames or []]\n",
                "    columns = [name.strip().lower() for name in reader.fieldnames]\n",
            ),
        ),
    ),
    Bug(
        "delivery-drops-reservations",
        "A delivery makes reserved pieces available again",
        """3 cups are reserved, then 5 new ones arrive (`stock.add(cup, 5)`). Afterwards `reserved("A-1")` is 0 and the three are
sold a second time.""",
        (
            Edit(
                "stockroom/inventory.py",
                "        self._reserved.setdefault(item.sku, 0)\n",
                "        self._reserved[item.sku] = 0\n",
            ),
        ),
    ),
)
