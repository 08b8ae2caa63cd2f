"""The work: one thin module a stage. Heartbeats, cancellation and error classes here; the domain does the rest."""
