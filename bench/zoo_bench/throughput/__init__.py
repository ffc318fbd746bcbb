"""How fast a model is: within its run, and alone on the machine."""
