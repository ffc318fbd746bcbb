"""What people see: sample sheets and tables."""
