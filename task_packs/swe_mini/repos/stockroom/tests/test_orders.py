import unittest
from decimal import Decimal

from stockroom import Bulk, Order, OutOfStock, PercentOff

from tests.shop import small_shop


class TestLines(unittest.TestCase):
    def setUp(self):
        self.stock = small_shop()
        self.order = Order(self.stock)

    def test_add(self):
        self.order.add("a-1", 2)
        self.order.add("C-3")
        self.assertEqual(self.order.lines, {"A-1": 2, "C-3": 1})

    def test_add_again(self):
        self.order.add("A-1", 2)
        self.order.add("A-1", 3)
        self.assertEqual(self.order.lines, {"A-1": 5})

    def test_add_unknown(self):
        with self.assertRaises(KeyError):
            self.order.add("Z")

    def test_add_nothing(self):
        with self.assertRaises(ValueError):
            self.order.add("A-1", 0)

    def test_discontinued_while_there_are_some(self):
        self.stock.item("B-2").discontinued = True
        self.order.add("B-2", 4)
        with self.assertRaises(ValueError):
            Order(self.stock).add("B-2", 5)

    def test_remove(self):
        self.order.add("A-1", 5)
        self.order.remove("a-1", 2)
        self.assertEqual(self.order.lines, {"A-1": 3})
        self.order.remove("A-1")
        self.assertEqual(self.order.lines, {})

    def test_remove_all_pieces(self):
        self.order.add("A-1", 5)
        self.order.remove("A-1", 5)
        self.assertEqual(self.order.lines, {})

    def test_remove_what_is_not_there(self):
        with self.assertRaises(KeyError):
            self.order.remove("A-1")

    def test_lines_cannot_be_changed_from_outside(self):
        self.order.lines["A-1"] = 9
        self.assertEqual(self.order.lines, {})


class TestTotals(unittest.TestCase):
    def setUp(self):
        self.stock = small_shop()

    def totals(self, lines, rules=None, voucher=None, **options):
        order = Order(self.stock, rules, tax_rate=10)
        for sku, count in lines.items():
            order.add(sku, count)
        if voucher is not None:
            order.use_voucher(voucher)
        return order.totals(**options)

    def test_plain(self):
        totals = self.totals({"A-1": 2})
        self.assertEqual((totals.goods, totals.shipping), (Decimal("9.00"), Decimal("5.90")))
        self.assertEqual((totals.tax, totals.total), (Decimal("1.49"), Decimal("16.39")))

    def test_empty(self):
        self.assertEqual(self.totals({}).total, Decimal("0.00"))

    def test_saved(self):
        totals = self.totals({"A-1": 10}, [Bulk({10: 10})])
        self.assertEqual((totals.goods, totals.saved), (Decimal("45.00"), Decimal("4.50")))

    def test_weight_of_all_pieces(self):
        self.assertEqual(self.totals({"A-1": 7}).shipping, Decimal("9.90"))

    def test_voucher(self):
        totals = self.totals({"C-3": 10}, voucher="5")
        self.assertEqual((totals.voucher, totals.total), (Decimal("5.00"), Decimal("5.39")))

    def test_voucher_after_reductions(self):
        totals = self.totals({"C-3": 10}, [PercentOff(50)], voucher="6")
        self.assertEqual((totals.voucher, totals.total), (Decimal("4.95"), Decimal("0.00")))

    def test_free_shipping_by_goods(self):
        self.assertEqual(self.totals({"B-2": 2}).shipping, Decimal("0.00"))

    def test_free_shipping_counts_reductions(self):
        totals = self.totals({"B-2": 2}, [PercentOff(10)])
        self.assertEqual(totals.shipping, Decimal("9.90"))

    def test_express(self):
        self.assertEqual(self.totals({"B-2": 2}, express=True).shipping, Decimal("14.85"))


class TestStates(unittest.TestCase):
    def setUp(self):
        self.stock = small_shop()
        self.order = Order(self.stock)
        self.order.add("B-2", 3)

    def test_place(self):
        self.order.place()
        self.assertEqual((self.order.state, self.stock.reserved("B-2")), ("placed", 3))

    def test_place_empty(self):
        with self.assertRaises(ValueError):
            Order(self.stock).place()

    def test_place_out_of_stock(self):
        self.order.add("B-2", 2)
        self.order.add("A-1", 1)
        with self.assertRaises(OutOfStock):
            self.order.place()
        self.assertEqual((self.order.state, self.stock.reserved("A-1")), ("open", 0))

    def test_cancel_open(self):
        self.order.cancel()
        self.assertEqual(self.order.state, "cancelled")

    def test_cancel_placed(self):
        self.order.place()
        self.order.cancel()
        self.assertEqual(self.stock.available("B-2"), 4)

    def test_ship(self):
        self.order.place()
        self.order.ship()
        self.assertEqual((self.order.state, self.stock.on_hand("B-2")), ("shipped", 1))

    def test_wrong_state(self):
        with self.assertRaises(ValueError):
            self.order.ship()
        self.order.place()
        with self.assertRaises(ValueError):
            self.order.add("A-1")
        self.order.ship()
        with self.assertRaises(ValueError):
            self.order.cancel()


if __name__ == "__main__":
    unittest.main()
