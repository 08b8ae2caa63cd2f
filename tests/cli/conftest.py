"""The API of `tests/api`, with a worker whose activities wait for the test."""

from tests.api.conftest import api_url, http, installation, studio

__all__ = ["api_url", "http", "installation", "studio"]
