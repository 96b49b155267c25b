"""A headless Chromium for a file of tests; without one the tests are skipped with the reason."""

import json
import shutil
import warnings

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900",
)  # fmt: skip


@pytest.fixture(scope="module")  # not the session's: later tests may end its driver, not itself
def browser(tmp_path_factory):
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip(
            "no chromium and chromedriver on the path: apt install chromium chromium-driver"
        )
    options = selenium.ChromeOptions()
    options.binary_location = programs[0]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of selenium's own pipes
        driver = selenium.Chrome(options=options, service=Service(programs[1]))
    yield driver
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        driver.quit()


@pytest.fixture
def requests_of(browser):
    """The addresses that pages have asked for since the last time this was called.

    Chromium's own start page, which may still be loading, is no page of ours.
    """

    def requested():
        messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and not message["params"]["documentURL"].startswith("chrome")
        ]

    return requested
