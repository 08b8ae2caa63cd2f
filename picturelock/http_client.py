"""The one way to ask a provider over HTTP (voices, pictures, language models): its failures in our words.

An answer that may be another one later is an outage of the provider's; a refusal is the client's to change.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from picturelock.errors import ClientError, ProviderError
from picturelock.outgoing import AddressRefused, GuardedTransport

RETRYABLE: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed (RFC 9110 and what gateways add)."""

_DETAIL_CHARACTERS: Final = 500
_ANSWER_BYTES: Final = 96 * 1024**2
"""A generated picture in base64 takes 30 MB."""

_REDIRECTS: Final = 3
_TIMEOUT: Final = httpx.Timeout(60.0, read=120.0)  # a model may think for long


@dataclass(frozen=True, slots=True)
class ProviderClient:
    """A service that is asked: its name for people, and the errors its failures and refusals become.

    Example:
        >>> from picturelock.errors import SpeechFailed, VoiceUnavailable
        >>> client = ProviderClient("the speech endpoint", SpeechFailed, VoiceUnavailable)
    """

    name: str
    failed: type[ProviderError]
    refused: type[ClientError]

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> bytes:
        """One request to the configured service, and the body of its good answer. Redirects are not followed.

        Raises:
            ProviderError: `failed`, as an outage: no answer, or one that may be another later.
            ClientError: `refused`, with what the provider said in its detail.
        """
        try:
            async with (
                httpx.AsyncClient(timeout=_TIMEOUT) as client,
                client.stream(method, url, headers=headers, params=params, json=json) as response,
            ):
                body = await self._read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failure("did not answer", error) from error
        if response.status_code in RETRYABLE:
            raise self.failed(f"{self.name} answered {response.status_code}", outage=True)
        if response.is_error:
            detail = body.decode(errors="replace")[:_DETAIL_CHARACTERS] or None
            raise self.refused(f"{self.name} refused the request with {response.status_code}", detail=detail)
        if response.is_redirect:
            raise self.failed(f"{self.name} is elsewhere now: {response.status_code}")
        return body

    async def _read(self, response: httpx.Response) -> bytes:
        """An answer as it is after unpacking, as long as that is not too much: little packed may be much unpacked."""
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _ANSWER_BYTES:
                raise self.failed(f"{self.name} answered with more than {_ANSWER_BYTES / 1e6:.0f} MB")
        return bytes(body)

    async def download(
        self, url: str, target: Path, max_bytes: int, received: Callable[[int], None], *, trusted: str
    ) -> None:
        """Writes a file, as long as it is not too large; `received` is called with its bytes so far.

        Where it lies the service has said: a public address, or the service's own (`trusted`), through three redirects
        at the most.

        Raises:
            ProviderError: `failed`: no file, also where an address that was just given answers 404.
            ClientError: `refused`: it is larger than `max_bytes`.
        """
        try:
            async with (
                httpx.AsyncClient(
                    timeout=_TIMEOUT,
                    transport=GuardedTransport([trusted]),
                    follow_redirects=True,
                    max_redirects=_REDIRECTS,
                ) as client,
                client.stream("GET", url) as response,
            ):
                if response.is_error:
                    text = f"{self.name} answered {response.status_code} for the file"
                    raise self.failed(text, outage=response.status_code in RETRYABLE)
                size = 0
                with target.open("wb") as file:
                    async for chunk in response.aiter_bytes():
                        size += len(chunk)
                        if size > max_bytes:
                            text = f"{self.name}: the file is larger than {max_bytes / 1e6:.0f} MB"
                            raise self.refused(text, limit=max_bytes)
                        await asyncio.to_thread(file.write, chunk)
                        received(size)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failure("did not deliver the file", error) from error

    def _failure(self, what: str, error: Exception) -> ProviderError:
        """A wrong address is wrong for good; anything else may pass."""
        wrong = isinstance(error, (httpx.InvalidURL, httpx.TooManyRedirects, AddressRefused))
        said = str(error) if isinstance(error, AddressRefused) else type(error).__name__
        return self.failed(f"{self.name} {what}: {said}", outage=not wrong)


def bearer(key: str | None) -> dict[str, Any]:
    """The headers of an API key; none where there is no key."""
    return {"Authorization": f"Bearer {key}"} if key else {}
