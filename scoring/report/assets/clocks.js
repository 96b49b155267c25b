// Where the time goes, on the clock and off it: means over trials, stacked.

const PARTS = [
  ["update", "update", "#0072B2", "", (trial) => trial.clock?.update],
  ["data", "data", "#56B4E9", "", (trial) => trial.clock?.data],
  ["eval_params", "eval_params", "#009E73", "", (trial) => trial.clock?.eval_params],
  ["on_eval", "on_eval", "#CC79A7", "", (trial) => trial.clock?.on_eval],
  ["compile", "compile (off the clock)", "#D55E00", "/", (trial) => trial.compile],
  ["evaluation", "evaluation (off the clock)", "#E69F00", ".", (trial) => trial.evaluation],
];
const ALL = "";

function clocksPanel() {
  const choice = { workload: ALL };
  const controls = el("div", { class: "controls" });
  const key = el("ul", { class: "key" });
  const picture = chart(() => clocksChart(choice.workload, key));
  whenChanged(() => {
    const suite = shownWorkloads();
    if (!suite.some((workload) => workload.name === choice.workload)) choice.workload = ALL;
    controls.replaceChildren(
      workloadChooser(
        suite,
        choice.workload,
        (value) => {
          choice.workload = value;
          picture.redraw();
        },
        [[ALL, "all, mean trial"]],
      ),
    );
    picture.redraw();
  });
  const late = trials.filter((trial) => trial.late_compiles > 0).length;
  return [
    controls,
    key,
    picture.host,
    unfold(),
    el(
      "p",
      { class: "note" },
      "Only what is on the clock is scored. Hatched and dotted parts are off it.",
    ),
    reproduce("How to reproduce the clocks", command(recordsCommand("--json"))),
    late
      ? el(
          "p",
          { class: "warning" },
          `${plural(late, "trial")} compiled while the clock ran: a shape changed during training.`,
        )
      : null,
  ];
}

function clocksChart(workload, key) {
  const of = folded(rows())
    .map((row) => [row.name, clockTrials(row.name, workload)])
    .filter(([, found]) => found.length);
  key.replaceChildren();
  if (!of.length) return "These logs hold no breakdown of the clock, nor seconds of evaluating.";
  const parts = partsOf(of);
  key.replaceChildren(...partsKey(parts));
  const names = of.map(([name]) => name).reverse();
  const traces = parts.map(([, title, colour, shape, value]) => ({
    type: "bar",
    orientation: "h",
    name: title,
    y: names,
    text: names.map(plain),
    textposition: "none",
    x: of.map(([, found]) => mean(found.map(value)) ?? 0).reverse(),
    marker: {
      color: colour,
      pattern: shape
        ? { shape, fgcolor: colour, bgcolor: token("card"), size: 6, solidity: 0.5 }
        : undefined,
      line: { width: shape ? 1 : 0, color: colour },
    },
    hovertemplate: `<b>%{text}</b><br>${title}: %{x:.4~g} s<extra></extra>`,
  }));
  return {
    label: "Clock breakdown: seconds of the mean trial of each submission",
    height: 70 + Math.max(26 * of.length, 90),
    traces,
    layout: {
      barmode: "stack",
      bargap: 0.3,
      margin: { l: 10, r: 18, t: 6, b: 46 },
      xaxis: { title: "seconds, mean over trials", rangemode: "tozero" },
      yaxis: {
        type: "category",
        tickmode: "array",
        tickvals: names,
        ticktext: names.map(shortened),
        tickfont: { size: narrow() ? 11 : 13 },
      },
    },
  };
}

/** The parts that these logs know of; where they know no part of the clock, the whole of it. */
function partsOf(of) {
  const parts = PARTS.filter(([, , , , value]) =>
    of.some(([, found]) => found.some((trial) => value(trial) > 0)),
  );
  const known = parts.some(([, , , shape]) => shape === "");
  return known
    ? parts
    : [["seconds", "on the clock", "#0072B2", "", (trial) => trial.seconds], ...parts];
}

function partsKey(parts) {
  return parts.map(([, title, colour, shape]) =>
    el(
      "li",
      {},
      el("span", {
        class: `patch ${{ "/": "off", ".": "dots" }[shape] ?? ""}`,
        style: `--part:${colour}`,
      }),
      title,
    ),
  );
}

/** A name that leaves room for its bar. */
function shortened(name) {
  const most = narrow() ? 18 : 34;
  return plain(name.length > most ? `${name.slice(0, most - 1)}\u2026` : name);
}

function clockTrials(name, workload) {
  const suite = new Set(workload === ALL ? board().suite : [workload]);
  return trials.filter(
    (trial) =>
      trial.name === name &&
      suite.has(trial.on.name) &&
      (trial.clock || trial.compile !== null || trial.evaluation !== null),
  );
}
