"""What Temporal keeps, unreadable for Temporal: payloads encrypted with AES-256-GCM, by keys that only we have.

`PICTURELOCK_PAYLOAD_KEYS` lists keys as `name:base64`, separated by commas. The first one encrypts, each of them
decrypts: a new key is put first, and the old one goes when no history needs it any more. What was written before there
was any key is read as it is.
"""

import os
from base64 import b64decode
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING: Final = b"binary/encrypted"
_KEY_NAME: Final = "encryption-key-id"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class PayloadUnreadable(RuntimeError):
    """A payload was encrypted with a key that this process does not have, or was tampered with."""


class EncryptionCodec(PayloadCodec):
    """Encrypts with the first key, decrypts with whichever a payload names.

    Example:
        >>> codec = EncryptionCodec({"2026": bytes(32)})
        >>> ENCODING
        b'binary/encrypted'
    """

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypts payloads, each whole, with what it says of itself."""
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypts payloads; those that are not encrypted stay as they are.

        Raises:
            PayloadUnreadable: none of the keys fits.
        """
        return [
            self._decrypted(payload) if payload.metadata.get("encoding") == ENCODING else payload
            for payload in payloads
        ]

    def _encrypted(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        name = self._first.encode()
        data = nonce + self._ciphers[self._first].encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": ENCODING, _KEY_NAME: name}, data=data)

    def _decrypted(self, payload: Payload) -> Payload:
        name = payload.metadata.get(_KEY_NAME, b"")
        cipher = self._ciphers.get(name.decode(errors="replace"))
        if cipher is None:
            raise PayloadUnreadable(f"no key {name.decode(errors='replace')!r} is configured")
        try:
            plain = cipher.decrypt(payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:], name)
        except (InvalidTag, ValueError) as error:
            raise PayloadUnreadable("a payload was tampered with, or its key is another one") from error
        return Payload.FromString(plain)


def parse_keys(text: str) -> dict[str, bytes]:
    """Keys by their names, the first one first.

    >>> list(parse_keys("new:" + "A" * 43 + "=, old:" + "B" * 43 + "="))
    ['new', 'old']

    Raises:
        ValueError: no name, or no 32 bytes in base64.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not name or len(key) != _KEY_BYTES:
            raise ValueError("each key is written name:base64, of 32 bytes")
        keys[name] = key
    return keys
