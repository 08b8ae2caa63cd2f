"""A server between us and Temporal: it forwards every call as it is, but those that a test wants refused or slow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

Forward = Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]


@dataclass
class TemporalProxy:
    """What the proxy does with methods, by their short names (`ListWorkers`)."""

    target: str
    refused: dict[str, grpc.StatusCode] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    address: str = ""

    def forward_to(self, channel: grpc.aio.Channel, method: str) -> Forward:
        """The handler of one method."""
        call = channel.unary_unary(method)
        name = method.rpartition("/")[2]

        async def forward(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            self.called.append(name)
            if (code := self.refused.get(name)) is not None:
                await context.abort(code, f"{name} is not to be had here")
            await asyncio.sleep(self.slow.get(name, 0))
            try:
                answer: bytes = await call(
                    request, metadata=context.invocation_metadata(), timeout=context.time_remaining()
                )
            except grpc.aio.AioRpcError as error:
                context.set_trailing_metadata(error.trailing_metadata())
                await context.abort(error.code(), error.details() or "")
                raise
            else:
                return answer

        return forward


class _Everything(grpc.GenericRpcHandler):  # type: ignore[misc] # grpcio has no types
    def __init__(self, proxy: TemporalProxy, channel: grpc.aio.Channel) -> None:
        self._proxy, self._channel = proxy, channel

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._proxy.forward_to(self._channel, details.method))


@asynccontextmanager
async def temporal_proxy(target: str) -> AsyncIterator[TemporalProxy]:
    """A proxy on a free port of this machine."""
    limits = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
    proxy = TemporalProxy(target)
    async with grpc.aio.insecure_channel(target, options=limits) as channel:
        server = grpc.aio.server(options=limits)
        server.add_generic_rpc_handlers([_Everything(proxy, channel)])
        proxy.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        try:
            yield proxy
        finally:
            await server.stop(None)
