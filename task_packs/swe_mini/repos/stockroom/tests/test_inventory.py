import unittest
from decimal import Decimal

from stockroom import Inventory, Item, OutOfStock

from tests.shop import small_shop


class TestItem(unittest.TestCase):
    def test_sku_is_tidied(self):
        self.assertEqual(Item(" a-1 ", "cup", 1).sku, "A-1")

    def test_price_is_money(self):
        self.assertEqual(Item("a", "x", "1.005").price, Decimal("1.01"))

    def test_refused(self):
        for sku, price in ((" ", 1), ("a", "-0.01")):
            with self.subTest(sku), self.assertRaises(ValueError):
                Item(sku, "x", price)

    def test_tags_once(self):
        item = Item("a", "x", 1)
        item.tag(" New ")
        item.tag("new")
        item.tag("  ")
        self.assertEqual(item.tags, ["new"])

    def test_items_do_not_share_tags(self):
        Item("a", "x", 1).tag("new")
        self.assertEqual(Item("b", "y", 1).tags, [])


class TestInventory(unittest.TestCase):
    def setUp(self):
        self.stock = small_shop()

    def test_counts(self):
        self.assertEqual(self.stock.on_hand("a-1"), 20)
        self.assertEqual(self.stock.available("A-1"), 20)

    def test_add_more(self):
        self.stock.add(Item("A-1", "cup", 9), 5)
        self.assertEqual(self.stock.on_hand("A-1"), 25)
        self.assertEqual(self.stock.item("A-1").price, Decimal("4.50"))

    def test_add_more_keeps_reservations(self):
        self.stock.reserve("A-1", 3)
        self.stock.add(self.stock.item("A-1"), 5)
        self.assertEqual(self.stock.available("A-1"), 22)

    def test_unknown(self):
        self.assertNotIn("Z", self.stock)
        with self.assertRaises(KeyError):
            self.stock.on_hand("Z")

    def test_reserve(self):
        self.stock.reserve("b-2", 3)
        self.assertEqual((self.stock.on_hand("B-2"), self.stock.available("B-2")), (4, 1))

    def test_reserve_everything(self):
        self.stock.reserve("B-2", 4)
        self.assertEqual(self.stock.available("B-2"), 0)

    def test_reserve_too_many(self):
        self.stock.reserve("B-2", 3)
        with self.assertRaises(OutOfStock) as caught:
            self.stock.reserve("B-2", 2)
        self.assertEqual(caught.exception.available, 1)

    def test_release(self):
        self.stock.reserve("B-2", 3)
        self.stock.release("B-2", 2)
        self.assertEqual(self.stock.reserved("B-2"), 1)

    def test_release_too_many(self):
        self.stock.reserve("B-2", 1)
        with self.assertRaises(ValueError):
            self.stock.release("B-2", 2)
        self.assertEqual(self.stock.reserved("B-2"), 1)

    def test_ship(self):
        self.stock.reserve("B-2", 3)
        self.stock.ship("B-2", 2)
        self.assertEqual((self.stock.on_hand("B-2"), self.stock.reserved("B-2")), (2, 1))

    def test_ship_needs_reservation(self):
        with self.assertRaises(ValueError):
            self.stock.ship("B-2", 1)

    def test_counts_must_be_positive(self):
        for method in (self.stock.reserve, self.stock.release, self.stock.ship):
            with self.subTest(method.__name__), self.assertRaises(ValueError):
                method("A-1", 0)

    def test_all_or_nothing(self):
        with self.assertRaises(OutOfStock):
            self.stock.reserve_all({"A-1": 2, "B-2": 9})
        self.assertEqual(self.stock.reserved("A-1"), 0)

    def test_all_or_nothing_with_unknown(self):
        with self.assertRaises(KeyError):
            self.stock.reserve_all({"A-1": 2, "Z": 1})
        self.assertEqual(self.stock.reserved("A-1"), 0)

    def test_by_tag(self):
        self.assertEqual([item.sku for item in self.stock.by_tag(" Paper")], ["C-3"])

    def test_history(self):
        stock = Inventory()
        stock.add(Item("a", "x", 1), 2)
        stock.reserve("a", 1)
        stock.ship("a", 1)
        self.assertEqual(stock.history, [("add", "A", 2), ("reserve", "A", 1), ("ship", "A", 1)])


if __name__ == "__main__":
    unittest.main()
