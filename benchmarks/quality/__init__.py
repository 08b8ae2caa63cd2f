"""Every quality of the film beside its bar: `make bench-quality`."""
