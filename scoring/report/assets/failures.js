// Trials that went wrong, with their reason; misses by budget in numbers; files that were skipped.

const ORDINARY = new Set(["target_reached", "budget_exhausted", "missed"]);
const FIRST = 100;

function failuresPanel() {
  const host = el("div", { class: "failures" });
  whenChanged(() => {
    const of = viewedTrials().filter((trial) => !trial.reached);
    const wrong = of.filter((trial) => !ORDINARY.has(trial.status));
    host.replaceChildren(
      wrong.length
        ? failureTable(wrong)
        : el(
            "p",
            { class: "note" },
            "No trial that was read failed in any other way than by missing its target.",
          ),
      missCounts(of.filter((trial) => ORDINARY.has(trial.status))),
      problemList(),
      reproduce("How to reproduce this list", command(recordsCommand()), command(scoreCommand())),
    );
  });
  return [host];
}

function failureTable(wrong) {
  const line = (trial) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, named(trial.name)),
      el("td", { class: "breaks" }, trial.on.name),
      el("td", { class: "number" }, `${trial.study}/${trial.trial}`),
      el("td", {}, trial.status),
      el("td", { class: "breaks reason" }, trial.reason ?? UNKNOWN),
      el("td", {}, copyButton(showCommand(trial))),
    );
  const titles = ["submission", "workload", "study/trial", "ended", "reason", ""];
  return firstOf(wrong, (shown) =>
    el(
      "div",
      { class: "scroll" },
      el(
        "table",
        { id: "failures-table" },
        el("caption", {}, `${plural(wrong.length, "trial")} failed`),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            titles.map((title, i) =>
              el("th", { scope: "col", class: i === 2 ? "number" : "" }, title),
            ),
          ),
        ),
        el("tbody", {}, shown.map(line)),
      ),
    ),
  );
}

function copyButton(text) {
  const code = el("code", { class: "unseen" }, text);
  const button = el(
    "button",
    {
      type: "button",
      class: "quiet",
      title: text,
      "aria-label": `Copy: ${text}`,
      onclick: () => copy(text, code, button),
    },
    "Copy",
  );
  return el("span", {}, code, button);
}

/** The first of many, and a button for the rest. */
function firstOf(values, make) {
  const host = el("div", {}, make(values.slice(0, FIRST)));
  if (values.length > FIRST) {
    host.append(
      el(
        "button",
        { type: "button", class: "quiet", onclick: () => host.replaceChildren(make(values)) },
        `Show all ${values.length}`,
      ),
    );
  }
  return host;
}

function missCounts(missed) {
  if (!missed.length) return "";
  const of = [...grouped(missed, (trial) => trial.name)].sort((a, b) => b[1].length - a[1].length);
  const where = (found) =>
    [...counted(found.map((trial) => trial.on.name))]
      .map(([name, count]) => (count > 1 ? `${name} (${count})` : name))
      .join(", ");
  const line = ([name, found]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, named(name)),
      el("td", { class: "number" }, String(found.length)),
      el("td", { class: "breaks soft" }, ...breakable(where(found))),
    );
  return el(
    "details",
    { open: of.length <= 5 },
    el("summary", {}, `${plural(missed.length, "trial")} came to an end before the target`),
    el(
      "div",
      { class: "scroll" },
      el(
        "table",
        {},
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            el("th", { scope: "col" }, "submission"),
            el("th", { scope: "col", class: "number" }, "trials"),
            el("th", { scope: "col" }, "on"),
          ),
        ),
        el("tbody", {}, of.map(line)),
      ),
    ),
  );
}

function problemList() {
  if (!data.problems.length) return el("p", { class: "note" }, "Nothing on disk was malformed.");
  const line = (problem) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "breaks" }, el("code", {}, problem.path)),
      el("td", { class: "breaks" }, problem.what),
    );
  return el(
    "details",
    { open: data.problems.length <= 5 },
    el("summary", {}, `${plural(data.problems.length, "problem")} found on disk`),
    firstOf(data.problems, (shown) =>
      el("table", { id: "problems" }, el("tbody", {}, shown.map(line))),
    ),
  );
}
