"""Deliberate breaks of the product, each of which a test has to see."""
