import unittest
from decimal import Decimal

from stockroom import Bulk, FixedOff, Item, PercentOff, best_price, shipping_cost
from stockroom.money import money, percent, split


class TestMoney(unittest.TestCase):
    def test_whole_cents(self):
        self.assertEqual(money("1.234"), Decimal("1.23"))
        self.assertEqual(money(0.1 + 0.2), Decimal("0.30"))

    def test_half_a_cent_is_rounded_up(self):
        self.assertEqual(money("0.125"), Decimal("0.13"))
        self.assertEqual(money("0.145"), Decimal("0.15"))

    def test_percent(self):
        self.assertEqual(percent(Decimal("19.99"), 10), Decimal("2.00"))
        self.assertEqual(percent(Decimal("10.00"), 7.5), Decimal("0.75"))

    def test_split(self):
        self.assertEqual(split("10.00", 4), [Decimal("2.50")] * 4)

    def test_split_with_rest(self):
        self.assertEqual(split("0.05", 3), [Decimal("0.02"), Decimal("0.02"), Decimal("0.01")])

    def test_split_into_nothing(self):
        with self.assertRaises(ValueError):
            split("1", 0)


class TestRules(unittest.TestCase):
    def setUp(self):
        self.cup = Item("A-1", "cup", "4.50", tags=["kitchen"])

    def test_percent_off(self):
        self.assertEqual(PercentOff(10).price(self.cup, 2), Decimal("8.10"))

    def test_percent_off_a_tag(self):
        self.assertEqual(PercentOff(10, "kitchen").price(self.cup, 1), Decimal("4.05"))
        self.assertEqual(PercentOff(10, "paper").price(self.cup, 1), Decimal("4.50"))

    def test_bad_rate(self):
        for rate in (-1, 101):
            with self.subTest(rate), self.assertRaises(ValueError):
                PercentOff(rate)

    def test_fixed_off(self):
        self.assertEqual(FixedOff("0.50").price(self.cup, 3), Decimal("12.00"))

    def test_fixed_off_one_sku(self):
        self.assertEqual(FixedOff("0.50", "a-1").price(self.cup, 1), Decimal("4.00"))
        self.assertEqual(FixedOff("0.50", "b-2").price(self.cup, 1), Decimal("4.50"))

    def test_never_below_zero(self):
        self.assertEqual(FixedOff("9").price(self.cup, 2), Decimal("0.00"))

    def test_bulk(self):
        rule = Bulk({10: 5, 50: 12})
        self.assertEqual([rule.rate(count) for count in (1, 9, 11, 49, 60)], [0, 0, 5, 5, 12])

    def test_bulk_from_the_step_on(self):
        rule = Bulk({10: 5, 50: 12})
        self.assertEqual((rule.rate(10), rule.rate(50)), (5, 12))

    def test_bulk_steps_in_any_order(self):
        self.assertEqual(Bulk({50: 12, 10: 5}).rate(70), 12)

    def test_best_price(self):
        fixed, half = FixedOff("0.10"), PercentOff(50)
        self.assertEqual(best_price(self.cup, 2, [fixed, half]), (Decimal("4.50"), half))
        self.assertEqual(best_price(self.cup, 2, [half, fixed]), (Decimal("4.50"), half))

    def test_no_rule_helps(self):
        self.assertEqual(best_price(self.cup, 1, [PercentOff(10, "paper")]), (Decimal("4.50"), None))


class TestShipping(unittest.TestCase):
    def test_steps(self):
        costs = [shipping_cost(weight, Decimal(5)) for weight in (1, 600, 5000)]
        self.assertEqual(costs, [Decimal("3.90"), Decimal("5.90"), Decimal("9.90")])

    def test_end_of_a_step(self):
        self.assertEqual(shipping_cost(500, Decimal(5)), Decimal("3.90"))
        self.assertEqual(shipping_cost(10000, Decimal(5)), Decimal("9.90"))

    def test_heavy(self):
        self.assertEqual(shipping_cost(12000, Decimal(5)), Decimal("12.30"))

    def test_started_kilo_counts(self):
        self.assertEqual(shipping_cost(10001, Decimal(5)), Decimal("11.10"))

    def test_nothing_to_send(self):
        self.assertEqual(shipping_cost(0, Decimal(5), express=True), Decimal("0.00"))

    def test_free(self):
        self.assertEqual(shipping_cost(300, Decimal("50.00")), Decimal("0.00"))
        self.assertEqual(shipping_cost(300, Decimal("49.99")), Decimal("3.90"))

    def test_express(self):
        self.assertEqual(shipping_cost(300, Decimal("10")), Decimal("3.90"))
        self.assertEqual(shipping_cost(300, Decimal("10"), express=True), Decimal("5.85"))

    def test_express_is_never_free(self):
        self.assertEqual(shipping_cost(300, Decimal("80"), express=True), Decimal("5.85"))


if __name__ == "__main__":
    unittest.main()
