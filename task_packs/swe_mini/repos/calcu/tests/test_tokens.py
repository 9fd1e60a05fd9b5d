import unittest

from calcu.errors import SyntaxProblem
from calcu.tokens import tokenize


def texts(source):
    return [token.text for token in tokenize(source)][:-1]


class TestTokens(unittest.TestCase):
    def test_operators(self):
        self.assertEqual(texts("a<=b!=c<d"), ["a", "<=", "b", "!=", "c", "<", "d"])

    def test_blanks(self):
        self.assertEqual(texts(" 1 +\t2 "), ["1", "+", "2"])

    def test_fractions(self):
        self.assertEqual(texts("1.5 .25 3."), ["1.5", ".25", "3."])

    def test_exponents(self):
        self.assertEqual(texts("1e3 2E5"), ["1e3", "2E5"])

    def test_signed_exponents(self):
        self.assertEqual(texts("1e-3+2.5E+4"), ["1e-3", "+", "2.5E+4"])

    def test_number_before_name(self):
        self.assertEqual(texts("2e x"), ["2", "e", "x"])

    def test_names(self):
        self.assertEqual(texts("x1 _y z_2"), ["x1", "_y", "z_2"])

    def test_positions(self):
        self.assertEqual([token.position for token in tokenize("ab + 1")], [0, 3, 5, 6])

    def test_unexpected(self):
        with self.assertRaises(SyntaxProblem) as caught:
            tokenize("1 $ 2")
        self.assertEqual(caught.exception.position, 2)


if __name__ == "__main__":
    unittest.main()
