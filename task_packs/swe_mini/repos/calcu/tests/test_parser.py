import unittest

from calcu import SyntaxProblem, evaluate, parse, render
from calcu.nodes import Binary, Call, Name, Number, names


class TestParser(unittest.TestCase):
    def test_precedence(self):
        self.assertEqual(parse("1+x*3"), Binary("+", Number(1.0), Binary("*", Name("x"), Number(3.0))))

    def test_left_to_right(self):
        self.assertEqual(evaluate("10-4-3"), 3.0)
        self.assertEqual(evaluate("24/4/2"), 3.0)

    def test_power_is_right_to_left(self):
        self.assertEqual(evaluate("2^3^2"), 512.0)

    def test_power_before_product(self):
        self.assertEqual(evaluate("2*3^2"), 18.0)

    def test_sign_after_power(self):
        self.assertEqual(evaluate("-2^2"), -4.0)

    def test_sign_before_product(self):
        self.assertEqual(evaluate("-2*3+10"), 4.0)

    def test_sign_in_exponent(self):
        self.assertEqual(evaluate("2^-1"), 0.5)

    def test_brackets(self):
        self.assertEqual(evaluate("2*(3+4)"), 14.0)

    def test_calls(self):
        self.assertEqual(parse("f(1, x)"), Call("f", (Number(1.0), Name("x"))))
        self.assertEqual(parse("f()"), Call("f", ()))

    def test_choice_nests_to_the_right(self):
        self.assertEqual(evaluate("0 ? 1 : 0 ? 2 : 3"), 3.0)

    def test_choice_in_brackets(self):
        self.assertEqual(evaluate("(1 ? 5 : 6) + 1"), 6.0)

    def test_errors(self):
        for text in ("", "1+", "(1", "1)", "f(1,", "1 2", "a ? b", "f(,)"):
            with self.subTest(text), self.assertRaises(SyntaxProblem):
                parse(text)

    def test_error_position(self):
        with self.assertRaises(SyntaxProblem) as caught:
            parse("1 + * 2")
        self.assertEqual(caught.exception.position, 4)

    def test_names(self):
        self.assertEqual(names(parse("a + f(b, a) ? c : 1")), ["a", "b", "c"])


class TestRender(unittest.TestCase):
    def test_needed_brackets_stay(self):
        for text in ("(a + b) * c", "a - (b - c)", "a ^ b ^ c", "(a ^ b) ^ c", "-(a + b)", "f(a, b + 1)"):
            with self.subTest(text):
                self.assertEqual(render(parse(text)), text)

    def test_needless_brackets_go(self):
        self.assertEqual(render(parse("(a * b) + (c)")), "a * b + c")

    def test_choice_within_choice(self):
        self.assertEqual(render(parse("(a ? b : c) ? d : e")), "(a ? b : c) ? d : e")
        self.assertEqual(render(parse("a ? b : c ? d : e")), "a ? b : c ? d : e")


if __name__ == "__main__":
    unittest.main()
