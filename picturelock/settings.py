"""Every setting, read from the environment (`PICTURELOCK_*`). Secrets never enter a workflow's history."""

import os
from base64 import b64decode
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SECRET_BYTES = 24
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """One installation's settings. Temporal's address is read by its own rules (`TEMPORAL_ADDRESS`, ...)."""

    model_config = SettingsConfigDict(env_prefix="PICTURELOCK_", env_ignore_empty=True, frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=Path(".picturelock"),
        description="Folder of `picturelock up`: Temporal's database, the store, scratch files, logs.",
    )
    store_url: str | None = Field(
        default=None,
        description="Artifact store: `file:///path` or `s3://bucket/prefix`; unset, a folder in the data folder. S3 credentials come from the usual `AWS_*` variables.",
    )
    scratch_dir: Path | None = Field(
        default=None, description="Folder for files in the making; unset, a folder in the data folder."
    )
    cache_max_bytes: int = Field(
        default=20 * 1024**3,
        ge=0,
        description="How much of the store is for what can be made again (narrations, pictures, segments, sound); the least recently used goes first.",
    )
    copies_max_bytes: int = Field(
        default=10 * 1024**3,
        ge=0,
        description="How much a worker keeps of the files it has fetched from a store that is elsewhere (S3).",
    )
    allowed_hosts: str = Field(
        default="",
        description="Names under which the API may be asked, beside those of loopback and addresses, separated by commas; a proxy in front of it forwards such a name.",
    )
    authentication: Literal["off", "keys"] = Field(
        default="off",
        description="`keys`: every request needs an API key (`picturelock keys create`) and sees its owner's jobs only. Without, an API listens on this machine alone.",
    )
    server_secret: SecretStr | None = Field(
        default=None,
        description="Secret of at least 32 characters, the same for every replica of an API with keys: it signs sessions, tickets and links. `picturelock up` makes one in its data folder.",
    )
    payload_keys: SecretStr | None = Field(
        default=None,
        description="Keys that encrypt what Temporal keeps, for the API and every worker: `name:base64` of 32 bytes, separated by commas; the first one encrypts, all of them decrypt.",
    )
    open_metrics: bool = Field(
        default=False, description="Whether `/metrics` needs no key where everything else needs one."
    )
    open_docs: bool = Field(
        default=False,
        description="Whether `/docs` and `/openapi.json` need no key where everything else needs one.",
    )
    max_requests_per_minute: int = Field(
        default=600, ge=0, description="Requests of one owner a minute, at each API process; 0: any number."
    )
    max_failed_keys_per_minute: int = Field(
        default=60, ge=0, description="Wrong keys from one address a minute, at each API process; 0: any number."
    )
    max_open_jobs: int = Field(default=100, ge=0, le=1_000, description="Open exports of one owner; 0: any number.")
    max_open_minutes: int = Field(
        default=1_000,
        ge=0,
        description="Minutes of film in one owner's open exports, counted at 1080p and 30 frames a second; 0: any number.",
    )
    max_owner_bytes: int = Field(default=50 * 1024**3, ge=0, description="Bytes of one owner's uploads; 0: any number.")
    keep_films_days: int = Field(
        default=0, ge=0, le=36_500, description="Days after which a film and its job are deleted; 0: never."
    )
    keep_unused_assets_days: int = Field(
        default=30, ge=0, le=36_500, description="Days after which an upload that no job uses is deleted; 0: never."
    )
    link_seconds: int = Field(
        default=3_600, ge=1, le=7 * 86_400, description="How long a signed link to a film or a file is good for."
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may use the API from a browser, separated by commas, such as `https://films.example`; unset, those of the API itself.",
    )
    api_url: str | None = Field(
        default=None,
        description="API that the command line talks to; unset, `picturelock export` starts a stack of its own.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="API key that the command line shows to the API, where one is asked for."
    )
    temporal_ui_url: str | None = Field(
        default=None, description="Address of the Temporal UI, for links in a job's status."
    )
    render_slots: int | None = Field(
        default=None, ge=1, le=256, description="Segments a worker renders at once; unset, one for each core."
    )
    drain_seconds: float = Field(
        default=30.0, ge=0, description="How long a stopping worker lets its running work finish."
    )
    worker_build: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="Build id of this worker's version. Set, a job stays with the version that it began with (Temporal's Worker Versioning, see docs/operations.md).",
    )
    worker_deployment: str = Field(
        default="picturelock", min_length=1, max_length=128, description="Name of the versioned workers' deployment."
    )
    max_asset_bytes: int = Field(default=2 * 1024**3, ge=1024, description="Largest upload.")
    max_request_bytes: int = Field(default=1_500_000, ge=1024, description="Largest request body of a job.")
    ffmpeg: str | None = Field(
        default=None, description="Path of ffmpeg; unset, the one from the wheel, then the one on PATH."
    )
    ffprobe: str | None = Field(
        default=None, description="Path of ffprobe; unset, the one from the wheel, then the one on PATH."
    )
    temporal_cli: str | None = Field(
        default=None,
        description="Path of the Temporal CLI; unset, the one from the wheel, then the one on PATH.",
    )
    llm_base_url: str | None = Field(
        default=None,
        description="OpenAI-compatible endpoint that writes scripts from briefs, such as `http://127.0.0.1:8000/v1`.",
    )
    llm_model: str = Field(default="gpt-4o-mini", description="Model that writes scripts.")
    llm_api_key: SecretStr | None = Field(default=None, description="Key of the endpoint that writes scripts.")
    speech_base_url: str | None = Field(
        default=None, description="OpenAI-compatible endpoint for the voice engine `openai`."
    )
    speech_model: str = Field(default="tts-1", description="Model of the voice engine `openai`.")
    speech_voices: str = Field(default="alloy", description="Voices that endpoint offers, separated by commas.")
    speech_languages: str = Field(
        default="en", description="Languages those voices speak, separated by commas; `*` for all."
    )
    speech_api_key: SecretStr | None = Field(default=None, description="Key of the speech endpoint.")
    writer: str | None = Field(
        default=None,
        description="Name of the writer of scripts; unset, the one that is configured, else the built-in one.",
    )
    stock_source: str | None = Field(
        default=None, description="Name of the source of stock pictures, where several are configured."
    )
    generated_source: str | None = Field(
        default=None, description="Name of the source of generated pictures, where several are configured."
    )
    piper_voices: Path | None = Field(
        default=None, description="Folder of further Piper voices (`name.onnx` and `name.onnx.json`)."
    )
    pexels_api_key: SecretStr | None = Field(
        default=None, description="Key of Pexels, for stock photos and clips; unset, none are offered."
    )
    pexels_base_url: str = Field(default="https://api.pexels.com", description="Address of Pexels.")
    image_base_url: str | None = Field(
        default=None, description="OpenAI-compatible endpoint that makes pictures from prompts."
    )
    image_model: str = Field(default="gpt-image-1", description="Model that makes pictures.")
    image_sizes: str = Field(
        default="1536x1024,1024x1024,1024x1536",
        description="Sizes that model makes, separated by commas; the one nearest to the film's shape is taken.",
    )
    image_api_key: SecretStr | None = Field(default=None, description="Key of the endpoint that makes pictures.")
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="Secret that signs webhooks (`whsec_` and base64 of at least 24 bytes), for the API and every worker; unset, webhooks are refused. `picturelock up` makes one in its data folder.",
    )
    webhook_allow_private: bool = Field(
        default=False, description="Whether webhooks may go to addresses of private networks and of this machine."
    )
    log_format: str = Field(
        default="console",
        pattern="^(console|json)$",
        description="`console` for people, `json` for machines.",
    )
    log_level: LogLevel = Field(default="info", description="The least that is logged.")

    @field_validator("webhook_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            try:
                key = b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
            except ValueError:
                key = b""
            if len(key) < _SECRET_BYTES:
                raise ValueError(f"base64 of at least {_SECRET_BYTES} bytes, with whsec_ before it or without")
        return secret

    @property
    def store_location(self) -> str:
        """The store's URL, with its default filled in."""
        return self.store_url or (self.data_dir.resolve() / "store").as_uri()

    @property
    def slots(self) -> int:
        """How many segments a worker renders at once."""
        return self.render_slots or os.cpu_count() or 1

    @property
    def scratch(self) -> Path:
        """The scratch folder, with its default filled in."""
        return (self.scratch_dir or self.data_dir / "scratch").resolve()


def wrong_settings(error: ValidationError) -> list[tuple[str, str]]:
    """The variables that cannot be used, and why."""
    found = error.errors(include_url=False, include_input=False)
    return [(f"PICTURELOCK_{'_'.join(map(str, one['loc'])).upper()}", one["msg"]) for one in found]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
