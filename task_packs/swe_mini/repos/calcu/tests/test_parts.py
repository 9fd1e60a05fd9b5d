import unittest

from calcu import EvalError, Scope, evaluate, parse, render, show_number, simplify


class TestFunctions(unittest.TestCase):
    def test_values(self):
        for text, value in [
            ("abs(-3)", 3.0),
            ("avg(1, 2, 6)", 3.0),
            ("max(1, 7, 3)", 7.0),
            ("min(4, 2)", 2.0),
            ("sum()", 0.0),
            ("log(8, 2)", 3.0),
            ("root(16)", 4.0),
        ]:
            with self.subTest(text):
                self.assertAlmostEqual(evaluate(text), value)

    def test_one_argument(self):
        self.assertEqual(evaluate("max(4) + min(3)"), 7.0)

    def test_clamp(self):
        self.assertEqual([evaluate(f"clamp({x}, 0, 10)") for x in (-5, 5, 15)], [0.0, 5.0, 10.0])

    def test_clamp_wrong_order(self):
        with self.assertRaises(EvalError):
            evaluate("clamp(1, 5, 2)")

    def test_odd_root_of_negative(self):
        self.assertAlmostEqual(evaluate("root(-27, 3)"), -3.0)

    def test_even_root_of_negative(self):
        with self.assertRaises(EvalError):
            evaluate("root(-4)")

    def test_log_outside(self):
        for text in ("log(0)", "log(-1)", "log(5, 1)"):
            with self.subTest(text), self.assertRaises(EvalError):
                evaluate(text)

    def test_round(self):
        self.assertEqual(evaluate("round(2.5)"), 3.0)
        self.assertEqual(evaluate("round(3.14159, 2)"), 3.14)

    def test_wrong_number_of_arguments(self):
        for text in ("abs()", "abs(1, 2)", "clamp(1, 2)", "log(1, 2, 3)"):
            with self.subTest(text), self.assertRaises(EvalError):
                evaluate(text)

    def test_average_of_nothing(self):
        with self.assertRaises(EvalError):
            evaluate("avg()")

    def test_unknown_function(self):
        with self.assertRaises(EvalError):
            evaluate("nope(1)")


class TestScope(unittest.TestCase):
    def test_looks_outside(self):
        inner = Scope({"a": 1}).child({"b": 2}).child()
        self.assertEqual((inner.get("a"), inner.get("b")), (1, 2))

    def test_set_changes_where_defined(self):
        outer = Scope({"a": 1})
        outer.child().set("a", 5)
        self.assertEqual(outer.get("a"), 5)

    def test_new_names_stay_inside(self):
        outer = Scope()
        outer.child().set("a", 5)
        with self.assertRaises(EvalError):
            outer.get("a")

    def test_define_hides(self):
        outer = Scope({"a": 1})
        inner = outer.child()
        inner.define("a", 2)
        self.assertEqual((inner.get("a"), outer.get("a")), (2, 1))

    def test_names(self):
        self.assertEqual(Scope({"b": 1}).child({"a": 1}).child().names(), ["a", "b"])


class TestSimplify(unittest.TestCase):
    def check(self, text, wanted):
        self.assertEqual(render(simplify(parse(text))), wanted)

    def test_constants_are_folded(self):
        self.check("2 * 3 + x", "6 + x")

    def test_zero(self):
        self.check("x + 0", "x")
        self.check("0 + x", "x")
        self.check("x * 0", "0")

    def test_minus_zero(self):
        self.check("x - 0", "x")

    def test_zero_minus(self):
        self.check("0 - x", "-x")

    def test_one(self):
        self.check("1 * x", "x")
        self.check("x / 1", "x")
        self.check("x ^ 1", "x")

    def test_one_over_x_stays(self):
        self.check("1 / x", "1 / x")

    def test_two_signs(self):
        self.check("--x", "x")

    def test_choice(self):
        self.check("1 < 2 ? a + 0 : b", "a")

    def test_errors_are_left(self):
        self.check("1 / 0 + x", "1 / 0 + x")


class TestShow(unittest.TestCase):
    def test_numbers(self):
        for value, text in [(3.0, "3"), (0.1 + 0.2, "0.3"), (100.0, "100"), (1.5, "1.5"), (1e20, "1e+20")]:
            with self.subTest(text):
                self.assertEqual(show_number(value), text)

    def test_no_negative_zero(self):
        self.assertEqual(show_number(-0.0), "0")


if __name__ == "__main__":
    unittest.main()
