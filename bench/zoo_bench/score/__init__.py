"""From weights to samples and figures."""
