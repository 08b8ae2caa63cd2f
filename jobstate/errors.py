"""How Temporal's refusals look to those who read job states."""


class JobNotFound(Exception):
    """Temporal knows no export of this id."""


class StateUnavailable(Exception):
    """Temporal cannot be reached, or did not answer in time."""
