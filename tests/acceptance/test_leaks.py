"""What a case leaves behind fails it, by name; what it may leave, or what is not its own, does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.acceptance.conftest import gone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

LEAKS: Final = """
import socket, tempfile

KEPT = []

async def stay():
    await asyncio.sleep(1000)

def poll():
    while True:
        time.sleep(1000)

@suite.case()
async def leaves_a_task():
    KEPT.append(asyncio.create_task(stay(), name="poller"))

@suite.case()
def leaves_a_thread():
    threading.Thread(target=poll, name="poller").start()

@suite.case()
def leaves_a_daemon_thread():
    threading.Thread(target=poll, name="demon", daemon=True).start()

@suite.case()
def leaves_a_process(context):
    context.note("pid", subprocess.Popen(["sleep", "1000"]).pid)

@suite.case()
def leaves_a_daemon():
    # In a session of its own, without a parent, and with nothing of what its ancestors had in their environment.
    command = "setsid sleep 1001 </dev/null >/dev/null 2>&1 & echo $! >daemon.pid"
    subprocess.run(["sh", "-c", command], env={"PATH": os.environ["PATH"]})

@suite.case()
def leaves_a_file_open(): KEPT.append(open("left.txt", "w"))

@suite.case()
def leaves_a_server(): KEPT.append(socket.create_server(("127.0.0.1", 0)))

@suite.case()
def leaves_a_temporary_file():
    with tempfile.NamedTemporaryFile(prefix="left-", delete=False):
        pass

@suite.case()
async def leaves_many():
    KEPT.extend(asyncio.create_task(stay(), name=f"poller {n}") for n in range(5))
"""

CLEAN: Final = """
import socket, tempfile
from concurrent.futures import ThreadPoolExecutor

KEPT = []

@suite.case(allow_leaks=["tasks", "threads", "processes", "descriptors", "files"])
async def declares_what_it_leaves():
    KEPT.append(asyncio.create_task(asyncio.sleep(1000)))
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    subprocess.Popen(["sleep", "1000"])
    KEPT.append(open("left.txt", "w"))
    tempfile.mkstemp()

@suite.case()
async def uses_the_executor_of_the_loop(): await asyncio.to_thread(time.sleep, 0)

@suite.case()
def leaves_an_idle_pool():
    KEPT.append(ThreadPoolExecutor(2))
    KEPT[-1].submit(time.sleep, 0).result()

@suite.case()
async def cancels_without_waiting(): asyncio.create_task(asyncio.sleep(1000)).cancel()

@suite.case()
async def closes_without_waiting():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    writer.close()
    server.close()

@suite.case()
def leaves_a_process_that_ended(): KEPT.append(subprocess.Popen(["true"]))

@suite.case()
async def waits_for_a_process():
    process = await asyncio.create_subprocess_exec("true")
    assert await process.wait() == 0

@suite.case()
def leaves_it_to_the_collector():
    loop = {}
    loop["itself"] = loop
    loop["file"] = open("left.txt", "w")

@suite.case()
def lets_the_library_start_its_helper():
    from multiprocessing import shared_memory
    memory = shared_memory.SharedMemory(create=True, size=10)
    memory.close()
    memory.unlink()

@suite.case()
def uses_its_folder(context): (context.folder / "file").write_text("text")

@suite.case(virtual_time=True)
async def waits_on_virtual_time(): await asyncio.sleep(1000)

@suite.case()
def fails_with_a_file_open():
    file = open("left.txt", "w")
    assert file.closed
"""


WIDE: Final = """
import socket
from concurrent.futures import ProcessPoolExecutor

class Client:
    def __init__(self): self.free = []

@suite.fixture(scope="suite")
async def client():
    client = Client()
    yield client
    connection, task, process = client.free
    connection.close()
    task.cancel()
    process.kill()
    process.wait()

@suite.fixture(scope="suite")
def pool():
    with ProcessPoolExecutor(1) as pool: yield pool

@suite.case()
async def makes_the_client_connect(client):
    client.free += [socket.socket(), asyncio.create_task(asyncio.sleep(1000)), subprocess.Popen(["sleep", "1000"])]

@suite.case()
async def finds_the_client_connected(client):
    connection, task, process = client.free
    assert connection.fileno() >= 0
    assert not task.done()
    assert process.poll() is None

@suite.case()
def makes_the_pool_start(pool): assert pool.submit(max, 1, 2).result() == 2

@suite.case()
def finds_the_pool_working(pool): assert pool.submit(max, 1, 2).result() == 2
"""


def test_what_a_wider_fixture_comes_to_hold_during_a_case_is_the_fixtures(project: Project) -> None:
    ran = project.write({"suites/suite_wide.py": WIDE}).run()

    assert "4 passed" in ran.out
    assert ran.code == 0


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write({"suites/suite_leaks.py": LEAKS, "suites/suite_clean.py": CLEAN})
    ran = module_project.run("--json", "record.json", "--workers", "2")
    return ran, module_project.json("record.json")


@pytest.fixture(scope="module")
def outcomes(session: tuple[Ran, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {outcome["id"].partition("::")[2]: outcome for outcome in session[1]["outcomes"]}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("leaves_a_task", r"task 'poller' in stay \(suite_leaks.py:10\)"),
        ("leaves_a_thread", r"thread 'poller' in poll \(suite_leaks.py:14\)"),
        ("leaves_a_daemon_thread", r"thread 'demon' in poll \(suite_leaks.py:14\)"),
        ("leaves_a_process", r"process \d+ \(sleep 1000\)"),
        ("leaves_a_daemon", r"process \d+ \(sleep 1001\)"),
        ("leaves_a_file_open", r"descriptor \d+ \(/.*/left.txt\)"),
        ("leaves_a_server", r"descriptor \d+ \(socket 127.0.0.1:\d+\)"),
        ("leaves_a_temporary_file", r"temporary file left-\w+"),
        (
            "leaves_many",
            r"task 'poller 0' in stay \(.*\), task 'poller 1' in stay \(.*\), task 'poller 2' in .* and 2 more",
        ),
    ],
)
def test_a_leak_fails_its_case_by_name(outcomes: Mapping[str, Any], name: str, message: str) -> None:
    assert outcomes[name]["status"] == "failed"
    assert re.fullmatch(f"left behind: {message}", outcomes[name]["message"])


def test_a_leak_says_how_it_is_declared(session: tuple[Ran, Any]) -> None:
    assert "end it in the case or its tear-down, or declare it with allow_leaks=['threads']" in session[0].out


def test_what_is_declared_or_not_the_cases_own_passes(outcomes: Mapping[str, Any]) -> None:
    clean = {name: each["message"] for name, each in outcomes.items() if each["id"].startswith("clean::")}
    failed = clean.pop("fails_with_a_file_open")

    assert set(clean.values()) == {""}
    assert len(clean) == 11
    assert failed == "assert file.closed"


def test_processes_are_ended_after_their_case(module_project: Project, outcomes: Mapping[str, Any]) -> None:
    gone(outcomes["leaves_a_process"]["notes"]["pid"])
    gone(int(module_project.read("daemon.pid")))
