"""Every case here waits for something that does come, and that a hasty look could miss."""

import asyncio
import concurrent.futures
import contextvars
import functools
import os
import signal
import socket
import subprocess
import threading
import time
import weakref

import aiosqlite
import pytest
import uvloop
from slowly import slowly

from wfrun import Suite
from wfrun.concurrency import Channel, Pipeline, ProcessWorkers, Stage

WAIT_S = float(os.environ.get("GREEN_WAIT_S", "1.2"))
TIMES = {"time": list(range(int(os.environ.get("GREEN_TIMES", "1"))))}
suite = Suite("Green")
module_event: asyncio.Event | None = None


class Bell:
    """Something to wait for that can be referred to weakly."""

    def __init__(self):
        self.event = asyncio.Event()


@suite.case(parameters=TIMES)
async def slow_thread(time):
    await asyncio.to_thread(slowly, WAIT_S)


@suite.case(parameters=TIMES)
async def thread_pool_of_its_own(time):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, slowly, 0)
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(slowly, WAIT_S / 2)) for _ in range(2)))


@suite.case(parameters=TIMES)
async def sqlite_in_its_thread(time):
    async with aiosqlite.connect(":memory:") as database:
        await database.create_function("slowly", 1, slowly)
        async with database.execute("select slowly(?)", (WAIT_S,)) as rows:
            assert await rows.fetchone() == (WAIT_S,)


@suite.case(parameters=TIMES)
async def child_process(time):
    process = await asyncio.create_subprocess_exec("sleep", str(WAIT_S))
    assert await process.wait() == 0


@suite.case(parameters=TIMES)
async def output_of_a_child_process(time):
    process = await asyncio.create_subprocess_exec("sh", "-c", f"sleep {WAIT_S}; echo x", stdout=subprocess.PIPE)
    assert (await process.communicate())[0] == b"x\n"


@suite.case(parameters=TIMES)
async def thread_from_outside(time):
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def ring():
        slowly(WAIT_S)
        loop.call_soon_threadsafe(event.set)

    thread = threading.Thread(target=ring)
    thread.start()
    await event.wait()
    thread.join()


@suite.case(parameters=TIMES)
async def coroutine_sent_by_a_thread(time):
    loop, inbox = asyncio.get_running_loop(), Channel[int](1)

    def send():
        slowly(WAIT_S)
        asyncio.run_coroutine_threadsafe(inbox.send(1), loop).result()

    thread = threading.Thread(target=send)
    thread.start()
    assert await inbox.receive() == 1
    thread.join()


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


@suite.case(parameters=TIMES)
def uvloop_with_a_slow_reply(time):
    uvloop.run(asks_slowly())


@suite.case(parameters=TIMES)
async def server_and_its_own_client(time):
    await asks_slowly()


@suite.case(parameters=TIMES)
async def server_whose_client_is_a_thread(time):
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
async def pipe_from_another_process(time):
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    reading, writing = os.pipe()
    child = subprocess.Popen(["sh", "-c", f"sleep {WAIT_S}; echo x >&{writing}"], pass_fds=[writing])
    loop.add_reader(reading, event.set)
    await event.wait()
    loop.remove_reader(reading)
    os.close(reading)
    os.close(writing)
    child.wait()


@suite.case(parameters=TIMES)
async def signal_from_a_stranger(time):
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR2, event.set)
    # The shell ends at once, and what it leaves is nobody's child.
    subprocess.run(["sh", "-c", f"(sleep {WAIT_S}; kill -USR2 {os.getpid()}) >/dev/null 2>&1 &"], check=True)
    await event.wait()
    loop.remove_signal_handler(signal.SIGUSR2)


@suite.case(parameters=TIMES)
async def long_sleep(time):
    await asyncio.sleep(WAIT_S)


@suite.case(parameters=TIMES)
def plain_code(time):
    slowly(WAIT_S)


@suite.case(parameters=TIMES)
async def blocked_loop(time):
    slowly(WAIT_S)
    await asyncio.sleep(0)


@suite.case(parameters=TIMES)
async def process_workers(time):
    async with ProcessWorkers(slowly, workers=1) as workers:
        await workers.send(WAIT_S)
        assert (await workers.receive()).value == WAIT_S


@suite.case(parameters=TIMES)
async def executor_of_processes(time):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        assert await asyncio.get_running_loop().run_in_executor(pool, slowly, WAIT_S) == WAIT_S


@suite.case(parameters=TIMES)
async def pipeline_with_a_slow_source(time):
    async def numbers():
        for number in range(3):
            await asyncio.sleep(WAIT_S / 3)
            yield number

    assert await Pipeline(Stage(str)).run(numbers()) == ["0", "1", "2"]


@suite.case(parameters=TIMES)
async def time_out_around_a_deadlock(time):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(WAIT_S):
            await asyncio.Event().wait()


@suite.case(parameters=TIMES)
async def wait_for_around_a_deadlock(time):
    lock = asyncio.Lock()
    await lock.acquire()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lock.acquire(), WAIT_S)


@suite.case(parameters=TIMES)
async def receive_with_a_time_out(time):
    with pytest.raises(TimeoutError):
        await Channel[int](1).receive(timeout_s=WAIT_S)


@suite.case(parameters=TIMES)
async def watchdog_in_the_group(time):
    async def watch():
        await asyncio.sleep(WAIT_S)
        raise TimeoutError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            tasks.create_task(Channel[int](1).receive())


@suite.case(parameters=TIMES)
async def watchdog_that_cancels(time):
    waiting = asyncio.create_task(asyncio.Event().wait())

    async def watch():
        await asyncio.sleep(WAIT_S)
        waiting.cancel()

    watching = asyncio.create_task(watch())
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await watching


@suite.case(parameters=TIMES)
async def watchdog_that_cancels_all(time):
    waiting = asyncio.create_task(asyncio.Event().wait())

    async def watch():
        await asyncio.sleep(WAIT_S)
        for task in asyncio.all_tasks():
            if "Event.wait" in repr(task.get_coro()):
                task.cancel()

    watching = asyncio.create_task(watch())
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await watching


@suite.case(parameters=TIMES)
async def heart_beat_that_closes(time):
    inbox = Channel[int](1)

    async def beat():
        for _ in range(10):
            await asyncio.sleep(WAIT_S / 10)
        inbox.close()

    heart = asyncio.create_task(beat())
    assert [item async for item in inbox] == []
    await heart


@suite.case(parameters=TIMES)
async def timer_with_a_bound_call(time):
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(WAIT_S, functools.partial(event.set))
    await event.wait()


@suite.case(parameters=TIMES)
async def heart_beat_with_a_weak_reference(time):
    bell = Bell()
    weak = weakref.ref(bell)

    async def beat():
        await asyncio.sleep(WAIT_S)
        weak().event.set()

    heart = asyncio.create_task(beat())
    await bell.event.wait()
    await heart


@suite.case(parameters=TIMES)
async def heart_beat_with_a_context_variable(time):
    variable = contextvars.ContextVar("event")
    variable.set(asyncio.Event())

    async def beat():
        await asyncio.sleep(WAIT_S)
        variable.get().set()

    heart = asyncio.create_task(beat())
    await variable.get().wait()
    await heart


async def beat_for_the_module():
    await asyncio.sleep(WAIT_S)
    module_event.set()


@suite.case(parameters=TIMES)
async def heart_beat_with_a_global(time):
    global module_event
    module_event = asyncio.Event()
    heart = asyncio.create_task(beat_for_the_module())
    await module_event.wait()
    await heart


@suite.fixture
async def server():
    async def serve():
        await asyncio.Event().wait()

    serving = asyncio.create_task(serve(), name="serving for ever")
    yield serving
    serving.cancel()


@suite.case(parameters=TIMES)
async def thread_beside_a_task_that_waits_for_ever(server, time):
    await asyncio.to_thread(slowly, WAIT_S)


@suite.case(parameters=TIMES, virtual_time=True)
async def thread_on_virtual_time(time):
    await asyncio.sleep(3600)
    await asyncio.to_thread(slowly, WAIT_S)
    await asyncio.sleep(3600)


@suite.case(parameters=TIMES, virtual_time=True)
async def years_on_virtual_time(time):
    for _ in range(1000):
        await asyncio.sleep(24 * 3600)
