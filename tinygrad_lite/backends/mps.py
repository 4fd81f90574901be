"""Apple's GPUs: not used here."""


def is_available() -> bool:
    """Return False."""
    return False


def is_built() -> bool:
    """Return False."""
    return False


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Return False."""
    return False
