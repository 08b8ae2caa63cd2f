"""The search attribute by which an owner's jobs are listed, counted and served in turn."""

import json
from typing import Final

import structlog
from temporalio.api.common.v1 import SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from picturelock.models.base import LOCAL
from picturelock.temporal.names import OWNER_ATTRIBUTE

OWNER: Final = SearchAttributeKey.for_keyword(OWNER_ATTRIBUTE)
log = structlog.get_logger()


def owner_of(attributes: SearchAttributes) -> str:
    """Whose an execution is, by its search attributes."""
    payload = attributes.indexed_fields.get(OWNER_ATTRIBUTE)
    return str(json.loads(payload.data)) if payload is not None else LOCAL


async def ensure_attribute(client: Client) -> None:
    """Has the server know the attribute. Where it may not be asked, an operator has to (docs/security.md)."""
    operator = client.operator_service
    try:
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
        if OWNER_ATTRIBUTE in known.custom_attributes:
            return
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await operator.add_search_attributes(
            AddSearchAttributesRequest(search_attributes={OWNER_ATTRIBUTE: keyword}, namespace=client.namespace)
        )
        log.info("the server knows owners now", attribute=OWNER_ATTRIBUTE)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            log.warning("the search attribute of owners could not be made", name=OWNER_ATTRIBUTE, reason=str(error))
