"""What all other packages of the harness use: seeds, budgets, processes, files."""
