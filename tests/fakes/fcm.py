"""The old name of `embedded/fakes/fcm.py`, for scripts beside the repository that know it by this one."""

from embedded.fakes.fcm import FakeFcm

__all__ = ["FakeFcm"]
