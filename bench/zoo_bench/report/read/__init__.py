"""What results say: groups, intervals, ranks."""
