"""What runs are: their specs, their records, and which of them a command means."""
