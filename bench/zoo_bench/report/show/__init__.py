"""How results are shown: terminal, HTML, LaTeX and others."""
