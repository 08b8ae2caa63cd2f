"""Designed scenes: what the author wrote, laid out in a theme and revealed as it is spoken of."""
