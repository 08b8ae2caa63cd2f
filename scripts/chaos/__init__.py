"""Random actions and faults against a real stack, by seed, and what must hold whatever happens: `make chaos`.

A round is three jobs that share a stack and its faults. A seed fixes what is done and when; what a fault meets depends
on the machine. `python -m scripts.chaos --seeds 5 --rounds 4 --only 5.2` repeats one round.
"""
