"""The tasks that come with the harness: each module has loaders that return a :class:`zoo.Task`."""
