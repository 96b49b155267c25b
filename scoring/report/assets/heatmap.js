// Submissions x workloads: time to target relative to the fastest, or why there is none.

const DISQUALIFIED = "\u2298";
const STYLES = {
  reached: "reached",
  missed: "missed",
  too_slow: "taken",
  base_missed: "taken",
  variant_missed: "taken",
  missing: "missing",
};
const EXAMPLES = { reached: "1.25\u00d7", too_slow: `${DISQUALIFIED} 5.1\u00d7` };

/** The word of a state behind its mark; of a rule, what was missed. */
function stateText(state, detail) {
  const { word, rule } = data.states[state];
  if (rule !== null) return `${DISQUALIFIED} ${word.replace(" missed", "")}`;
  return state === "missed" ? `\u2715 ${detail || word}` : word;
}

const example = (state) => EXAMPLES[state] ?? stateText(state);

function stateMeaning(state) {
  if (state === "reached") return "times the fastest; the fastest itself is \u201cbest\u201d";
  const { meaning, rule } = data.states[state];
  return rule === null ? meaning : `disqualified (rule ${rule}): ${meaning}`;
}

function heatmapPanel() {
  const table = el("table", { class: "heat", id: "heat" });
  const details = el("div", { "aria-live": "polite" });
  const key = el("ul", { class: "key" });
  const reproduced = el("div", {});
  const show = (row, workload) => {
    view.cell = [row.name, workload.name];
    for (const button of table.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(isChosen(button)));
    details.replaceChildren(cellDetails(row, workload));
  };
  table.addEventListener("keydown", moveInGrid);
  whenChanged(() => {
    drawHeat(table, show);
    drawKey(key);
    reproduced.replaceChildren(reproduce("How to reproduce the times", command(scoreCommand())));
    details.replaceChildren(
      el(
        "p",
        { class: "note" },
        "Point at a cell, or go there with the arrow keys, and what it stands for is shown " +
          "here; a click keeps it.",
      ),
    );
  });
  return [el("div", { class: "scroll" }, table), unfold(), key, details, reproduced];
}

const isChosen = (button) =>
  view.cell &&
  button.dataset.submission === view.cell[0] &&
  button.dataset.workload === view.cell[1];

function drawHeat(table, show) {
  const suite = shownWorkloads();
  const best = new Map(suite.map((workload) => [workload.name, bestTime(workload.name)]));
  let pinned = false;
  const heading = (workload) =>
    el(
      "th",
      { scope: "col", class: workload.held_out ? "held" : "" },
      ...breakable(workload.name),
      workload.held_out
        ? el(
            "div",
            {},
            el("span", { class: "tag", title: `variant of ${workload.base}` }, "held-out"),
          )
        : null,
    );
  const cell = (row, workload, first) => {
    const { state, text, warm, fastest } = seenAs(
      row.cells[workload.name],
      best.get(workload.name),
    );
    const button = el(
      "button",
      {
        type: "button",
        tabindex: first ? 0 : -1,
        "data-submission": row.name,
        "data-workload": workload.name,
        "data-state": row.cells[workload.name].state,
        "aria-pressed": "false",
        "aria-label": `${row.name} on ${workload.name}: ${text}`,
        onclick: () => {
          pinned = true;
          show(row, workload);
        },
        onfocus: () => show(row, workload),
        onmouseenter: () => {
          if (!pinned) show(row, workload);
        },
      },
      text,
    );
    return el(
      "td",
      {
        class: [state, fastest && "best", workload.held_out && "held"].filter(Boolean).join(" "),
        style: `--warm:${warm}`,
      },
      button,
    );
  };
  table.classList.toggle("few", suite.length < 6);
  table.replaceChildren(
    el("caption", { class: "unseen" }, "Time to target relative to the fastest submission"),
    el("thead", {}, el("tr", {}, el("td", {}), suite.map(heading))),
    el(
      "tbody",
      {},
      folded(rows()).map((row, r) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, named(row.name)),
          suite.map((workload, w) => cell(row, workload, r + w === 0)),
        ),
      ),
    ),
  );
}

/** The time of the fastest submission that counts. */
function bestTime(workload) {
  const times = board()
    .submissions.map((row) => row.cells[workload])
    .filter((cell) => cell.ratio === 1)
    .map((cell) => cell.time);
  return times.length ? Math.min(...times) : null;
}

function seenAs(cell, best) {
  const state = STYLES[cell.state];
  if (cell.state === "reached") {
    const warm =
      cell.ratio === 1
        ? 92
        : Math.round(72 - 66 * (Math.log(cell.ratio) / Math.log(TAU_MAX)) ** 0.7);
    return {
      state,
      warm,
      fastest: cell.ratio === 1,
      text: cell.ratio === 1 ? "best" : ratioText(cell.ratio),
    };
  }
  const slow = cell.state === "too_slow" && best;
  const over = () => `${DISQUALIFIED} ${(cell.time / best).toFixed(1)}\u00d7`;
  return { state, warm: 0, text: slow ? over() : stateText(cell.state, cell.detail) };
}

/** What the marks mean, of those that occur. */
function drawKey(list) {
  const found = new Set(
    rows().flatMap((row) => Object.values(row.cells).map((cell) => cell.state)),
  );
  list.replaceChildren(
    ...Object.entries(STYLES)
      .filter(([state]) => found.has(state))
      .map(([state, style]) =>
        el(
          "li",
          {},
          el(
            "span",
            { class: "heat", "aria-hidden": "true" },
            el(
              "span",
              { class: style, style: "--warm:62" },
              el("button", { type: "button", tabindex: -1, disabled: true }, example(state)),
            ),
          ),
          stateMeaning(state),
        ),
      ),
  );
}

/** Arrow keys move through the grid, which is one stop of the tab key. */
function moveInGrid(event) {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const move = moves[event.key];
  const cell = event.target.closest("td");
  if (!move || !cell) return;
  const row = cell.parentElement;
  const to =
    row.parentElement.rows[row.rowIndex - 1 + move[0]]?.cells[
      cell.cellIndex + move[1]
    ]?.querySelector("button");
  event.preventDefault();
  if (!to) return;
  event.target.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
