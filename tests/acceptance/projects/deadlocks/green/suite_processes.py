"""Waits that another process ends, and that a hasty look could miss."""

import asyncio
import concurrent.futures
import os
import signal
import subprocess
import sys

from slowly import TIMES, WAIT_S, slowly

from wfrun import Suite
from wfrun.concurrency import ProcessWorkers

suite = Suite("Green: processes")


@suite.case(parameters=TIMES)
async def child_process(turn):
    process = await asyncio.create_subprocess_exec("sleep", str(WAIT_S))
    assert await process.wait() == 0


@suite.case(parameters=TIMES)
async def output_of_a_child_process(turn):
    process = await asyncio.create_subprocess_exec("sh", "-c", f"sleep {WAIT_S}; echo x", stdout=subprocess.PIPE)
    assert (await process.communicate())[0] == b"x\n"


@suite.case(parameters=TIMES)
async def server_whose_client_is_a_process(turn):
    came = asyncio.Event()
    server = await asyncio.start_server(lambda reader, writer: (writer.close(), came.set()), "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()
        program = f"import socket, time; time.sleep({WAIT_S}); socket.create_connection({address}).close()"
        client = subprocess.Popen([sys.executable, "-ISc", program])
        await came.wait()
        client.wait()


@suite.case(parameters=TIMES)
async def pipe_from_another_process(turn):
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    reading, writing = os.pipe()
    child = subprocess.Popen(["/bin/sh", "-c", f"sleep {WAIT_S}; echo x"], stdout=writing)
    loop.add_reader(reading, event.set)
    await event.wait()
    loop.remove_reader(reading)
    os.close(reading)
    os.close(writing)
    child.wait()


@suite.case(parameters=TIMES)
async def signal_from_a_stranger(turn):
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, event.set)
    # The shell ends at once, and what it leaves is nobody's child.
    stranger = f"(sleep {WAIT_S}; kill -HUP {os.getpid()}) >/dev/null 2>&1 &"
    subprocess.run(["/bin/sh", "-c", stranger], check=True)
    await event.wait()
    loop.remove_signal_handler(signal.SIGHUP)


@suite.case(parameters=TIMES)
async def process_workers(turn):
    async with ProcessWorkers(slowly, workers=1) as workers:
        await workers.send(WAIT_S)
        assert (await workers.receive()).value == WAIT_S


@suite.case(parameters=TIMES)
async def executor_of_processes(turn):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        assert await asyncio.get_running_loop().run_in_executor(pool, slowly, WAIT_S) == WAIT_S
