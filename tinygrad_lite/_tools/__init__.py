"""Commands and generators: the command line, the demo, type stubs, the catalogue of functions."""
