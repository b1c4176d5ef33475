"""What every failure with a sentence for the user has in common."""


class BareFlowError(Exception):
    """The message says what is wrong and, where there is something to do, what to do."""
