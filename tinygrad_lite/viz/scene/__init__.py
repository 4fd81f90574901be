"""From a graph to what is shown of it: boxes, groups, repeats, colours, words."""
