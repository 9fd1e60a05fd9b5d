import unittest
from decimal import Decimal

from stockroom import Inventory, Item, Report, read_items

from tests.shop import small_shop


class TestReport(unittest.TestCase):
    def setUp(self):
        self.stock = small_shop()
        self.report = Report(self.stock)

    def ship(self, sku, count):
        self.stock.reserve(sku, count)
        self.stock.ship(sku, count)

    def test_low(self):
        self.ship("A-1", 18)
        self.assertEqual(self.report.low(), ["A-1", "B-2"])

    def test_low_at_the_limit(self):
        self.ship("A-1", 15)
        self.assertIn("A-1", self.report.low())

    def test_low_counts_reservations(self):
        self.stock.reserve("A-1", 16)
        self.assertIn("A-1", self.report.low())

    def test_low_without_discontinued(self):
        self.stock.item("B-2").discontinued = True
        self.assertEqual(self.report.low(), [])

    def test_value(self):
        self.assertEqual(self.report.value(), Decimal("289.00"))

    def test_value_of_a_tag(self):
        self.assertEqual(self.report.value("kitchen"), Decimal("90.00"))
        self.assertEqual(self.report.value("none"), Decimal("0.00"))

    def test_average_price(self):
        stock = Inventory()
        stock.add(Item("a", "x", "1.00"), 3)
        stock.add(Item("b", "y", "5.00"), 1)
        self.assertEqual(Report(stock).average_price(), Decimal("2.00"))

    def test_average_price_of_nothing(self):
        self.assertEqual(Report(Inventory()).average_price(), Decimal("0.00"))

    def test_shipped(self):
        self.ship("A-1", 2)
        self.ship("A-1", 3)
        self.assertEqual(self.report.shipped(), {"A-1": 5})

    def test_best_sellers(self):
        for sku, count in (("A-1", 2), ("B-2", 2), ("C-3", 40)):
            self.ship(sku, count)
        self.assertEqual(self.report.best_sellers(), ["C-3", "A-1", "B-2"])
        self.assertEqual(self.report.best_sellers(1), ["C-3"])

    def test_dead_stock(self):
        self.ship("A-1", 2)
        self.assertEqual(self.report.dead_stock(), ["B-2", "C-3"])

    def test_dead_stock_is_on_hand(self):
        self.stock.add(Item("D-4", "vase", 9))
        self.assertNotIn("D-4", self.report.dead_stock())


class TestImport(unittest.TestCase):
    def test_read(self):
        text = "sku,name,price,count,weight,tags\na-1,cup,4.50,20,300,kitchen;New\n"
        [(item, count)] = read_items(text)
        self.assertEqual((item.sku, item.price, item.weight, count), ("A-1", Decimal("4.50"), 300, 20))
        self.assertEqual(item.tags, ["kitchen", "new"])

    def test_columns_in_any_case_and_order(self):
        [(item, count)] = read_items("Price, Name, SKU\n2.00, pen, p-1\n")
        self.assertEqual((item.sku, item.name, count), ("P-1", "pen", 0))

    def test_empty_optional_values(self):
        [(item, count)] = read_items("sku,name,price,count,reorder_at\np-1,pen,2,,\n")
        self.assertEqual((count, item.reorder_at), (0, 5))

    def test_blank_lines(self):
        self.assertEqual(len(read_items("sku,name,price\np-1,pen,2\n\n , ,\np-2,pin,1\n")), 2)

    def test_missing_column(self):
        with self.assertRaisesRegex(ValueError, "price"):
            read_items("sku,name\na,b\n")

    def test_no_text_at_all(self):
        with self.assertRaisesRegex(ValueError, "sku, name, price"):
            read_items("")

    def test_wrong_price(self):
        with self.assertRaisesRegex(ValueError, "line 3"):
            read_items("sku,name,price\na,b,1\nc,d,cheap\n")

    def test_wrong_count(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            read_items("sku,name,price,count\na,b,1,many\n")


if __name__ == "__main__":
    unittest.main()
