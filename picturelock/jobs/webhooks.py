"""Webhooks by the Standard Webhooks scheme (https://www.standardwebhooks.com): checked, signed, delivered.

A message is delivered at least once; `webhook-id` is the same at every attempt, so that a receiver can tell.
"""

import asyncio
import hashlib
import hmac
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx

from picturelock.errors import WebhookRefused
from picturelock.jobs.stages import DELIVERY_SECONDS
from picturelock.models import Delivery, DeliveryOutcome
from picturelock.outgoing import AddressRefused, GuardedTransport, check_url

_GONE: Final = 410
_SAID: Final = 200


def check_receiver(url: str, *, allow_private: bool) -> None:
    """Refuses an address that no webhook may go to, as far as it can be known without a look-up of its name.

    Raises:
        WebhookRefused: not http(s), with credentials, or an address of a private network.
    """
    try:
        check_url(url, allow_private=allow_private)
    except AddressRefused as error:
        raise WebhookRefused(str(error)) from error


def owners_secret(secret: str, owner: str | None) -> str:
    """The secret that signs an owner's webhooks, worked out from the installation's: no receiver can sign for others.

    Where there are no owners (None), it is the installation's own.

    >>> owners_secret("whsec_AAAA", None), owners_secret("whsec_AAAA", "studio")[:6]
    ('whsec_AAAA', 'whsec_')
    """
    if owner is None:
        return secret
    key = b64decode(secret.removeprefix("whsec_"))
    return f"whsec_{b64encode(hmac.new(key, f'webhooks of {owner}'.encode(), hashlib.sha256).digest()).decode()}"


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Delivers messages. `secret` signs them; private addresses are refused unless allowed."""

    secret: str
    allow_private: bool = False

    async def deliver(self, url: str, body: bytes, message_id: str, number: int) -> Delivery:
        """One attempt. What goes wrong with it is told by the result, never raised."""
        at, started = datetime.now(UTC), time.monotonic()
        code: int | None = None
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                code, said = await self._post(url, body, message_id, at)
            outcome: DeliveryOutcome = "delivered" if 200 <= code < 300 else "gone" if code == _GONE else "failed"
        except AddressRefused as error:
            outcome, said = "refused", str(error)
        except TimeoutError:
            outcome, said = "failed", f"no answer within {DELIVERY_SECONDS:.0f} s"
        except (httpx.HTTPError, OSError) as error:
            outcome, said = "failed", f"{type(error).__name__}: {error}"[:_SAID]
        except (httpx.InvalidURL, ValueError) as error:  # a name that no resolver takes
            outcome, said = "refused", f"{type(error).__name__}: {error}"[:_SAID]
        seconds = round(time.monotonic() - started, 3)
        return Delivery(number=number, at=at, seconds=seconds, outcome=outcome, status_code=code, message=said)

    async def _post(self, url: str, body: bytes, message_id: str, at: datetime) -> tuple[int, str]:
        from standardwebhooks import Webhook  # noqa: PLC0415 - an API only checks addresses and needs no signer

        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Picturelock-Webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, at, body.decode()),
        }
        transport = GuardedTransport(allow_private=self.allow_private)
        async with (
            httpx.AsyncClient(timeout=DELIVERY_SECONDS, transport=transport, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return response.status_code, response.reason_phrase[:_SAID]
