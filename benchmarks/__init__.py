"""Side-by-side runs of the same training steps in tinygrad_lite and its peers: ``python -m benchmarks``.

`workloads` says what is computed, `peers` how each library does it, `worker` runs one library in a process of its own,
`session` lets the processes take turns, `costs` measures memory, imports and growth, `report` writes the tables.
"""
