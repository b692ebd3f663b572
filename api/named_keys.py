"""Keys with names: made, changed, rotated and revoked, each with what it opens. Secrets are told once."""

from __future__ import annotations

from fastapi import APIRouter

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps, KeyringDep
from api.keys import ROOT, needs
from api.names import KeyName, KeySecretId
from api.problems import STANDARD, TooLarge, WrongType, declare
from api.sources import OWN
from journeys.models import Frozen, Model, Time
from journeys.problems import Conflict, Flaw, Invalid, Unknown
from journeys.reading import read
from store import keys
from store.audit import BY_ITSELF
from store.keys import Key, KeyView, new_secret

TAKEN = OWN | {ROOT.name, ROOT.source, BY_ITSELF.lower()}
"""What is the source of other events already, or stands for another key in what is kept."""

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[needs("admin")], responses=STANDARD)

SHOP = {"key": "shop", "scopes": ["events:write", "customers:write"], "per_second": 200}
PAGE = {
    "key": "shop-page",
    "scopes": ["events:write"],
    "triggers": ["abandoned-cart"],
    "origins": ["https://shop.example.com"],
    "per_second": 50,
}
FIRST = {"id": "5e884898da28", "created_at": "2026-11-23T08:00:00Z", "until": None, "used_at": "2026-11-24T08:59:12Z"}
SHOP_VIEW = {
    **SHOP,
    "triggers": [],
    "origins": [],
    "until": None,
    "secrets": [FIRST],
    "created_at": FIRST["created_at"],
}
ONCE = {"secret": "sojourn_AnExampleThatOpensNothingAtAll1234567890abc"}
NEW = SHOP_VIEW | {"secrets": [FIRST | {"used_at": None}]} | ONCE
SECOND = {"id": "0b14d501a594", "created_at": "2026-11-24T09:00:00Z", "until": None, "used_at": None}
ROTATED = SHOP_VIEW | {"secrets": [SECOND, FIRST | {"until": "2026-12-01T09:00:00Z"}]} | ONCE


class KeySecret(KeyView):
    """A key, with its new *secret*. It is told this once: keep it."""

    secret: str


class Keys(Frozen):
    """All keys, by name."""

    keys: tuple[KeyView, ...]


class Rotation(Model):
    """*until*: when the secrets end that there were before; left out, they are valid until somebody revokes them."""

    until: Time | None = None


class Revoked(Frozen):
    """The key that opens nothing any more, by its name."""

    revoked: str


_TAKEN = takes(ref(Rotation), {"The one before for a week": {"until": "2026-12-01T09:00:00Z"}}, yaml_too=True)
ROTATIONS = {"requestBody": _TAKEN["requestBody"] | {"required": False}}


@router.post(
    "",
    status_code=201,
    response_model=KeySecret,
    responses=declare(Conflict, TooLarge, WrongType) | {201: gives(NEW)},
    openapi_extra=takes(ref(Key), {"A shop's server": SHOP, "A shop's pages": PAGE}, yaml_too=True),
)
async def create_key(body: Body, deps: Deps, change: ChangeDep, keyring: KeyringDep) -> KeySecret:
    """Make a key. Its secret is in the answer, this once: only a hash of it is kept.

    Its name is the source of the events that it posts. A key with `origins` is for the pages of these sites, and may
    post events of its `triggers` and nothing else; it keeps honest browsers apart, and proves nothing.
    """
    key = await aside(read, Key, body, "key")
    if key.key in TAKEN:
        flaw = Flaw(path="key", message=f'"{key.key}" is the source of other events.', hint="Choose another name.")
        raise Invalid("This key is not valid.", [flaw])
    secret = new_secret()
    made = await keys.add_key(deps.store, key, secret, change)
    keyring.forget()
    return KeySecret(**dict(made), secret=secret)


@router.get("", response_model=Keys, responses={200: gives({"keys": [SHOP_VIEW]})})
async def list_keys(deps: Deps) -> Keys:
    """All keys, by name: what each opens, its valid secrets, and when each of these was last used, to the minute."""
    return Keys(keys=tuple(await keys.list_keys(deps.store, deps.now())))


@router.get("/{name}", response_model=KeyView, responses=declare(Unknown) | {200: gives(SHOP_VIEW)})
async def get_key(name: KeyName, deps: Deps) -> KeyView:
    """A key: what it opens, and its valid secrets, the newest first. They are never told again."""
    return await keys.get_key(deps.store, name, deps.now())


@router.put(
    "/{name}",
    response_model=KeyView,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(SHOP_VIEW)},
    openapi_extra=takes(ref(Key), {"A shop's server": SHOP}, yaml_too=True),
)
async def change_key(name: KeyName, body: Body, deps: Deps, change: ChangeDep, keyring: KeyringDep) -> KeyView:
    """Have a key open what is said now, and nothing else. Its secrets stay as they are.

    `key` may be left out of the body: it is in the address.
    """
    key = await aside(read, Key, body, "key", name)
    changed = await keys.change_key(deps.store, key, change)
    keyring.forget()
    return changed


@router.post(
    "/{name}/rotate",
    response_model=KeySecret,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(ROTATED)},
    openapi_extra=ROTATIONS,
)
async def rotate_key(name: KeyName, body: Body, deps: Deps, change: ChangeDep, keyring: KeyringDep) -> KeySecret:
    """Give a key another secret, which is answered this once. Its name, and so the source of its events, stays.

    What was valid before stays so, until `until`, or until somebody revokes it. At most five are valid at a time.
    """
    asked = await aside(read, Rotation, body, "rotation") if body else Rotation()
    secret = new_secret()
    rotated = await keys.rotate_key(deps.store, name, secret, change, asked.until)
    keyring.forget()
    return KeySecret(**dict(rotated), secret=secret)


@router.delete("/{name}", response_model=Revoked, responses=declare(Unknown) | {200: gives({"revoked": "shop"})})
async def revoke_key(name: KeyName, deps: Deps, change: ChangeDep, keyring: KeyringDep) -> Revoked:
    """Revoke a key, with all its secrets. Other processes of the API take it for 5 seconds more at most."""
    await keys.revoke_key(deps.store, name, change)
    keyring.forget()
    return Revoked(revoked=name)


@router.delete("/{name}/secrets/{id}", response_model=KeyView, responses=declare(Unknown) | {200: gives(SHOP_VIEW)})
async def revoke_secret(name: KeyName, id: KeySecretId, deps: Deps, change: ChangeDep, keyring: KeyringDep) -> KeyView:
    """Revoke one secret of a key, such as the one before the last rotation. The others stay valid."""
    left = await keys.revoke_secret(deps.store, name, id, change)
    keyring.forget()
    return left
