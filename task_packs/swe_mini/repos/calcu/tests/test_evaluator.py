import math
import unittest

from calcu import CalcError, EvalError, Evaluator, evaluate


class TestEvaluate(unittest.TestCase):
    def test_arithmetic(self):
        self.assertEqual(evaluate("7 % 4 + 6 / 4"), 4.5)

    def test_comparisons_are_numbers(self):
        self.assertEqual(evaluate("(2 < 3) + (3 <= 3) + (1 == 2) + (1 != 2)"), 3.0)

    def test_variables(self):
        self.assertEqual(evaluate("x * y", {"x": 3, "y": 4}), 12.0)

    def test_constants(self):
        self.assertEqual(evaluate("pi"), math.pi)

    def test_unknown_name(self):
        with self.assertRaisesRegex(EvalError, "unknown name 'q'"):
            evaluate("q + 1")

    def test_division_by_zero(self):
        with self.assertRaises(EvalError):
            evaluate("1 / 0")

    def test_remainder_by_zero(self):
        with self.assertRaises(EvalError):
            evaluate("5 % 0")

    def test_power_of_zero(self):
        with self.assertRaises(EvalError):
            evaluate("0 ^ -1")

    def test_root_of_negative_by_power(self):
        with self.assertRaises(EvalError):
            evaluate("(-8) ^ 0.5")
        self.assertEqual(evaluate("(-2) ^ 3"), -8.0)

    def test_too_large(self):
        with self.assertRaises(EvalError):
            evaluate("10 ^ 999")

    def test_only_one_branch_is_evaluated(self):
        self.assertEqual(evaluate("x == 0 ? 0 : 1 / x", {"x": 0}), 0.0)


class TestSession(unittest.TestCase):
    def test_assignments_stay(self):
        calc = Evaluator()
        calc.run("a = b = 4")
        self.assertEqual(calc.run("a + b"), 8.0)

    def test_answer(self):
        calc = Evaluator()
        calc.run("6 * 7")
        self.assertEqual(calc.run("ans / 2"), 21.0)
        self.assertEqual(calc.last, 21.0)

    def test_answer_stays_after_an_error(self):
        calc = Evaluator()
        calc.run("5")
        with self.assertRaises(CalcError):
            calc.run("1 / 0")
        self.assertEqual(calc.run("ans"), 5.0)

    def test_constants_cannot_be_set(self):
        calc = Evaluator()
        with self.assertRaises(EvalError):
            calc.run("pi = 3")
        self.assertEqual(calc.run("pi"), math.pi)

    def test_given_values_are_copied(self):
        values = {"x": 1}
        Evaluator(values).run("x = 2")
        self.assertEqual(values, {"x": 1})


if __name__ == "__main__":
    unittest.main()
