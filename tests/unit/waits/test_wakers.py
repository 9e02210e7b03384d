from __future__ import annotations

import _thread
import asyncio
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from wfrun.waits import children_text, descriptors, find_wakers, foreign_threads, has_children, timers

pytestmark = pytest.mark.alone


def idents() -> set[int]:
    return {thread.ident or 0 for thread in threading.enumerate()}


async def test_the_next_timer_is_told_and_a_cancelled_one_is_not() -> None:
    loop = asyncio.get_running_loop()
    before = len(timers(loop))
    handle = loop.call_later(1000, print)

    assert timers(loop)[0].text.startswith("1 timer, the next in ") or before
    handle.cancel()
    assert len(timers(loop)) == before


async def test_a_watched_socket_is_named_by_its_addresses() -> None:
    loop = asyncio.get_running_loop()
    assert descriptors(loop) == []

    with socket.create_server(("127.0.0.1", 0)) as listening:
        loop.add_reader(listening, print)
        (waker,) = descriptors(loop)
        loop.remove_reader(listening)

    assert waker.text.startswith("socket 127.0.0.1:")
    assert waker.kind == "descriptor"


def test_a_thread_is_named_with_its_line() -> None:
    before, release = idents(), threading.Event()
    thread = threading.Thread(target=release.wait, name="poller")
    thread.start()

    texts = [waker.text for waker in foreign_threads(before)]
    release.set()
    thread.join()

    assert any(text.startswith("thread poller") for text in texts)
    assert foreign_threads(before) == []


def test_an_executors_thread_counts_only_while_it_works() -> None:
    before, release, begun = idents(), threading.Event(), threading.Event()

    def work_on() -> None:
        begun.set()
        release.wait()

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(work_on)
        begun.wait()
        busy = foreign_threads(before)
        release.set()
        work.result()
        # The result is there a moment before the thread is back in its loop.
        while idle := foreign_threads(before):
            pass

    assert len(busy) == 1
    assert idle == []


def test_a_child_is_told_by_its_command() -> None:
    assert not has_children()
    with subprocess.Popen(["/bin/sleep", "1000"]) as child:
        assert has_children()
        text = children_text()
        child.kill()

    assert text == f"process {child.pid} (/bin/sleep 1000)"
    assert not has_children()


async def test_a_signal_handler_counts_and_the_runners_own_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    handled = {waker.text for waker in find_wakers(loop) if waker.kind == "signal"}
    loop.add_signal_handler(signal.SIGHUP, print)

    now = {waker.text for waker in find_wakers(loop) if waker.kind == "signal"}
    loop.remove_signal_handler(signal.SIGHUP)

    def handler(*_: object) -> None:
        pass

    previous = signal.signal(signal.SIGHUP, handler)
    monkeypatch.setattr(handler, "__module__", "wfrun.runner.child.guard")
    own = {waker.text for waker in find_wakers(loop) if waker.kind == "signal"}
    signal.signal(signal.SIGHUP, previous)

    assert now - handled == {"a handler of SIGHUP"}
    assert own == handled


def test_a_thread_that_python_did_not_start_counts() -> None:
    release, running = threading.Lock(), threading.Lock()
    release.acquire()
    running.acquire()

    def wait() -> None:
        running.release()
        release.acquire()

    before = len(foreign_threads())
    _thread.start_new_thread(wait, ())
    running.acquire()
    try:
        texts = [thread.text for thread in foreign_threads()]
        assert len(texts) == before + 1
        assert any("a thread without a name" in text for text in texts)
    finally:
        release.release()
