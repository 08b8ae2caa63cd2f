"""Measurements against stated bars. Each prints one JSON line a figure and a table, and compares within one run."""
