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
  const picture = chart(() => clocksChart(choice.workload));
  whenChanged(() => {
    const suite = shownWorkloads();
    if (!suite.some((workload) => workload.name === choice.workload)) choice.workload = ALL;
    controls.replaceChildren(workloadChooser(suite, choice.workload,
      (value) => { choice.workload = value; picture.redraw(); }, [[ALL, "all, mean trial"]]));
    picture.redraw();
  });
  const late = trials.filter((trial) => trial.late_compiles > 0).length;
  return [controls, picture.host,
    el("p", { class: "note" }, "Only what is on the clock is scored. Hatched parts are off it."),
    late ? el("p", { class: "warning" }, `${plural(late, "trial")} compiled while the clock ran: a shape changed during training.`) : null];
}

function clocksChart(workload) {
  const of = rows().map((row) => [row.name, clockTrials(row.name, workload)]).filter(([, found]) => found.length);
  if (!of.length) return "These logs hold no breakdown of the clock, nor seconds of evaluating.";
  const parts = PARTS.filter(([, , , , value]) => of.some(([, found]) => found.some((trial) => value(trial) > 0)));
  const alone = parts.every(([key]) => key === "evaluation" || key === "compile");
  if (alone) parts.unshift(["seconds", "on the clock", "#0072B2", "", (trial) => trial.seconds]);
  const names = of.map(([name]) => plain(name)).reverse();
  const traces = parts.map(([, title, colour, shape, value]) => ({
    type: "bar", orientation: "h", name: title, y: names, x: of.map(([, found]) => mean(found.map(value)) ?? 0).reverse(),
    marker: { color: colour, pattern: { shape, fgcolor: token("card"), fgopacity: 0.75, size: 7 }, line: { width: 0 } },
    hovertemplate: `<b>%{y}</b><br>${title}: %{x:.4~g} s<extra></extra>`,
  }));
  const narrow = innerWidth < 600;
  return {
    label: "Clock breakdown: seconds of the mean trial of each submission",
    height: 110 + Math.max(26 * of.length, 90) + (narrow ? 90 : 0),
    traces,
    layout: {
      barmode: "stack",
      bargap: 0.3,
      showlegend: true,
      legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", traceorder: "normal", font: { size: 12 } },
      margin: { l: 10, r: 18, t: narrow ? 110 : 36, b: 46 },
      xaxis: { title: "seconds, mean over trials", rangemode: "tozero" },
      yaxis: { type: "category", tickfont: { size: narrow ? 11 : 13 } },
    },
  };
}

function clockTrials(name, workload) {
  const suite = new Set(workload === ALL ? board().suite : [workload]);
  return trials.filter((trial) => trial.name === name && suite.has(trial.on.name)
    && (trial.clock || trial.compile !== null || trial.evaluation !== null));
}
