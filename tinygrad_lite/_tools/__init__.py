"""Commands: the command line, the demo, scripts written for PyTorch."""
