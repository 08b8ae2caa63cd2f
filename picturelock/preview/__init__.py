"""A film that is watched while it is made: its finished beginning, as fragments that a player can be given."""
