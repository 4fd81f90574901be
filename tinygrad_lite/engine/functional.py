"""The names of `nn.functional`, set by the registry as ops are declared; `functional.pyi` shows them to checkers."""
