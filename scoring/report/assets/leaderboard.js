// The leaderboard: sortable by every column, filtered by ruleset, tier and name.

const sorting = { key: "rank", down: false };

function leaderboardPanel() {
  const notes = el("div", {});
  const table = el("table", { class: "board" });
  const scored = el("div", {});
  whenChanged(() => {
    drawBoard(table);
    notes.replaceChildren(...boardNotes(board()));
    scored.replaceChildren(command(scoreCommand()));
  });
  return [
    filters(),
    el("div", { class: "scroll" }, table),
    unfold(),
    notes,
    el("h3", {}, "How to reproduce"),
    scored,
  ];
}

function filters() {
  const choices = (key) => [...new Set(data.boards.map((one) => one[key]))];
  const choose = (key) => (value) => {
    const wanted = { ruleset: entry().ruleset, tier: entry().tier, [key]: value || null };
    const at = data.boards.findIndex(
      (one) => one.ruleset === wanted.ruleset && one.tier === wanted.tier,
    );
    if (at >= 0) change({ board: at });
  };
  const made = [
    ["ruleset", "Ruleset"],
    ["tier", "Tier"],
  ]
    .filter(([key]) => choices(key).length > 1)
    .map(([key, label]) =>
      chooser(
        label,
        choices(key).map((value) => [value ?? "", value === null ? "all" : value]),
        "",
        choose(key),
      ),
    );
  if (data.submissions.length > 1) {
    made.push(
      el(
        "label",
        { class: "control" },
        "Submission",
        el("input", {
          type: "search",
          placeholder: "part of a name",
          id: "query",
          oninput: (event) => change({ query: event.target.value }),
        }),
      ),
    );
  }
  return el("div", { class: "controls" }, made);
}

function columns(of) {
  const interval = of.submissions.some((row) => row.score_interval);
  const list = [
    { key: "rank", title: "#", number: true, value: (row) => row.rank },
    interval && {
      key: "rank95",
      title: "rank 95%",
      number: true,
      wide: true,
      value: (row) => row.rank_interval[0] + row.rank_interval[1] / 1e4,
      cell: (row) => intervalText(row.rank_interval, String),
    },
    { key: "name", title: "submission", value: (row) => row.name, cell: (row) => named(row.name) },
    data.submissions.some((one) => one.ruleset) &&
      new Set(data.submissions.map((one) => one.ruleset)).size > 1 && {
        key: "ruleset",
        title: "ruleset",
        wide: true,
        value: (row) => row.ruleset ?? "",
      },
    {
      key: "score",
      title: "score",
      number: true,
      down: true,
      class: "score",
      value: (row) => row.score,
      cell: (row) => row.score.toFixed(4),
    },
    interval && {
      key: "score95",
      title: "95%",
      number: true,
      down: true,
      value: (row) => row.score_interval[0],
      cell: (row) => intervalText(row.score_interval, (end) => end.toFixed(2)),
    },
    {
      key: "bar",
      title: "0 to 1",
      down: true,
      wide: true,
      value: (row) => row.score,
      cell: whisker,
    },
    {
      key: "targets",
      title: "targets",
      number: true,
      down: true,
      value: (row) => row.targets_reached,
      cell: (row) => `${row.targets_reached}/${of.base_workloads.length}`,
    },
    of.submissions.some((row) => afterRules(row, of) < row.targets_reached) && {
      key: "counted",
      title: "counted",
      number: true,
      down: true,
      value: (row) => afterRules(row, of),
    },
    of.baseline && {
      key: "speedup",
      title: `speedup over ${of.baseline}`,
      number: true,
      down: true,
      value: (row) => row.speedup ?? -1,
      cell: (row) => (row.speedup === null ? UNKNOWN : ratioText(row.speedup)),
    },
  ];
  return list.filter(Boolean);
}

/** Base workloads whose target was reached and counts, after the rules. */
function afterRules(row, of) {
  return of.base_workloads.filter((name) => row.cells[name].state === "reached").length;
}

function drawBoard(table) {
  const list = columns(board());
  const by = list.find((column) => column.key === sorting.key) ?? list[0];
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const all = rows().sort(
    (a, b) =>
      (sorting.down ? -1 : 1) * compare(by.value(a), by.value(b)) ||
      a.rank - b.rank ||
      compare(a.name, b.name),
  );
  const style = (column) =>
    [column.number && "number", column.wide && "wide", column.class].filter(Boolean).join(" ");
  const cell = (column, row) =>
    el(
      column.key === "name" ? "th" : "td",
      { class: style(column), scope: column.key === "name" ? "row" : null },
      column.cell ? column.cell(row) : String(column.value(row)),
    );
  table.replaceChildren(
    el("caption", { class: "unseen" }, "Leaderboard"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        list.map((column) => head(table, column, column === by, style(column))),
      ),
    ),
    el(
      "tbody",
      {},
      folded(all).map((row) =>
        el(
          "tr",
          {},
          list.map((column) => cell(column, row)),
        ),
      ),
    ),
  );
  if (!all.length)
    table.tBodies[0].append(
      el("tr", {}, el("td", { colspan: list.length }, "No submission has such a name.")),
    );
}

function head(table, column, sorted, style) {
  const state = sorted ? (sorting.down ? "descending" : "ascending") : "none";
  const sort = () => {
    Object.assign(sorting, {
      key: column.key,
      down: sorted ? !sorting.down : Boolean(column.down),
    });
    drawBoard(table);
    table.querySelector(`[data-key="${column.key}"]`).focus();
  };
  return el(
    "th",
    { scope: "col", "aria-sort": state, class: style },
    el(
      "button",
      { type: "button", class: "sort", "data-key": column.key, onclick: sort },
      column.title,
      el(
        "i",
        { "aria-hidden": "true" },
        { ascending: "\u25b4", descending: "\u25be", none: "" }[state],
      ),
    ),
  );
}

/** The score as a bar, its interval as a whisker. */
function whisker(row) {
  const interval = row.score_interval;
  const line = (x1, x2, y1, y2) =>
    svg("line", { class: "span", x1: `${x1}%`, x2: `${x2}%`, y1, y2 });
  const ends = interval ? interval.map((end) => 0.5 + 99 * end) : [];
  const spoken = interval
    ? `, 95% interval ${intervalText(interval, (end) => end.toFixed(2))}`
    : "";
  return svg(
    "svg",
    { class: "whisker", role: "img", "aria-label": `score ${row.score.toFixed(3)}${spoken}` },
    svg("rect", { class: "track", width: "100%", height: 12, y: 4, rx: 3 }),
    svg("rect", { class: "bar", width: `${100 * row.score}%`, height: 12, y: 4, rx: 3 }),
    ...(interval ? [line(...ends, 10, 10), ...ends.map((end) => line(end, end, 5, 15))] : []),
  );
}

function boardNotes(of) {
  const notes = [];
  if (!of.complete)
    notes.push(
      el(
        "p",
        { class: "warning" },
        `Incomplete: ${of.trials_found} of ${of.trials_declared} trials found; a missing ` +
          "study counts as a miss.",
      ),
    );
  if (data.problems.length)
    notes.push(
      el(
        "p",
        { class: "warning" },
        "Not everything on disk could be counted: ",
        el("a", { href: "#failures" }, plural(data.problems.length, "problem")),
        ".",
      ),
    );
  if (of.studies < data.least_studies)
    notes.push(
      el(
        "p",
        { class: "warning" },
        `Too few studies (${of.studies}) for intervals: how sure this order is cannot be ` +
          `said. Run ${data.least_studies}.`,
      ),
    );
  else
    notes.push(
      el(
        "p",
        { class: "note" },
        `95% intervals are by bootstrap over ${plural(of.studies, "study", "studies")}: a ` +
          "guide, no proof, where studies are few.",
      ),
    );
  notes.push(
    el(
      "p",
      { class: "note" },
      "The score is the mean height of the performance profile for \u03c4 from 1 to 4: 1 " +
        "is fastest everywhere, 0 is never within 4 times the fastest. \u201cTargets\u201d " +
        "counts base workloads reached, before any rule; \u201ccounted\u201d, where it differs, " +
        "after the rules.",
    ),
  );
  if (of.baseline)
    notes.push(
      el(
        "p",
        { class: "note" },
        `Speedup: geometric mean over workloads of ${of.baseline}\u2019s time over the ` +
          "submission\u2019s; a miss counts at the budget, without one where its workload\u2019s " +
          "logs end.",
      ),
    );
  return notes;
}
