// Hyperparameter points against time to target, of one submission on one workload.

const STUDY_SYMBOLS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"];

function pointsPanel() {
  const tuned = data.submissions.map((one) => one.name).filter((name) => varied(name).length);
  if (!tuned.length) {
    const any = data.points.length > 0;
    return [
      empty(
        any
          ? "Every submission ran at one point only, so there is nothing to compare. Full runs, " +
              "without --quick, try several."
          : "These logs record no hyperparameters.",
      ),
    ];
  }
  const choice = { name: null, hyperparameter: null, workload: null };
  const controls = el("div", { class: "controls" });
  const details = el("div", { "aria-live": "polite" });
  const picture = chart(() =>
    choice.name === null
      ? "No submission in view ran at more than one point."
      : pointsChart(choice, (point) =>
          details.replaceChildren(trialDetails(trials[point.customdata])),
        ),
  );
  const settle = () => {
    const names = rows()
      .map((row) => row.name)
      .filter((name) => tuned.includes(name));
    const suite = shownWorkloads();
    if (!names.includes(choice.name)) choice.name = names[0] ?? null;
    const known = choice.name === null ? [] : varied(choice.name);
    if (!known.includes(choice.hyperparameter))
      choice.hyperparameter = known.find((key) => key === "learning_rate") ?? known[0];
    if (!suite.some((one) => one.name === choice.workload)) choice.workload = suite[0].name;
    const set = (key) => (value) => {
      choice[key] = value;
      settle();
    };
    controls.replaceChildren(
      ...(choice.name === null
        ? []
        : [
            chooser(
              "Submission",
              names.map((name) => [name, name]),
              choice.name,
              set("name"),
            ),
            chooser(
              "Hyperparameter",
              known.map((key) => [key, key]),
              choice.hyperparameter,
              set("hyperparameter"),
            ),
            workloadChooser(suite, choice.workload, set("workload")),
          ]),
    );
    details.replaceChildren();
    picture.redraw();
  };
  whenChanged(settle);
  return [
    controls,
    picture.host,
    details,
    reproduce("How to reproduce the points", command(recordsCommand("--json"))),
  ];
}

const pointOf = (trial) => (trial.point === null ? {} : data.points[trial.point]);

/** The hyperparameters of which a submission tried more than one value. */
function varied(name) {
  const tried = new Map();
  for (const trial of trials) {
    if (trial.name !== name) continue;
    for (const [key, value] of Object.entries(pointOf(trial))) {
      if (!tried.has(key)) tried.set(key, new Set());
      tried.get(key).add(JSON.stringify(value));
    }
  }
  return [...tried].filter(([, values]) => values.size > 1).map(([key]) => key);
}

function pointsChart({ name, hyperparameter, workload }, onclick) {
  const of = trialsOf(name, workload).filter((trial) => hyperparameter in pointOf(trial));
  if (!of.length) return `${name} has no trial on ${workload} that records ${hyperparameter}.`;
  const value = (trial) => pointOf(trial)[hyperparameter];
  const numeric = of.every((trial) => typeof value(trial) === "number");
  const times = of.filter((trial) => trial.reached).map((trial) => trial.time);
  const tall = spansDecades(times);
  const ceiling = times.length ? Math.max(...times) * (tall ? 1.35 : 1.12) : 1;
  const floor = times.length && tall ? Math.min(...times) / 1.3 : 0;
  const studies = [...new Set(of.map((trial) => trial.study))].sort((a, b) => a - b);
  const trace = (found, more) => ({
    type: "scatter",
    mode: "markers",
    ...more,
    x: found.map((trial) => (numeric ? value(trial) : plain(valueText(value(trial))))),
    customdata: found.map((trial) => trial.index),
  });
  const colour = styleOf(name).colour;
  const hits = studies
    .map((study) => {
      const found = of.filter((trial) => trial.study === study && trial.reached);
      return trace(found, {
        name: `study ${study}`,
        y: found.map((trial) => trial.time),
        marker: {
          size: 10,
          color: colour,
          opacity: 0.85,
          symbol: STUDY_SYMBOLS[study % STUDY_SYMBOLS.length],
          line: { color: token("card"), width: 1 },
        },
        hovertemplate: `%{x}: %{y:.4~g} ${data.unit}<extra>study ${study}</extra>`,
      });
    })
    .filter((one) => one.x.length);
  const missed = of.filter((trial) => !trial.reached);
  const misses = trace(missed, {
    name: "missed",
    y: missed.map(() => ceiling),
    cliponaxis: false,
    text: missed.map((trial) =>
      plain(`study ${trial.study}: ${trial.status.replaceAll("_", " ")}`),
    ),
    marker: {
      size: 9,
      symbol: "x-thin",
      color: token("ink"),
      line: { color: token("ink"), width: 2 },
    },
    hovertemplate: "%{x}: missed<br>%{text}<extra></extra>",
  });
  const log = tall ? Math.log10 : (x) => x;
  return {
    label:
      `${name} on ${workload}: time to target against ${hyperparameter}; ${missed.length} ` +
      `of ${of.length} trials missed`,
    traces: [...hits, ...(missed.length ? [misses] : [])],
    onclick,
    layout: {
      showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.03, yanchor: "bottom", font: { size: 12 } },
      margin: { l: 62, r: 18, t: 44, b: 50 },
      xaxis: {
        title: hyperparameter,
        exponentformat: "power",
        type: numeric ? (spansDecades(of.map(value)) ? "log" : "linear") : "category",
      },
      yaxis: {
        title: `to target (${data.unit})`,
        type: tall ? "log" : "linear",
        range: [log(floor), log(ceiling)],
      },
    },
  };
}
