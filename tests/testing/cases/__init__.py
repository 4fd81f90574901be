"""Correct but hard functions and planted bugs, by domain; each file registers its own."""
