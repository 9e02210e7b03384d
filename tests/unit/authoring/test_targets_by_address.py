from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from wfrun import Context
from wfrun.authoring.errors import UnknownTarget
from wfrun.authoring.targets import available_targets, open_target

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
class Own:
    address = None
    log = []
    async def start(self):
        self.log.append("start")
    async def stop(self):
        self.log.append("stop")

class Running:
    def __init__(self, address):
        self.address = address
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip installs it: its module, and its entry points beside it."""
    (tmp_path / "shop_targets.py").write_text(MODULE)
    facts = tmp_path / "shop-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[wfrun.targets]\nshop.wfrun = shop_targets:Own\n"
        "shop.http = shop_targets:Running\nbare.tcp = shop_targets:Own\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shop_targets", raising=False)


@pytest.mark.usefixtures("shop")
def test_an_address_goes_to_the_implementation_called_after_its_scheme() -> None:
    assert open_target("shop", "http://127.0.0.1:80/x").address == "http://127.0.0.1:80/x"
    assert open_target("shop").address is None
    assert available_targets()["shop"] == ["http", "wfrun"]


@pytest.mark.usefixtures("shop")
def test_what_is_not_offered_is_said_with_what_is() -> None:
    with pytest.raises(UnknownTarget, match=r"'shop' has no implementation 'ftp'; there are http, wfrun"):
        open_target("shop", "ftp://127.0.0.1")
    with pytest.raises(UnknownTarget, match="choose one by --target bare=, such as tcp"):
        open_target("bare")


@pytest.mark.usefixtures("shop")
async def test_a_running_system_is_stopped_however_the_case_ends() -> None:
    context = Context("a::b", seed=1)

    with pytest.raises(ZeroDivisionError):
        async with context.running("shop") as shop:
            1 / shop.log.index("start")  # what the case does while it runs

    assert shop.log == ["start", "stop"]
