"""Every case here waits for what can never come."""

import asyncio

from wfrun import Suite
from wfrun.concurrency import Channel, ChannelMode

suite = Suite("Stuck")


@suite.case()
async def lock_taken_twice():
    lock = asyncio.Lock()
    async with lock, lock:
        pass


@suite.case()
async def two_locks_in_opposite_order():
    first, second = asyncio.Lock(), asyncio.Lock()

    async def take(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take(first, second), name="forward")
        tasks.create_task(take(second, first), name="backward")


@suite.case()
async def queue_without_a_producer():
    await asyncio.Queue().get()


@suite.case()
async def full_queue_without_a_consumer():
    queue = asyncio.Queue(1)
    for number in range(2):
        await queue.put(number)


@suite.case()
async def queue_never_done():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    await queue.get()
    await queue.join()


@suite.case()
async def channel_that_nobody_feeds():
    await Channel(10, name="orders").receive()


@suite.case()
async def full_channel_whose_consumer_is_gone():
    orders = Channel(2, name="orders", mode=ChannelMode.SPSC)

    async def consume():
        await orders.receive()

    consumer = asyncio.create_task(consume())
    for number in range(10):
        await orders.send(number)
    await consumer


@suite.case()
async def two_stages_that_wait_for_each_other():
    there, back = Channel(1, name="there"), Channel(1, name="back")

    async def stage(inbox, outbox):
        async for item in inbox:
            await outbox.send(item)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage(there, back), name="forth")
        tasks.create_task(stage(back, there), name="back")


@suite.case()
async def future_never_set():
    await asyncio.get_running_loop().create_future()


@suite.case()
async def event_never_set():
    await asyncio.Event().wait()


@suite.case()
async def tasks_that_await_each_other():
    tasks = {}

    async def one():
        await asyncio.sleep(0)
        await tasks["two"]

    async def two():
        await asyncio.sleep(0)
        await tasks["one"]

    tasks["one"] = asyncio.create_task(one(), name="one")
    tasks["two"] = asyncio.create_task(two(), name="two")
    await asyncio.gather(*tasks.values())


@suite.case()
async def condition_never_notified():
    condition = asyncio.Condition()
    async with condition:
        await condition.wait()


@suite.case()
async def semaphore_taken_once_too_often():
    semaphore = asyncio.Semaphore(1)
    async with semaphore, semaphore:
        pass


@suite.case()
async def barrier_where_one_is_missing():
    await asyncio.Barrier(2).wait()


@suite.case()
async def stages_that_wait_while_a_heart_beats():
    ping, pong = Channel(1, name="ping"), Channel(1, name="pong")

    async def beat():
        while True:
            await asyncio.sleep(0.05)

    async def stage(inbox, outbox):
        async for item in inbox:
            await outbox.send(item)

    heart = asyncio.create_task(beat(), name="heart")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage(ping, pong), name="pinger")
            tasks.create_task(stage(pong, ping), name="ponger")
    finally:
        heart.cancel()


@suite.case()
async def event_never_set_beside_a_server():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with server:
        await asyncio.Event().wait()


@suite.case(virtual_time=True)
async def event_never_set_on_virtual_time():
    await asyncio.sleep(3600)
    await asyncio.Event().wait()


@suite.case(virtual_time=True)
async def event_never_set_while_a_virtual_heart_beats():
    async def beat():
        while True:
            await asyncio.sleep(0.05)

    heart = asyncio.create_task(beat(), name="heart")
    try:
        await asyncio.Event().wait()
    finally:
        heart.cancel()


@suite.fixture(scope="suite")
async def service():
    """A server with a heart-beat and a task that waits for ever, for all cases of the suite."""

    async def beat():
        while True:
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(beat(), name="heart"), asyncio.create_task(asyncio.Event().wait(), name="serving")]
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0):
        yield "service"
    for task in tasks:
        task.cancel()


@suite.case()
async def event_never_set_beside_a_service_of_the_suite(service):
    await asyncio.Event().wait()


@suite.case()
async def lock_taken_twice_beside_a_service_of_the_suite(service):
    lock = asyncio.Lock()
    async with lock, lock:
        pass
