"""Waits that a thread or a socket ends."""

import asyncio
import concurrent.futures
import socket
import threading

import aiosqlite
import uvloop
from slowly import TIMES, WAIT_S, slowly

from wfrun import Suite
from wfrun.concurrency import Channel

suite = Suite("Green: threads and sockets")


@suite.case(parameters=TIMES)
async def slow_thread(turn):
    await asyncio.to_thread(slowly, WAIT_S)


@suite.case(parameters=TIMES)
async def thread_pool_of_its_own(turn):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, slowly, 0)
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(slowly, WAIT_S / 2)) for _ in range(2)))


@suite.case(parameters=TIMES)
async def sqlite_in_its_thread(turn):
    async with aiosqlite.connect(":memory:") as database:
        await database.create_function("slowly", 1, slowly)
        async with database.execute("select slowly(?)", (WAIT_S,)) as rows:
            assert await rows.fetchone() == (WAIT_S,)


@suite.case(parameters=TIMES)
async def thread_from_outside(turn):
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def ring():
        slowly(WAIT_S)
        loop.call_soon_threadsafe(event.set)

    thread = threading.Thread(target=ring)
    thread.start()
    await event.wait()
    thread.join()


@suite.case(parameters=TIMES)
async def coroutine_sent_by_a_thread(turn):
    loop, inbox = asyncio.get_running_loop(), Channel[int](1)

    def send():
        slowly(WAIT_S)
        asyncio.run_coroutine_threadsafe(inbox.send(1), loop).result()

    thread = threading.Thread(target=send)
    thread.start()
    assert await inbox.receive() == 1
    await asyncio.to_thread(thread.join)


async def asks_slowly():
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


@suite.case(parameters=TIMES, allow_leaks=["descriptors"])
async def uvloop_in_a_thread(turn):
    await asyncio.to_thread(uvloop.run, asks_slowly())


@suite.case(parameters=TIMES)
async def server_and_its_own_client(turn):
    await asks_slowly()


@suite.case(parameters=TIMES)
async def server_whose_client_is_a_thread(turn):
    came = asyncio.Event()
    server = await asyncio.start_server(lambda reader, writer: (writer.close(), came.set()), "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()

        def connect():
            slowly(WAIT_S)
            socket.create_connection(address).close()

        client = asyncio.get_running_loop().run_in_executor(None, connect)
        await came.wait()
        await client


@suite.case(parameters=TIMES)
def plain_code(turn):
    slowly(WAIT_S)


@suite.case(parameters=TIMES)
async def blocked_loop(turn):
    slowly(WAIT_S)
    await asyncio.sleep(0)


@suite.fixture
async def server():
    async def serve():
        await asyncio.Event().wait()

    serving = asyncio.create_task(serve(), name="serving for ever")
    yield serving
    serving.cancel()


@suite.case(parameters=TIMES)
async def thread_beside_a_task_that_waits_for_ever(server, turn):
    await asyncio.to_thread(slowly, WAIT_S)


@suite.case(parameters=TIMES, virtual_time=True)
async def thread_on_virtual_time(turn):
    await asyncio.sleep(3600)
    await asyncio.to_thread(slowly, WAIT_S)
    await asyncio.sleep(3600)


@suite.fixture(scope="suite")
async def bell_ringer():
    """Rings every bell it is given, some time later: by a queue that outlives the case."""
    bells = asyncio.Queue()

    async def ring():
        while True:
            bell = await bells.get()
            await asyncio.sleep(WAIT_S)
            bell.set()

    ringing = asyncio.create_task(ring())
    yield bells
    ringing.cancel()


@suite.case(parameters=TIMES)
async def bell_rung_by_a_service_of_the_suite(bell_ringer, turn):
    bell = asyncio.Event()
    bell_ringer.put_nowait(bell)
    await bell.wait()


@suite.fixture(scope="suite")
async def thread_of_the_suite():
    loop, bells, ended = asyncio.get_running_loop(), [], threading.Event()

    def ring():
        while not ended.wait(WAIT_S):
            for bell in bells:
                loop.call_soon_threadsafe(bell.set)

    thread = threading.Thread(target=ring)
    thread.start()
    yield bells
    ended.set()
    await asyncio.to_thread(thread.join)


@suite.case(parameters=TIMES)
async def bell_rung_by_a_thread_of_the_suite(thread_of_the_suite, turn):
    bell = asyncio.Event()
    thread_of_the_suite.append(bell)
    await bell.wait()
    thread_of_the_suite.remove(bell)
