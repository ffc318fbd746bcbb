"""The game that models are trained by, under a metered budget."""
