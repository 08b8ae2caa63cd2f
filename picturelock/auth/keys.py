"""API keys: made, shown once, kept as a hash, found again, revoked.

A key reads `plk_<id>_<secret>`: the prefix is for programs that look for secrets in code, the id for people who list
and revoke keys, the secret (256 bits) is in no file. What is kept is its scrypt hash (RFC 7914).

Example:
    >>> key, text = new_key("studio", ["read", "create"])
    >>> parse(text)[0] == key.id, matches(key, parse(text)[1]), matches(key, "another")
    (True, True, False)
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from picturelock.auth.caller import OwnerName, Scope
from picturelock.models import Model

PREFIX: Final = "plk"
_TEXT: Final = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_([A-Za-z0-9_-]{{43}})")
_COST: Final = 2**13
"""scrypt's N: 8 MB and some 20 ms a try. The secret is random: nobody guesses it from a list."""


class ApiKey(Model):
    """A key as it is kept."""

    id: str
    owner: OwnerName
    scopes: list[Scope]
    salt: str
    hash: str = Field(description="scrypt of the secret, N=8192, r=8, p=1, in hexadecimal.")
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the key opens anything at a moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_key(owner: str, scopes: Sequence[Scope], expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A new key, and the text that is shown once."""
    key_id, secret, salt = secrets.token_hex(8), secrets.token_urlsafe(32), secrets.token_hex(16)
    key = ApiKey(
        id=key_id,
        owner=owner,
        scopes=list(dict.fromkeys(scopes)),
        salt=salt,
        hash=_hash(secret, salt),
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    return key, f"{PREFIX}_{key_id}_{secret}"


def parse(text: str) -> tuple[str, str] | None:
    """The id and the secret of a key's text, or None where it is none."""
    match = _TEXT.fullmatch(text)
    return (match[1], match[2]) if match else None


def matches(key: ApiKey, secret: str) -> bool:
    """Whether a secret is the key's. It takes as long for a wrong one."""
    return hmac.compare_digest(_hash(secret, key.salt), key.hash)


def _hash(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=bytes.fromhex(salt), n=_COST, r=8, p=1).hex()
