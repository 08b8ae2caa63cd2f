"""The HTTP facade: requests in, Temporal calls out. It holds no state of its own."""
