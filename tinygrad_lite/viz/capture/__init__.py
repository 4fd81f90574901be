"""From a running program to a graph: tracing, walking recorded nodes, names, values, gradients, costs."""
