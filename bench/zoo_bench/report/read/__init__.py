"""Reading and evaluating results: groups, intervals, ranks."""
