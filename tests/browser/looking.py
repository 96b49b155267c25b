"""Opens a report in a browser, and looks at it."""

import time

from scoring.report.page import write_report

WAIT = 10.0
PROFILE = "#profiles .js-plotly-plot"
CURVES = "#curves .js-plotly-plot"


def opened_report(browser, root, requests_of):
    """The page of a results directory, written into it."""
    write_report(root, root / "report.html")
    yield from opened(browser, (root / "report.html").as_uri(), requests_of)


def opened(browser, address, requests_of):
    """A page, freshly opened; at the end nothing was complained of, and nothing was asked for."""
    browser.get_log("browser")
    requests_of()
    browser.get(address)
    yield browser
    assert browser.get_log("browser") == []
    assert {url for url in requests_of() if not url.startswith(("data:", "blob:"))} == {address}
    assert browser.execute_script("return window.broken === undefined")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def wait_for(page, script):
    """What the script returns, once that is true."""
    end = time.monotonic() + WAIT
    while not (found := page.execute_script(script)):
        assert time.monotonic() < end, f"never true: {script}"
        time.sleep(0.02)
    return found


def cell_details(page, workload):
    """What the page says of a cell that is clicked."""
    click(page, f"#heat [data-workload={workload}]")
    return texts(page, "#cell")[0]


def show(page, selector):
    """Scrolls a chart into view and waits until it is drawn."""
    section = selector.split()[0]
    page.execute_script(
        f"document.querySelector('{section}').scrollIntoView({{behavior: 'instant'}})"
    )
    wait_for(page, f"return document.querySelector('{selector} .plot-container') !== null")


def click(page, selector):
    page.execute_script(f"document.querySelector({selector!r}).click()")


def texts(page, selector):
    script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
    return page.execute_script(script, selector)
