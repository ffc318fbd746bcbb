"""What every room stands on: seeds, budgets, processes, files."""
