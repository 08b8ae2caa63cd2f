"""Pictures of strangers: found out and decoded in a process of their own, which is given little."""
