"""SWE-bench files and repositories: instances, predictions, trees at a base commit."""
