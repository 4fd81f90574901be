"""Data to learn from: real digits that come with the package, IDX files, and small generated sets."""
