"""Endpoints called: what is posted, how it is signed, where it may go, and what an answer means."""

from activities.endpoints.answers import NotPosted
from activities.endpoints.caller import Caller
from activities.endpoints.endpoints import Endpoints
from activities.endpoints.payload import TooLong, payload
from activities.endpoints.sealing import Seal

__all__ = ["Caller", "Endpoints", "NotPosted", "Seal", "TooLong", "payload"]
