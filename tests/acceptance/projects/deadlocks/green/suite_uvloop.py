"""The same on a loop whose inside cannot be seen."""

import asyncio

import uvloop
from slowly import TIMES, WAIT_S, slowly

from wfrun import Suite

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

suite = Suite("Green: uvloop")


@suite.case(parameters=TIMES)
async def slow_reply(turn):
    async def answer(reader, writer):
        await asyncio.sleep(WAIT_S)
        writer.write(b"x")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"x"
        writer.close()
        await writer.wait_closed()


@suite.case(parameters=TIMES)
async def slow_thread(turn):
    await asyncio.to_thread(slowly, WAIT_S)


@suite.case(parameters=TIMES)
async def child_process(turn):
    process = await asyncio.create_subprocess_exec("sleep", str(WAIT_S))
    assert await process.wait() == 0
