"""The engine: recorded nodes, the backward pass, and how an operation is declared and called."""
