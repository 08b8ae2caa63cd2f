"""What happens, in which order. Deterministic; all I/O is in activities."""
