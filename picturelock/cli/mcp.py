"""`picturelock mcp`: the tools for agents, over standard input and output."""

from picturelock.cli.run import run
from picturelock.cli.service import Api, Data, client_of


def mcp(api: Api = None, data: Data = None) -> None:
    """Serve tools for agents (Model Context Protocol) over standard input and output, until that is closed.

    Starts a stack of its own when none runs.
    """
    from picturelock.agents.server import server  # noqa: PLC0415 - an SDK that no other command needs

    async def work() -> int:
        async with client_of(api, data, start=True) as client:
            await server(client).run_stdio_async()
        return 0

    run(work())
