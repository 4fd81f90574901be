"""The programs run under mpiexec only."""

collect_ignore_glob = ["programs/*"]
