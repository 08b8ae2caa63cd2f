"""`POST /api/codec/decode`: Temporal's remote codec protocol, for people who look at an encrypted history in its UI."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request
from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from api.body import read_body
from api.context import Shared
from api.problems import PROBLEM, Problem
from picturelock.temporal.payload_codec import PayloadUnreadable

router = APIRouter(prefix="/api/codec", tags=["operations"])
_MAX_BYTES: Final = 4_000_000


@router.post("/decode", responses={409: PROBLEM, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM})
async def decode_payloads(request: Request, shared: Shared) -> dict[str, Any]:
    """Decrypts payloads, for whoever has a key of scope `admin`."""
    body = await read_body(request, _MAX_BYTES)
    codec = shared.client.data_converter.payload_codec
    if codec is None:
        raise Problem(409, "NOT_ENCRYPTED", "this installation encrypts no payloads (PICTURELOCK_PAYLOAD_KEYS)")
    try:
        given = await asyncio.to_thread(json_format.Parse, body, Payloads())
        decoded = await codec.decode(list(given.payloads))
    except (json_format.ParseError, PayloadUnreadable, UnicodeDecodeError) as error:
        raise Problem(422, "INVALID_REQUEST", f"payloads: {str(error)[:200]}") from error
    answer: dict[str, Any] = json_format.MessageToDict(Payloads(payloads=decoded))
    return answer
