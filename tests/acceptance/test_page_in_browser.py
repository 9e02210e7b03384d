"""The page of a real session, clicked through in Chromium: nothing is fetched, everything sorts, filters and fits."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import Project

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER: Final = shutil.which("chromedriver")
REQUIRED: Final = os.environ.get("WFRUN_BROWSER_REQUIRED") == "1"
MEASURING_S: Final = 240
# A session that measures is made first, beside other tests too.
pytestmark = [
    pytest.mark.timeout(2 * MEASURING_S),
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER) and not REQUIRED, reason="there is no chromium with its driver; .ci/run installs them"
    ),
]

SUITE: Final = """
SLOW = "SLOW" in os.environ

@suite.case("Drains a queue", kinds=["performance"])
def drains(context):
    for _ in range(20):
        began = time.perf_counter_ns()
        sum(range(30_000 if SLOW else 10_000))
        context.count(1)
        context.record_latency_ns(time.perf_counter_ns() - began)

@suite.case("Sorts a basket", kinds=["performance"])
def sorts():
    sorted(range(20_000), key=lambda n: -n)

@suite.case("Waits for its twin", kinds=["e2e"])
async def twin():
    one, two = asyncio.Lock(), asyncio.Lock()
    async def hold(first, second):
        async with first:
            await asyncio.sleep(0.01)
            async with second:
                pass
    first, second = hold(one, two), hold(two, one)
    await asyncio.gather(asyncio.create_task(first, name="payment"), asyncio.create_task(second, name="stock"))

@suite.case("Adds <b>up</b>", kinds=["e2e"], tags=["money"])
def adds():
    for line in range(200):
        print(f"\\x1b[31mline {line}\\x1b[0m <script>document.title = 'broken in'</script>", "wide " * 60)
    assert sum([1, 2, 3]) == 7

@suite.case("Prints a receipt", kinds=["e2e"])
def prints():
    pass
"""


@pytest.fixture(scope="module")
def page(module_project: Project) -> Path:
    """The page of a session in which cases failed, one hung, and one got slower."""
    module_project.write({"suites/suite_shop.py": SUITE})
    assert session(module_project, "--performance", "--baseline", "shop") == 0
    assert session(module_project, "history", "add") == 0
    line = module_project.json(".wfrun-history.jsonl")
    nights = [{**line, "created": f"2025-03-{day:02}T03:00:00Z"} for day in range(1, 21)]
    module_project.write({".wfrun-history.jsonl": "".join(f"{json.dumps(night)}\n" for night in nights)})
    asked = ("--e2e", "--performance", "--compare", "shop", "--html", "shop.html")
    assert session(module_project, *asked, env={"SLOW": "1"}) == 1
    return module_project.folder / "shop.html"


def session(project: Project, *arguments: str, env: dict[str, str] | None = None) -> int:
    """Run wfrun to its end, which takes a while where much is measured, and return its exit code."""
    with project.start(*arguments, env=env) as started:
        return started.process.wait(MEASURING_S)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or "chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        "--window-size=1280,900",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """A browser that has just opened the page."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    log_of(chromium, "browser")
    log_of(chromium, "performance")
    chromium.get(page.as_uri())
    return chromium


def log_of(browser: webdriver.Chrome, name: str) -> list[dict[str, Any]]:
    """What the browser has noted since it was last asked."""
    entries: list[dict[str, Any]] = browser.execute("getLog", {"type": name})["value"]
    return entries


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    """What the visible elements say."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return [element.text for element in found if element.is_displayed()]


def head(browser: webdriver.Chrome, table: str, name: str) -> Any:
    """The button that sorts a table by a column."""
    buttons = browser.find_elements(By.CSS_SELECTOR, f"{table} thead button")
    return next(button for button in buttons if button.text.strip() == name)


def test_the_page_fetches_nothing_and_complains_of_nothing(browser: webdriver.Chrome, page: Path) -> None:
    told = [json.loads(entry["message"])["message"] for entry in log_of(browser, "performance")]
    fetched = [each["params"]["request"]["url"] for each in told if each["method"] == "Network.requestWillBeSent"]

    assert fetched == [page.as_uri()]
    assert log_of(browser, "browser") == []


def test_what_a_case_printed_is_text(browser: webdriver.Chrome) -> None:
    assert browser.title.startswith("wfrun: 2 of 5 cases failed")
    assert "<script>document.title" in browser.find_element(By.ID, "failed").text
    assert "\x1b" not in browser.page_source
    assert browser.find_elements(By.CSS_SELECTOR, "main b b, main script") == []


def test_the_browser_refuses_what_the_page_does_not_need(browser: webdriver.Chrome) -> None:
    refused = browser.execute_async_script(
        """
        const done = arguments[0], found = [];
        document.addEventListener("securitypolicyviolation", event => {
          found.push(event.effectiveDirective);
          if (found.length === 2) done(found.sort());
        });
        const script = document.createElement("script");
        script.textContent = "document.title = 'broken in'";
        document.body.append(script, Object.assign(new Image(), { src: "http://127.0.0.1:9/a.png" }));
        """
    )

    assert refused == ["img-src", "script-src-elem"]
    assert browser.title != "broken in"


def test_columns_sort_both_ways_and_say_so(browser: webdriver.Chrome) -> None:
    button = head(browser, ".cases", "time")
    column = button.find_element(By.XPATH, "..")
    longest = "Things · Drains a queue", "Things · Sorts a basket"

    button.click()
    ascending = texts(browser, ".cases tbody td:nth-child(2)")
    assert column.get_attribute("aria-sort") == "ascending"
    button.click()
    descending = texts(browser, ".cases tbody td:nth-child(2)")

    assert column.get_attribute("aria-sort") == "descending"
    assert set(descending[:2]) == set(ascending[-2:]) == set(longest)
    assert ascending == descending[::-1]


def test_metrics_sort_within_their_cases_by_what_they_are(browser: webdriver.Chrome) -> None:
    """1.5 ms is more than 900 µs, and what has no figure comes last."""
    head(browser, ".metrics", "now").click()

    groups = browser.execute_script(
        """
        return [...document.querySelectorAll(".metrics tbody")].map(body =>
          [...body.querySelectorAll("tr:not(.g, .more)")].map(row => worth(row.cells[2])));
        """
    )
    assert len(groups) == 2
    for values in groups:
        figures = [value for value in values if value is not None]
        assert figures == sorted(figures)
        assert values == [*figures, *[None] * (len(values) - len(figures))]


def test_words_and_statuses_filter(browser: webdriver.Chrome) -> None:
    find = browser.find_element(By.CSS_SELECTOR, "#cases [data-find]")

    find.send_keys("money")
    assert texts(browser, ".cases tbody td:nth-child(2)") == []
    find.clear()
    find.send_keys("RECEIPT things")
    assert texts(browser, ".cases tbody td:nth-child(2)") == ["Things · Prints a receipt"]
    assert texts(browser, "#cases [role=status]") == ["1 row"]
    find.send_keys(Keys.CONTROL, "a")
    find.send_keys(Keys.DELETE)
    browser.find_element(By.CSS_SELECTOR, "#cases button[data-only=failed]").click()

    assert set(texts(browser, ".cases tbody td:first-child")) == {"failed"}
    pressed = browser.find_elements(By.CSS_SELECTOR, "#cases button[aria-pressed=true]")
    assert [button.text for button in pressed] == ["failed 2"]


def test_verdicts_filter_and_hide_cases_without_any(browser: webdriver.Chrome) -> None:
    browser.find_element(By.CSS_SELECTOR, "#compared button[data-only=regressed]").click()

    assert texts(browser, ".metrics .g") == ["Drains a queue"]
    assert {text.splitlines()[0] for text in texts(browser, ".metrics tbody tr:not(.g, .more) td:last-child")} == {
        "regressed"
    }


def test_metrics_of_advice_are_shown_on_demand(browser: webdriver.Chrome) -> None:
    before = texts(browser, ".metrics tbody th")

    browser.find_element(By.ID, "advice").click()

    assert len(texts(browser, ".metrics tbody th")) > len(before)


def test_colours_change_and_stay_changed(browser: webdriver.Chrome) -> None:
    def background() -> str:
        return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))

    button = browser.find_element(By.ID, "theme")
    found = {}
    for _ in range(3):
        button.click()
        found[button.text] = background()
    while button.text != "colours: dark":
        button.click()
    browser.refresh()

    assert found["colours: light"] != found["colours: dark"]
    assert browser.find_element(By.ID, "theme").text == "colours: dark"
    assert background() == found["colours: dark"]
    browser.execute_script("localStorage.clear()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_readers_colours_are_followed(browser: webdriver.Chrome, scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )

    shade = browser.execute_script("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0]")

    assert (int(shade) > 128) == (scheme == "light")


def test_everything_can_be_reached_and_used_by_keyboard(browser: webdriver.Chrome) -> None:
    """Each thing that takes part gets the focus in turn, shows it, and answers to the keyboard."""
    reached, outlined = [], []
    for _ in range(200):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        element = browser.switch_to.active_element
        if element.tag_name == "body":
            break
        reached.append(element.tag_name)
        outlined.append(browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", element))
        if element.tag_name == "summary" and element.text == "Things · Prints a receipt":
            element.send_keys(Keys.ENTER)
    wanted = "a, button, input, summary"
    visible = [each for each in browser.find_elements(By.CSS_SELECTOR, wanted) if each.is_displayed()]

    assert {"a", "button", "input", "summary"} <= set(reached)
    assert len(reached) >= len(visible) - 2
    assert set(outlined) == {"solid"}
    assert "shop::prints" in browser.find_element(By.ID, "cases").text


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_never_scrolls_sideways(browser: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_script("for (const fold of document.querySelectorAll('details')) fold.open = true")

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_it_can_be_read_without_a_script(browser: webdriver.Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.refresh()

        assert texts(browser, "h1")[0].startswith("2 of 5 cases failed")
        assert len(texts(browser, ".cases tbody tr")) == 5
        assert texts(browser, "button") == []
        assert texts(browser, ".waits") != []
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_paper_is_light_and_has_what_is_shown_but_no_buttons(browser: webdriver.Chrome) -> None:
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})

    assert len(printed["data"]) > 10_000
    browser.execute_script("document.documentElement.dataset.theme = 'dark'")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert texts(browser, "button[data-only], #theme, nav") == []
        assert len(texts(browser, ".cases tbody tr")) == 5
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_figures_are_drawn_under_what_got_worse(browser: webdriver.Chrome) -> None:
    told = texts(browser, ".metrics figcaption")

    assert "latency by percentile" in told
    assert "wall time: every sample, now above, then below" in told
    assert "wall time over 20 nights" in told


def test_who_waited_for_whom_is_drawn(browser: webdriver.Chrome) -> None:
    drawn = browser.find_element(By.CSS_SELECTOR, ".waits svg")

    assert "payment" in drawn.text
    assert len(drawn.find_elements(By.CSS_SELECTOR, ".box.stuck")) == 2
