"""`GET /api/webhook-secret`: what a receiver checks an owner's webhooks with."""

from fastapi import APIRouter
from pydantic import Field

from api.context import Shared
from api.problems import PROBLEM, Problem
from picturelock.jobs.webhooks import owners_secret
from picturelock.models import Model

router = APIRouter(prefix="/api", tags=["access"])


class WebhookSecret(Model):
    """The secret of the Standard Webhooks scheme, of one owner."""

    secret: str = Field(description="Begins with `whsec_`; see https://www.standardwebhooks.com.")


@router.get("/webhook-secret", responses={409: PROBLEM})
async def read_webhook_secret(shared: Shared) -> WebhookSecret:
    """The secret that signs the caller's webhooks: each owner has his own."""
    configured = shared.settings.webhook_secret
    if configured is None:
        text = "this installation has no secret to sign webhooks with (PICTURELOCK_WEBHOOK_SECRET)"
        raise Problem(409, "NO_WEBHOOKS", text)
    return WebhookSecret(secret=owners_secret(configured.get_secret_value(), shared.caller.restricted_to))
