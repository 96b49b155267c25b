// How quiet the machine was: two clocks of each trial, and a fixed kernel timed around it.

function noisePanel() {
  const known = trials.filter((trial) => trial.robust_seconds !== null || kernelOf(trial));
  if (!known.length)
    return [
      empty(
        "These logs hold neither a second clock nor a calibration kernel, so how quiet the " +
          "machine was is not known.",
      ),
    ];
  const tiles = el("div", { class: "tiles" });
  const clocks = chart(ratioChart);
  const kernel = chart(kernelChart);
  whenChanged(() => {
    tiles.replaceChildren(...noiseTiles(viewedTrials()));
    clocks.redraw();
    kernel.redraw();
  });
  const half = (title, picture) => el("div", {}, el("h3", {}, title), picture.host);
  return [
    tiles,
    el(
      "div",
      { class: "two" },
      half("Plain clock over robust clock", clocks),
      half("Calibration kernel", kernel),
    ),
    el(
      "p",
      { class: "note" },
      "The robust clock takes every window of steps at the median window\u2019s speed: far " +
        "from 1, something disturbed the trial, and it is marked noisy beyond 10%. The " +
        "kernel is the same computation before (hollow) and after (filled) every trial: it " +
        "moves when the machine does, and beyond 10% within a trial that is marked drifted.",
    ),
    reproduce("How to reproduce the marks and clocks", command(recordsCommand("--json"))),
  ];
}

function noiseTiles(of) {
  const tile = (value, text) =>
    el("div", { class: "tile" }, el("b", {}, value), el("span", {}, text));
  const kernels = of.flatMap((trial) => kernelOf(trial) ?? []);
  const ratios = of.map(clockRatio).filter((value) => value !== null);
  const marked = (key) =>
    `${of.filter((trial) => trial[key] === true).length} of ` +
    `${of.filter((trial) => trial[key] !== null).length}`;
  const made = [tile(marked("noisy"), "trials noisy"), tile(marked("drifted"), "trials drifted")];
  if (of.some((trial) => trial.host_loop))
    made.push(tile(marked("host_loop"), "trials on a host loop"));
  if (ratios.length) made.push(tile(significant(middle(ratios), 4), "plain over robust, median"));
  if (kernels.length)
    made.push(
      tile(
        `${significant(Math.max(...kernels) / Math.min(...kernels), 3)}\u00d7`,
        "slowest over fastest kernel",
      ),
    );
  return made;
}

/** Seconds before and after; null unless both are known. */
function kernelOf(trial) {
  const known = trial.kernel?.length === 2 && trial.kernel.every((value) => value > 0);
  return known ? trial.kernel : null;
}

const clockRatio = (trial) =>
  trial.robust_seconds > 0 && trial.seconds !== null ? trial.seconds / trial.robust_seconds : null;

/** In rounds, as they are run: studies, then trials, then workloads. */
function inRounds(of) {
  return [...of].sort(
    (a, b) =>
      a.study - b.study ||
      a.trial - b.trial ||
      a.workload - b.workload ||
      a.submission - b.submission,
  );
}

const dot = (of) => (of.length > 500 ? 4 : 6);
const marks = (trial) =>
  [trial.noisy && "noisy", trial.drifted && "drifted", trial.host_loop && "host-loop"]
    .filter(Boolean)
    .join(", ");
const trialText = (trial) =>
  plain(
    `${trial.name}, ${trial.on.name}, study ${trial.study}, trial ` +
      `${trial.trial}${marks(trial) && `: ${marks(trial)}`}`,
  );

function ratioChart() {
  const of = inRounds(viewedTrials()).filter((trial) => clockRatio(trial) !== null);
  if (!of.length) return "These logs hold no second clock.";
  const limit = (y) => ({
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: y,
    y1: y,
    line: { color: token("soft"), width: 1, dash: "4px,4px" },
  });
  const ratios = of.map(clockRatio);
  const trace = (kept, more) => ({
    type: "scatter",
    mode: "markers",
    x: kept.map((i) => i + 1),
    y: kept.map((i) => ratios[i]),
    text: kept.map((i) => trialText(of[i])),
    hovertemplate: "%{text}<br>%{y:.3f}<extra></extra>",
    ...more,
  });
  const places = [...of.keys()];
  return {
    label: "On-clock seconds over robust seconds of each trial",
    height: 300,
    traces: [
      trace(
        places.filter((i) => !of[i].noisy),
        { marker: { size: dot(of), color: token("accent-fill"), opacity: 0.75 } },
      ),
      trace(
        places.filter((i) => of[i].noisy),
        { marker: { size: 10, color: "#D55E00", symbol: "diamond" } },
      ),
    ],
    layout: {
      xaxis: { title: "trial, in rounds" },
      yaxis: { range: [Math.min(0.85, ...ratios), Math.max(1.15, ...ratios) * 1.01] },
      shapes: [limit(0.9), limit(1.1)],
    },
  };
}

function kernelChart() {
  const of = inRounds(viewedTrials()).filter(kernelOf);
  if (!of.length) return "These logs hold no calibration kernel.";
  const trace = (at, marker) => ({
    type: "scatter",
    mode: "markers",
    x: of.map((_, i) => i + 1),
    y: of.map((trial) => 1000 * trial.kernel[at]),
    text: of.map(trialText),
    hovertemplate: "%{text}<br>%{y:.4~g} ms<extra></extra>",
    marker,
  });
  const symbol = (filled) =>
    of.map((trial) => (trial.drifted ? "diamond" : "circle") + (filled ? "" : "-open"));
  const colour = of.map((trial) => (trial.drifted ? "#D55E00" : token("accent-fill")));
  const sizes = of.map((trial) => (trial.drifted ? 10 : dot(of)));
  return {
    label: "Seconds of the calibration kernel before and after each trial",
    height: 300,
    traces: [
      trace(0, { symbol: symbol(false), color: colour, size: sizes }),
      trace(1, { symbol: symbol(true), color: colour, size: sizes, opacity: 0.75 }),
    ],
    layout: { xaxis: { title: "trial, in rounds" }, yaxis: { title: "ms", rangemode: "tozero" } },
  };
}
