r"""The API as Python: `AsyncClient` for programs that await, `Client` for those that do not.

from picturelock import Client

with Client("http://127.0.0.1:8080") as client:
job = client.wait(client.create({"script": "# Tides\n\nThe sea rises."}))
client.download(job.output.path, Path("tides.mp4"))
"""

from picturelock.client.asynchronous import ApiAway, ApiError, AsyncClient
from picturelock.client.synchronous import Client

__all__ = ["ApiAway", "ApiError", "AsyncClient", "Client"]
