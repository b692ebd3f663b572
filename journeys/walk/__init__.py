"""The walk through a journey, the worlds it happens in, and what comes of it."""
