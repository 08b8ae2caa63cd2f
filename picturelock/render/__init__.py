"""One segment of a film: its frames drawn and encoded."""
