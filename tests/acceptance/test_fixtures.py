"""Fixtures that outlive a case: where they are found, how long they live, and what becomes of their trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

OUTER: Final = """
import asyncio, os
from wfrun import fixture

def tell(text):
    with open("told", "a") as file:
        file.write(text + "\\n")

@fixture(scope="session")
async def server():
    async def serve():
        while True:
            await asyncio.sleep(0.001)
    serving = asyncio.create_task(serve(), name="serving")
    tell("server up")
    yield serving
    serving.cancel()
    tell("server down")

@fixture
def client(server): return "plain client"
"""

INNER: Final = """
from wfrun import fixture

@fixture
def client(client): return f"dressed {client}"
"""

SHARING: Final = """
import contextvars
loops = []
kept = []
user = contextvars.ContextVar("user", default="nobody")

@suite.fixture(scope="suite")
async def group():
    async with asyncio.TaskGroup() as tasks:
        yield tasks

@suite.case(allow_leaks=["tasks"])
async def first(client, server, group):
    assert client == "plain client"
    loops.append(asyncio.get_running_loop())
    user.set("somebody")
    kept.append(asyncio.create_task(asyncio.sleep(1000)))
    await asyncio.to_thread(time.sleep, 0)

@suite.case()
async def second(server, group):
    assert asyncio.get_running_loop() is loops[0]
    assert user.get() == "nobody"
    assert kept[0].cancelled()
    assert not server.done()

@suite.case(own_loop=True)
async def alone():
    assert asyncio.get_running_loop() is not loops[0]

@suite.case(virtual_time=True)
async def virtual(): await asyncio.sleep(3600)

@suite.case()
async def third(server):
    assert asyncio.get_running_loop() is loops[0]
    assert not server.done()

@suite.benchmark()
async def measured(context, server, group):
    context.count(1)
    await asyncio.sleep(0)
"""

BELOW: Final = """
@suite.case()
async def dressed(client, server):
    assert client == "dressed plain client"
    assert server.get_loop() is asyncio.get_running_loop()
"""

TROUBLE: Final = """
def tell(text):
    with open("told", "a") as file:
        file.write(text + "\\n")

@suite.fixture(scope="suite")
async def no_room():
    tell("no_room tried")
    raise OSError("no room")

@suite.fixture(scope="suite")
async def never_up():
    tell("never_up tried")
    await asyncio.sleep(1000)

@suite.fixture(scope="suite")
def deadly():
    tell("deadly tried")
    os._exit(3)

@suite.fixture(scope="suite")
def elsewhere(context):
    context.skip("not on this machine")

@suite.fixture(scope="suite")
async def twice():
    yield 1
    yield 2

@suite.fixture(scope="suite")
def no_way_back():
    yield 1
    print("on the way back")
    raise ValueError("no way back")

@suite.fixture(scope="suite")
async def never_down():
    yield 1
    await asyncio.sleep(1000)

@suite.fixture(scope="suite")
def no_yield():
    if False:
        yield

@suite.case()
async def room(no_room): pass
@suite.case()
async def more_room(no_room): pass
@suite.case(timeout_s=0.3)
async def up(never_up): pass
@suite.case(timeout_s=0.3)
async def up_again(never_up): pass
@suite.case()
def dies(deadly): pass
@suite.case()
def dies_again(deadly): pass
@suite.case()
def skipped(elsewhere): pass
@suite.case()
def skipped_again(elsewhere): pass
@suite.case()
def without(no_yield): pass
@suite.case()
async def down(twice, no_way_back, never_down): pass
"""

CRASH: Final = """
@suite.fixture(scope="session")
def kept(): yield
@suite.case()
def crashes(kept): os._exit(1)
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write(
        {
            "suites/fixtures.py": OUTER,
            "suites/below/fixtures.py": INNER,
            "suites/suite_sharing.py": SHARING,
            "suites/below/suite_below.py": BELOW,
        }
    )
    ran = module_project.run("--json", "record.json", "--workers", "1", "--e2e", "--performance")
    return ran, module_project.json("record.json")


def test_fixtures_are_found_outward_and_cases_share_a_loop_and_nothing_else(session: tuple[Ran, Any]) -> None:
    ran, record = session

    assert {outcome["id"]: outcome["message"] for outcome in record["outcomes"] if outcome["status"] != "passed"} == {}
    assert ran.code == 0
    assert len(record["outcomes"]) == 7


@pytest.mark.usefixtures("session")
def test_a_session_fixture_is_made_once_for_a_worker_and_torn_down(module_project: Project) -> None:
    told = module_project.read("told").split("\n")

    # One worker, eight processes that measure, and one that counts.
    assert told.count("server up") == told.count("server down") == 10


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Mapping[str, Any], Project]:
    from tests.acceptance.conftest import Project  # noqa: PLC0415 - the fixture of that name serves other tests

    project = Project(tmp_path_factory.mktemp("trouble"))
    project.write({"suites/suite_trouble.py": TROUBLE, "suites/suite_crash.py": CRASH})
    ran = project.run("--json", "record.json", "--junit", "junit.xml", "--workers", "1")
    return ran, project.json("record.json"), project


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("room", "error", "set-up failed: OSError: no room"),
        (
            "more_room",
            "error",
            (
                "set-up failed: BrokenFixture: the suite fixture 'no_room' could not be set up for trouble::room: "
                "OSError: no room"
            ),
        ),
        ("up", "timed out", "still running after 0.3 s"),
        (
            "up_again",
            "error",
            (
                "set-up failed: BrokenFixture: the suite fixture 'never_up' could not be set up for trouble::up: "
                "its set-up was stopped"
            ),
        ),
        (
            "dies",
            "crashed",
            "its process ended with exit code 3 in the middle of the case, in deadly (suite_trouble.py:22)",
        ),
        (
            "dies_again",
            "error",
            (
                "set-up failed: BrokenFixture: the suite fixture 'deadly' could not be set up for trouble::dies: "
                "its process ended with exit code 3"
            ),
        ),
        ("skipped", "skipped", "not on this machine"),
        ("skipped_again", "skipped", "not on this machine"),
        ("down", "passed", ""),
    ],
)
def test_a_set_up_that_fails_is_tried_once_and_told_to_each_case(
    troubled: tuple[Ran, Any, Project], name: str, status: str, message: str
) -> None:
    outcomes = {outcome["id"].partition("::")[2]: outcome for outcome in troubled[1]["outcomes"]}

    assert (outcomes[name]["status"], outcomes[name]["message"]) == (status, message)
    # What failed is tried again alone when all is over.
    assert troubled[2].read("told").splitlines()[:3] == ["no_room tried", "never_up tried", "deadly tried"]


def test_a_generator_without_a_yield_is_named(troubled: tuple[Ran, Any, Project]) -> None:
    outcomes = {outcome["id"].partition("::")[2]: outcome for outcome in troubled[1]["outcomes"]}

    assert "no_yield() ended without a yield; a fixture yields once" in outcomes["without"]["message"]


def test_a_tear_down_that_fails_after_its_cases_is_an_error_of_the_session(troubled: tuple[Ran, Any, Project]) -> None:
    ran, record, project = troubled
    failures = {failure["fixture"]: failure for failure in record["fixture_failures"]}

    assert ran.code == 1
    assert failures["no_way_back"]["message"] == "ValueError: no way back"
    assert "in no_way_back" in failures["no_way_back"]["traceback"]
    assert "on the way back" in failures["no_way_back"]["output"]
    assert failures["never_down"]["message"] == "its tear-down did not end within 5 s"
    assert "in never_down" in failures["never_down"]["traceback"]
    assert failures["twice"]["message"].endswith("twice() yields a second time; a fixture yields once")
    assert "tear-down of the suite fixture no_way_back\n      ValueError: no way back" in ran.out
    assert 'name="tear-down of no_way_back"' in project.read("junit.xml")


def test_tear_downs_that_a_crash_prevented_are_named(troubled: tuple[Ran, Any, Project]) -> None:
    outcomes = {outcome["id"].partition("::")[2]: outcome for outcome in troubled[1]["outcomes"]}

    assert outcomes["crashes"]["status"] == "crashed"
    assert outcomes["crashes"]["unfinished_teardowns"] == ["kept"]


def test_a_failing_tear_down_alone_makes_the_session_fail(project: Project) -> None:
    project.write(
        {
            "suites/suite_down.py": """
@suite.fixture(scope="session")
def failing():
    yield
    raise ValueError("no way back")
@suite.case()
def passes(failing): pass
"""
        }
    )

    ran = project.run()

    assert ran.code == 1
    assert ran.out.rstrip().splitlines()[-1].startswith("1 passed · 1 tear-down failed · ")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            (
                "@suite.fixture\ndef folder(): ...\n@suite.fixture(scope='suite')\ndef db(folder): ...\n"
                "@suite.case()\ndef case(db): ...\n"
            ),
            (
                "the suite fixture 'db' asks for the case fixture 'folder', which does not live as long; "
                "give folder the scope 'suite', or give db the scope 'case'"
            ),
        ),
        (
            (
                "@suite.fixture(scope='session')\nasync def db(): ...\n"
                "@suite.case(virtual_time=True)\nasync def case(db): ...\n"
            ),
            "case() has a loop of its own (virtual_time=True) and cannot use the session fixture 'db', which is async",
        ),
        (
            "@suite.fixture(scope='suite')\ndef server(): ...\n@suite.case()\ndef case(sever): ...\n",
            "case() asks for 'sever'; did you mean 'server'?",
        ),
        (
            (
                "@suite.fixture\ndef a(b): ...\n@suite.fixture\ndef b(c): ...\n@suite.fixture\ndef c(a): ...\n"
                "@suite.case()\ndef case(a): ...\n"
            ),
            "fixtures need one another in a circle: a → b → c → a; break it at one of them",
        ),
    ],
)
def test_what_cannot_be_provided_is_refused_when_the_suite_loads(project: Project, source: str, message: str) -> None:
    project.write({"suites/suite_wrong.py": source})

    ran = project.run()

    assert ran.code == 1
    assert message in ran.out


def test_a_fixtures_file_that_does_not_load_is_told_with_its_place(project: Project) -> None:
    project.write({"suites/fixtures.py": "1 / 0\n", "suites/suite_a.py": "@suite.case()\ndef case(): ...\n"})

    ran = project.run()

    assert ran.code == 1
    assert "ZeroDivisionError" in ran.out
    assert "suites/fixtures.py" in ran.out


def test_threads_of_a_loop_are_there_for_every_suite_of_a_worker(project: Project) -> None:
    """Closing the loop of one suite shuts its threads down; the next has its own."""
    asks = "@suite.case()\nasync def asks_a_thread(): assert await asyncio.to_thread(len, 'abc') == 3\n"
    project.write({f"suites/suite_{name}.py": asks for name in "abc"})

    ran = project.run("--workers", "1")

    assert "3 passed" in ran.out


@pytest.mark.parametrize("scope", ["suite", "session", "shared"])
def test_ctrl_c_lets_wide_fixtures_be_torn_down(project: Project, scope: str) -> None:
    project.write(
        {
            "suites/suite_waits.py": f"""
@suite.fixture(scope={scope!r})
async def server():
    yield 1
    with open("down", "w") as file:
        file.write("torn down")

@suite.case()
async def waits(server):
    with open("waits", "w") as file:
        file.write("waits")
    while True:
        await asyncio.sleep(0.01)
"""
        }
    )

    with project.start() as started:
        project.wait_for("waits")
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert project.read("down") == "torn down"
