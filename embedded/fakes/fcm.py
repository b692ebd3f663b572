"""Firebase Cloud Messaging: access tokens for a service account, and messages to devices."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from embedded.fakes.server import Fake, Kept, Said, Seen, said

STATUS_OF = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"} | {
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


class FakeFcm(Fake):
    """One project. Tokens in *gone*, and those that begin with ``gone``, are of devices without the app."""

    name = "firebase"

    def __init__(self, project: str = "a-made-up-project") -> None:
        super().__init__()
        self.project = project
        self.gone: set[str] = set()
        self.gives_access = True
        self._access = secrets.token_urlsafe()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def account(self) -> dict[str, str]:
        """The service account's JSON, whose access tokens are given by this fake."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": f"sojourn@{self.project}.iam.example.com",
            "token_uri": f"{self.url}/token",
        }

    def is_send(self, request: Seen) -> bool:
        return request.path == f"/v1/projects/{self.project}/messages:send"

    def accept(self, request: Seen) -> Said:
        if request.headers.get("authorization") != f"Bearer {self._access}":
            return self.error(401)
        message = request.json["message"]
        token = message.get("token") or message["fid"]
        if token in self.gone or token.startswith("gone"):
            return self.error(404, "UNREGISTERED")
        if len(request.body) > 4096:
            return self.error(400)
        name = f"projects/{self.project}/messages/{secrets.token_hex(8)}"
        self.keep(message["data"]["send_id"], token, name, message)
        return said(200, {"name": name})

    def answer(self, request: Seen) -> Said:
        if request.path != "/token":
            return Said(404)
        if not self.gives_access:
            return said(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        return said(200, {"access_token": self._access, "expires_in": 3600, "token_type": "Bearer"})

    def error(self, status: int, code: str = "") -> Said:
        error: dict[str, Any] = {
            "code": status,
            "message": f"This is the error {status}.",
            "status": STATUS_OF.get(status),
        }
        if code == "TOKEN":
            error["message"] = "The registration token is not a valid FCM registration token"
        elif code:
            error["details"] = [{"@type": FCM_ERROR, "errorCode": code}]
        return said(status, {"error": error})

    async def report(self, kept: Kept, what: str) -> None:
        """Nothing: Firebase reports nothing."""

    @property
    def shown(self) -> set[tuple[str, str]]:
        """What the devices show: a notification with the same tag replaces the one before."""
        return {(kept.to, kept.content["android"]["notification"]["tag"]) for kept in self.ledger}
