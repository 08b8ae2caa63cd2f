"""The command: against a real API, in a pipe and on a terminal."""
