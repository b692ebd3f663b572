"""The old name of `embedded/fakes/twilio.py`, for scripts beside the repository that know it by this one."""

from embedded.fakes.twilio import FakeTwilio

__all__ = ["FakeTwilio"]
