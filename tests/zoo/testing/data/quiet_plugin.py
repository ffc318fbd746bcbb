"""A plugin that imports nothing heavy."""
