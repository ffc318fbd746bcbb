"""The metrics that come with the harness: each is a function from :class:`zoo.Evaluation` to named figures."""
