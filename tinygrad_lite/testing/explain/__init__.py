"""Why a gradient is wrong: patterns, experiments and the suspected cause."""
