"""Find the suspected cause of a wrong gradient: patterns in the error, and calls with something changed."""
