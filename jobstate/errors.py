"""How Temporal's refusals look to those who read job states."""


class JobNotFound(Exception):
    """Temporal knows no export of this id."""


class StateRefused(Exception):
    """Temporal does not understand what it was asked, such as a cursor that is none of its own."""


class StateUnavailable(Exception):
    """Temporal cannot be reached, or did not answer in time."""
