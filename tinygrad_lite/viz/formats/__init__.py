"""From a scene to a file: SVG, HTML, DOT, Mermaid, text, JSON, networkx, PNG and PDF, notebooks."""
