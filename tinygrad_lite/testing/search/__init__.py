"""Where inputs come from, how failures are found, and how they are shrunk."""
