"""The report in a real browser: it draws, sorts, filters and answers, and asks for nothing."""

import json
import re

import pytest

from scoring.report.page import write_report
from tests.browser.looking import CURVES, PROFILE, click, opened, show, texts, wait_for
from tests.scoring.made_logs import declared, hit, write_trial
from tests.scoring.report.made_report import HOSTILE, REASON, make_results


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    path = root / "report.html"
    write_report(make_results(root / "made"), path, title="Made up", baseline="fast")
    return path.as_uri()


@pytest.fixture(scope="module")
def foreign_address(tmp_path_factory):
    """The report of AlgoPerf's own logs: no trial.json, no study but one."""
    root = tmp_path_factory.mktemp("foreign")
    for seconds, name in enumerate(("slow", "fast")):
        write_trial(root, name, "a", hit(5 - seconds))
    (root / "suite.json").write_text(json.dumps(declared(("a",))))
    write_report(root, root / "report.html")
    return (root / "report.html").as_uri()


@pytest.fixture
def page(browser, address, requests_of):
    yield from opened(browser, address, requests_of)


@pytest.fixture
def foreign(browser, foreign_address, requests_of):
    yield from opened(browser, foreign_address, requests_of)


def order(page):
    return texts(page, ".board tbody .name")


def type_into(page, selector, text):
    page.execute_script(
        "const field = document.querySelector(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('input'))", selector, text,
    )  # fmt: skip


def choose(page, label, value):
    page.execute_script(
        "const label = [...document.querySelectorAll('#leaderboard label')]"
        "  .find((one) => one.textContent.startsWith(arguments[0]));"
        "const select = label.querySelector('select'); select.value = arguments[1];"
        "select.dispatchEvent(new Event('change'))", label, value,
    )  # fmt: skip


def test_it_opens_with_its_leaderboard(page):
    assert page.title == "Made up"
    assert texts(page, "h1") == ["Made up"]
    assert "fast leads with a score of 1.000 over 2 workloads" in texts(page, "#verdict")[0]
    assert order(page)[0] == "fast"
    assert "speedup over fast" in " ".join(texts(page, ".board thead th"))
    assert len(texts(page, "main > section h2")) == 9


def test_markup_in_names_and_reasons_is_shown_as_it_is(page):
    assert HOSTILE in order(page)
    assert set(texts(page, "#failures-table .reason")) == {REASON}
    assert page.execute_script("return document.querySelectorAll('main img').length") == 0
    show(page, PROFILE)
    show(page, CURVES)


def test_columns_sort_by_click_and_by_keyboard(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    assert order(page) == ["fast", HOSTILE, "slow"]
    heading = "//th[.//button[@data-key='targets']]"

    def sort():
        return page.find_element(By.XPATH, heading).get_attribute("aria-sort")

    assert sort() == "none"
    page.find_element(By.CSS_SELECTOR, "[data-key=targets]").click()
    assert (sort(), order(page)) == ("descending", ["fast", "slow", HOSTILE])
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert (sort(), order(page)) == ("ascending", [HOSTILE, "fast", "slow"])
    page.find_element(By.CSS_SELECTOR, "[data-key=name]").click()
    assert order(page) == sorted(order(page))


def test_filters_choose_a_leaderboard_that_was_scored_anew(page):
    choose(page, "Tier", "catalog")
    assert order(page)[0] == "fast"
    assert "over 1 workload " in texts(page, "#verdict")[0]
    assert texts(page, "#heat thead th") == ["b"]
    assert "-w b" in texts(page, "#leaderboard .command code")[0]
    choose(page, "Ruleset", "self")
    assert order(page) == [HOSTILE]
    choose(page, "Ruleset", "")
    choose(page, "Tier", "")
    type_into(page, "#query", "SLO")
    assert order(page) == ["slow"]
    assert texts(page, "#heat tbody th") == ["slow"]
    type_into(page, "#query", "nobody")
    assert "No submission has such a name." in texts(page, ".board tbody")[0]


def test_hovering_a_profile_says_which_workloads_count(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    show(page, PROFILE)
    chart = page.find_element(By.CSS_SELECTOR, f"{PROFILE} .nsewdrag")
    at = page.execute_script(
        "const plot = document.querySelector(arguments[0]), {xaxis, yaxis} = plot._fullLayout;"
        "return [xaxis.l2p(3) - xaxis._length / 2, yaxis.l2p(1) - yaxis._length / 2]", PROFILE,
    )  # fmt: skip
    ActionChains(page).move_to_element_with_offset(chart, *map(round, at)).perform()
    label = wait_for(page, f"return document.querySelector('{PROFILE} .hovertext')?.textContent")
    assert re.match(r"τ = (2\.9|3\.0)\d: 100%", label)
    assert "fast: 2 of 2" in label
    assert "a, b" in label
    assert re.match(r"Within (2\.9|3\.0)\d times", texts(page, "#profiles caption")[0])


def test_the_slider_reads_the_profiles_out(page):
    type_into(page, "#tau", "1.5")
    rows = dict(zip(texts(page, "#profiles tbody th"), texts(page, "#profiles tbody td.number"),
                    strict=True))  # fmt: skip
    assert rows == {"fast": "100%", "slow": "0%", HOSTILE: "0%"}


def test_cells_tell_misses_and_disqualifications_apart_and_explain_them(page):
    states = dict(page.execute_script(
        "return [...document.querySelectorAll('#heat button')].map((one) => ["
        "  `${one.dataset.submission} ${one.dataset.workload}`,"
        "  [one.textContent, one.dataset.state, getComputedStyle(one).backgroundImage !== 'none']])"
    ))  # fmt: skip
    assert states["fast a"] == ["best", "reached", False]
    assert states["slow a"] == ["⊘ variant", "variant_missed", True]
    assert states["slow b"] == ["⊘ 8.2\u00d7", "too_slow", True]
    assert states["slow a_v"] == ["✕ missed", "missed", True]
    assert states[f"{HOSTILE} a"] == ["✕ error", "missed", True]
    assert texts(page, "#heat thead .held .tag") == ["held-out"]
    click(page, "#heat [data-submission=slow][data-workload=b]")
    details = texts(page, "#cell")[0]
    assert "rule 2" in details
    assert "algoperf-lite run -s slow -w b --studies 3 --trials 1 --seed 7" in details
    assert re.search(r"algoperf-lite show \S+/slow/study_\d/b_jax/trial_1", details)


def test_arrow_keys_go_from_cell_to_cell(page):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelector('#heat button').focus()")
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    for _ in range(2):
        page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    now = page.switch_to.active_element.get_attribute("aria-label")
    assert now == "slow on b: ⊘ 8.2\u00d7"
    assert "slow on b" in texts(page, "#cell h3")[0]


def test_curves_switch_their_axis_and_know_the_median_study(page):
    show(page, CURVES)

    def bold():
        return page.execute_script(
            "const plot = document.querySelector(arguments[0]);"
            "const trace = plot.data.find((one) => one.mode === 'lines+markers');"
            "return [plot._fullLayout.xaxis.title.text, [...trace.x]]", CURVES,
        )  # fmt: skip

    title, seconds = bold()
    assert title == "on-clock time (s)"
    assert seconds == pytest.approx([2.2, 4.4, 6.6, 8.8, 11.0])
    for axis, shown, scale in (("steps", "steps", 10), ("flops", "FLOPs", 1e7)):
        click(page, f"#curves input[value={axis}]")
        title, values = bold()
        assert (title, values) == (shown, [scale * i for i in range(5)])
    target = page.execute_script("return document.querySelector(arguments[0]).layout.shapes[0].y0",
                                 CURVES)  # fmt: skip
    assert target == 1.0


def test_a_legend_entry_takes_a_submission_out_of_every_chart(page):
    click(page, "#profiles .chip[data-name=fast]")
    assert texts(page, "#profiles tbody th") == [HOSTILE, "slow"]
    pressed = "return document.querySelector('#curves .chip[data-name=fast]').ariaPressed"
    assert page.execute_script(pressed) == "false"


@pytest.mark.parametrize("section", ["clocks", "points", "noise"])
def test_every_other_chart_is_drawn(page, section):
    show(page, f"#{section} .js-plotly-plot")
    marks = f"#{section} :is(.barlayer, .scatterlayer) path"
    assert wait_for(page, f"return document.querySelectorAll('{marks}').length")


def test_failures_are_listed_and_exhausted_budgets_counted(page):
    assert len(texts(page, "#failures-table tbody tr")) == 6
    assert "6 trials came to an end before the target" in texts(page, "#failures summary")
    assert "stray.txt" in texts(page, "#problems")[0]


def test_what_foreign_logs_do_not_hold_is_said(foreign):
    assert "Too few studies (1)" in texts(foreign, "#verdict")[0]
    assert "rank 95%" not in " ".join(texts(foreign, ".board th"))
    for section in ("points", "noise", "environment"):
        assert len(texts(foreign, f"#{section} .empty")) == 1
        assert texts(foreign, f"#{section} .chart") == []
    foreign.execute_script("document.querySelector('#clocks').scrollIntoView()")
    wait_for(foreign, "return document.querySelector('#clocks .empty') !== null")
    show(foreign, CURVES)
    disabled = "return document.querySelector('#curves input[value=flops]').disabled"
    assert foreign.execute_script(disabled)


def test_the_theme_follows_the_system_until_it_is_chosen(page):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    theme = "return [document.documentElement.dataset.theme, getComputedStyle(document.body).color]"
    show(page, PROFILE)
    assert page.execute_script(theme) == ["light", "rgb(26, 31, 38)"]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    wait_for(page, "return document.documentElement.dataset.theme === 'dark'")
    ink = f"return document.querySelector('{PROFILE}').layout.font.color"
    assert wait_for(page, ink) == "#e8ebef"
    click(page, "#theme")
    assert page.execute_script(theme) == ["light", "rgb(26, 31, 38)"]
    assert page.execute_script(ink) == "#1a1f26"


def test_copying_a_command_says_so(page):
    click(page, "#leaderboard .command button")
    wait_for(page, "return document.querySelector('#said').textContent.startsWith('Command')")


def test_a_phone_scrolls_down_only_and_starts_plotly_only_then(page, address):
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.get(address)
    assert len(order(page)) == 3
    assert page.execute_script("return window.Plotly === undefined")
    for section in ("profiles", "curves", "clocks", "points", "noise"):
        show(page, f"#{section} .js-plotly-plot")
    widths = "return [document.documentElement.scrollWidth, innerWidth]"
    assert page.execute_script(widths) == [390, 390]


def test_printing_draws_what_was_not_scrolled_to(page):
    assert page.execute_script("return document.querySelectorAll('.chart .plotly').length") < 3
    page.execute_cdp_cmd("Page.printToPDF", {})
    left = "return [...document.querySelectorAll('.chart')].filter((one) => !one.children.length)"
    assert page.execute_script(left + ".length") == 0


def test_what_could_not_be_counted_is_said_beside_the_board(browser, tmp_path, requests_of):
    write_trial(tmp_path, "x", "a", hit(5))
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",))))
    written = write_report(tmp_path, tmp_path / "report.html")
    assert written.problems == 1
    for page in opened(browser, written.path.as_uri(), requests_of):
        assert "Not everything on disk could be counted: 1 problem." in texts(
            page, "#leaderboard .warning"
        )


def test_targets_that_the_rules_take_away_are_not_counted(browser, tmp_path, requests_of):
    for name, seconds in (("quick", 1), ("slow", 9)):
        write_trial(tmp_path, name, "a", hit(seconds))
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",))))
    written = write_report(tmp_path, tmp_path / "report.html")
    for page in opened(browser, written.path.as_uri(), requests_of):
        heads = texts(page, ".board thead th")
        cells = texts(page, ".board tbody tr:last-child > *")
        assert dict(zip(heads, cells, strict=True))["counted"] == "0"
        assert dict(zip(heads, cells, strict=True))["targets"] == "1/1"
