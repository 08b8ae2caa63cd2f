"""A writer on any OpenAI-compatible `/chat/completions` endpoint, its answer validated against `Script`."""

import json
from typing import Final, Self

from pydantic import ValidationError

from picturelock.errors import WriterFailed, WriterUnavailable
from picturelock.http_client import ProviderClient, bearer
from picturelock.models import Brief, Script
from picturelock.settings import Settings

_SYSTEM = (
    "You write scripts for short narrated films. Answer with JSON only, matching the given schema. Each scene has one "
    "thought, a title of at most six words, and a narration of one to three plain sentences that read well aloud, "
    "without markup. Write in the language the brief names. Do not invent figures."
)
_CLIENT: Final = ProviderClient("the language model's endpoint", WriterFailed, WriterUnavailable)


class OpenAIWriter:
    """Asks for structured output, validates it, and gives the model one chance to repair what is wrong."""

    def __init__(self, base_url: str, model: str, api_key: str | None) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = bearer(api_key)
        self._model = model

    @classmethod
    def from_settings(cls, settings: Settings, /) -> Self | None:
        """The configured writer, or None when no endpoint is configured."""
        if settings.llm_base_url is None:
            return None
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
        return cls(settings.llm_base_url, settings.llm_model, key)

    async def write(self, brief: Brief) -> Script:
        """The script; see `picturelock.script.writers.Writer`."""
        messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _question(brief)}]
        answer = await self._ask(messages)
        try:
            return _validated(answer, brief)
        except ValidationError as first:
            messages += [
                {"role": "assistant", "content": answer},
                {
                    "role": "user",
                    "content": f"This does not match the schema:\n{first}\nSend the whole JSON again, corrected.",
                },
            ]
        repaired = await self._ask(messages)
        try:
            return _validated(repaired, brief)
        except ValidationError as second:
            raise WriterUnavailable(
                f"the model {self._model!r} did not write a valid script, also not after one repair",
                detail=str(second),
            ) from second

    async def _ask(self, messages: list[dict[str, str]]) -> str:
        schema = {"name": "script", "schema": _answer_schema(), "strict": True}
        body = {
            "model": self._model,
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }
        url = f"{self._base_url}/chat/completions"
        answer = await _CLIENT.request("POST", url, json=body, headers=self._headers)
        try:
            return str(json.loads(answer)["choices"][0]["message"]["content"])
        except (ValueError, LookupError, TypeError) as error:
            raise WriterUnavailable(
                "the language model's endpoint does not speak the chat completions protocol"
            ) from error


def _answer_schema() -> dict[str, object]:
    text = {"type": "string"}
    scene = {
        "type": "object",
        "properties": {"title": text, "narration": text},
        "required": ["title", "narration"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"title": text, "scenes": {"type": "array", "items": scene}},
        "required": ["title", "scenes"],
        "additionalProperties": False,
    }


def _question(brief: Brief) -> str:
    return "Write the script for this brief:\n" + brief.model_dump_json(exclude_none=True)


def _validated(answer: str, brief: Brief) -> Script:
    text = answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        data = json.loads(text)
    except ValueError:
        data = {"not JSON": answer[:200]}
    if isinstance(data, dict):
        data.setdefault("language", brief.language)
    return Script.model_validate(data)
