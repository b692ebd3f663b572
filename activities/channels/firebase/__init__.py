"""Firebase Cloud Messaging: push notifications. It reports nothing."""

from __future__ import annotations

from activities.channels.firebase.channel import Firebase
from activities.channels.firebase.settings import FirebaseSettings, read_account
from activities.channels.provider import Provider

__all__ = ["PROVIDER", "Firebase"]


def _channel(settings: FirebaseSettings, _webhook: str) -> Firebase:
    return Firebase(read_account(settings.account), ttl=settings.ttl, url=settings.url)


PROVIDER = Provider(kinds=frozenset({"push"}), channel=_channel, settings=FirebaseSettings)
