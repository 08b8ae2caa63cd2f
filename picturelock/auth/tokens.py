"""Signed tokens: what a browser carries instead of a key, and what a link says.

A token is a JSON object and its HMAC-SHA256, both in base64url. It is for one purpose, and for as long as it says.

Example:
    >>> signer = Signer(b"a secret of the installation")
    >>> token = signer.sign(Grant(purpose="link", key_id="k", job="j", expires=2e9))
    >>> signer.read(token, "link", now=1.9e9).job, signer.read(token, "session", now=1.9e9)
    ('j', None)
    >>> signer.read(token, "link", now=2.1e9) is None
    True
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field, ValidationError

from picturelock.models import Model

Purpose = Literal["session", "ticket", "link", "share", "cursor"]
_LONGEST: Final = 8_192


class Grant(Model):
    """What a token grants: to whom (a key), for which job (any, for a session), what of it, and until when."""

    purpose: Purpose
    key_id: str = ""
    owner: str = ""
    job: str | None = None
    name: str | None = Field(default=None, description="Of one file of the job; the film, when not given.")
    text: str = Field(default="", description="Anything that has to come back as it was.")
    expires: float = Field(default=0.0, description="Unix time; 0: never.")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and reads tokens with one secret."""

    secret: bytes

    def sign(self, grant: Grant) -> str:
        """The token of a grant."""
        body = _encode(grant.model_dump_json(exclude_defaults=True).encode())
        return f"{body}.{_encode(self._mac(body))}"

    def read(self, token: str, purpose: Purpose, now: float) -> Grant | None:
        """The grant of a token; None where it is not ours, for something else, or has expired."""
        body, _, signature = token.partition(".")
        if len(token) > _LONGEST or not hmac.compare_digest(
            _encode(self._mac(body)).encode(), signature.encode(errors="replace")
        ):
            return None
        try:
            grant = Grant.model_validate_json(_decode(body))
        except (ValidationError, binascii.Error, ValueError):
            return None
        if grant.purpose != purpose or (grant.expires and now >= grant.expires):
            return None
        return grant

    def name(self, *parts: str) -> str:
        """A name that only this installation can work out from its parts: 32 hexadecimal digits."""
        return hmac.new(self.secret, "\x00".join(parts).encode(), hashlib.sha256).hexdigest()[:32]

    def _mac(self, body: str) -> bytes:
        return hmac.new(self.secret, body.encode(errors="surrogatepass"), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
