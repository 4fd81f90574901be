"""Programs that random search found to differ from PyTorch once, shrunk."""

PROGRAMS: tuple[str, ...] = (
    """
a1 = T.tensor([1.0], dtype=T.float64).requires_grad_()
v1 = a1.flatten()
""",
)
