"""Draw inputs, find a failing one, shrink it and report it."""
