"""Every component, hit by every signal, in every stage, on a real stack: how long the job stands still."""
