"""The old name of `embedded/fakes/sendgrid.py`, for scripts beside the repository that know it by this one."""

from embedded.fakes.sendgrid import FakeSendGrid

__all__ = ["FakeSendGrid"]
