"""A fixture of scope shared: once in a session, in a process of its own, and a JSON value for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.acceptance.conftest import gone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

SERVER: Final = """
import asyncio, os
from wfrun import fixture

def tell(text):
    with open("told", "a") as file:
        file.write(text + "\\n")

@fixture(scope="shared")
async def server():
    async def answer(reader, writer):
        line = await reader.readline()
        if line == b"die\\n":
            os._exit(7)
        writer.write(line.upper())
        writer.close()
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    tell(f"up {os.getpid()}")
    yield {"port": listening.sockets[0].getsockname()[1], "pid": os.getpid()}
    listening.close()
    tell("down")

@fixture(scope="shared")
def url(server):
    return f"tcp://127.0.0.1:{server['port']}"

async def say(server, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", server["port"])
    writer.write(text)
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer
"""

ASKS: Final = """
from fixtures import say

@suite.case(parameters={"n": [1, 2]})
async def asks(context, server, n):
    context.note("pid", server["pid"])
    assert server["pid"] != os.getpid()
    assert await say(server, b"tea\\n") == b"TEA\\n"

@suite.case()
def has_the_url(server, url):
    assert url.endswith(str(server["port"]))

@suite.benchmark()
async def measured(server):
    assert await say(server, b"tea\\n") == b"TEA\\n"
"""

TROUBLE: Final = """
@suite.fixture(scope="shared")
def no_json(): return object()
@suite.fixture(scope="shared")
def fails(): raise OSError("no room")
@suite.fixture(scope="shared")
def elsewhere(context): context.skip("no printer here")
@suite.fixture(scope="shared")
def dies_at_once(): os._exit(3)
@suite.fixture(scope="shared")
async def never_up(): await asyncio.Event().wait()
@suite.fixture(scope="shared")
def no_way_back():
    yield 1
    print("on the way back")
    raise ValueError("no way back")
@suite.fixture(scope="shared")
def mortal(): yield os.getpid()

@suite.case()
def wants_json(no_json): pass
@suite.case()
def wants_room(fails): pass
@suite.case()
def wants_room_too(fails): pass
@suite.case()
def wants_a_printer(elsewhere): pass
@suite.case()
def wants_the_dead(dies_at_once): pass
@suite.case()
def waits(never_up): pass
@suite.case()
def goes_well(no_way_back): pass
@suite.case()
def kills(mortal):
    os.kill(mortal, signal.SIGKILL)
    raise ConnectionError("nobody answers")
@suite.case()
def comes_after(mortal): pass
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write({"suites/fixtures.py": SERVER, "suites/suite_a.py": ASKS, "suites/suite_b.py": ASKS})
    ran = module_project.run("--json", "record.json", "--workers", "2", "--e2e", "--performance")
    return ran, module_project.json("record.json")


def test_every_worker_and_every_measuring_process_gets_the_value_of_the_one(
    session: tuple[Ran, Any], module_project: Project
) -> None:
    ran, record = session
    pids = {outcome["notes"]["pid"] for outcome in record["outcomes"] if outcome["notes"]}

    assert {outcome["id"]: outcome["message"] for outcome in record["outcomes"] if outcome["status"] != "passed"} == {}
    assert ran.code == 0
    assert module_project.read("told") == f"up {pids.pop()}\ndown\n"
    assert pids == set()


@pytest.mark.usefixtures("session")
def test_its_process_is_gone_after_the_session(module_project: Project) -> None:
    gone(int(module_project.read("told").split()[1]))


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Mapping[str, Any]]:
    from tests.acceptance.conftest import Project  # noqa: PLC0415 - the fixture of that name serves other tests

    project = Project(tmp_path_factory.mktemp("trouble"))
    project.write({"suites/suite_trouble.py": TROUBLE})
    ran = project.run("--json", "record.json", "--timeout", "2s")
    return ran, project.json("record.json")


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("wants_json", "error", "the shared fixture 'no_json' gives what is no JSON value"),
        ("wants_room", "error", "the shared fixture 'fails' could not be set up: OSError: no room"),
        ("wants_room_too", "error", "the shared fixture 'fails' could not be set up: OSError: no room"),
        ("wants_a_printer", "skipped", "no printer here"),
        ("wants_the_dead", "error", "'dies_at_once' could not be set up: its process ended with exit code 3"),
        ("waits", "error", "'never_up' could not be set up: its set-up did not end within 2 s"),
        ("goes_well", "passed", ""),
        ("kills", "error", "the shared fixture 'mortal' is gone: its process was killed by SIGKILL; then the case"),
        ("comes_after", "error", "the shared fixture 'mortal' is gone: its process was killed by SIGKILL"),
    ],
)
def test_what_becomes_of_it_is_told_to_each_case_that_needs_it(
    troubled: tuple[Ran, Any], name: str, status: str, message: str
) -> None:
    outcomes = {outcome["id"].partition("::")[2]: outcome for outcome in troubled[1]["outcomes"]}

    assert outcomes[name]["status"] == status
    assert message in outcomes[name]["message"]


def test_a_failing_tear_down_is_an_error_of_the_session(troubled: tuple[Ran, Any]) -> None:
    failures = {failure["fixture"]: failure for failure in troubled[1]["fixture_failures"]}

    assert troubled[0].code == 1
    assert failures["no_way_back"]["message"] == "ValueError: no way back"
    assert failures["no_way_back"]["output"] == "on the way back\n"
    assert failures["mortal"]["message"] == "its process was killed by SIGKILL before its tear-down"
