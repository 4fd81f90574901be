"""Commands and generators: the command line, the demo, type stubs, the catalogue. Nothing imports them."""
