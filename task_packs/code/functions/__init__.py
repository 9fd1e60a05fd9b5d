"""Small real functions with docstring, canonical code, reference and test inputs; families build scenes from them."""
