// Learning curves on one workload: every trial faint, that of the median study bold.

const AXES = {
  seconds: ["on-clock time (s)", (trial) => trial.curve_seconds],
  steps: ["steps", stepsOf],
  flops: [
    "FLOPs",
    (trial) =>
      trial.flops_per_step === null
        ? []
        : stepsOf(trial).map((step) => step && step * trial.flops_per_step),
  ],
};

function curvesPanel() {
  const timed = trials.some((trial) => trial.curve_seconds.some((value) => value !== null));
  const choice = { workload: data.workloads[0].name, axis: timed ? "seconds" : "steps" };
  const controls = el("div", { class: "controls" });
  const details = el("div", { "aria-live": "polite" });
  const pick = (point) => {
    const trial = trials[point.customdata];
    if (trial) details.replaceChildren(trialDetails(trial));
  };
  const picture = chart(() => curvesChart(choice, pick));
  const list = trialTable(() => curveTrials(choice.workload));
  const redraw = () => {
    details.replaceChildren();
    picture.redraw();
    list.redraw();
  };
  whenChanged(() => {
    const suite = shownWorkloads();
    if (!suite.some((workload) => workload.name === choice.workload))
      choice.workload = suite[0].name;
    const flops = trials.some((trial) => trial.flops_per_step !== null);
    controls.replaceChildren(
      workloadChooser(suite, choice.workload, (value) => {
        choice.workload = value;
        redraw();
      }),
      segments(
        "Horizontal axis",
        "axis",
        [
          ["seconds", "Time", timed],
          ["steps", "Steps"],
          ["flops", "FLOPs", flops],
        ],
        choice.axis,
        (value) => {
          choice.axis = value;
          redraw();
        },
      ),
    );
    redraw();
  });
  return [controls, legend(), picture.host, details, list.host];
}

function workloadChooser(suite, value, onchange, more = []) {
  const options = suite.map((one) => [
    one.name,
    one.held_out ? `${one.name} (held-out)` : one.name,
  ]);
  return chooser("Workload", [...more, ...options], value, onchange);
}

function curveTrials(workload) {
  return drawnRows().flatMap((row) => trialsOf(row.name, workload));
}

function curvesChart({ workload, axis: chosen }, onclick) {
  const of = drawnRows()
    .map((row) => [row.name, trialsOf(row.name, workload)])
    .filter(([, found]) => found.length);
  if (!of.length) return `None of the submissions chosen has logs on ${workload}.`;
  const [title, horizontal] = AXES[chosen];
  const count = of.reduce((sum, [, found]) => sum + found.length, 0);
  const traces = of.flatMap(([name, found]) =>
    curveTraces(name, found, decidingTrial(name, workload), horizontal, count > 40),
  );
  if (!traces.some((trace) => trace.x.some((value) => value !== null)))
    return `The logs on ${workload} say nothing to draw ${title} by.`;
  const { metric, target, direction } = workloadNamed.get(workload);
  return {
    label: `Learning curves on ${workload}: validation ${metric} against ${title}`,
    height: 440,
    traces,
    onclick,
    layout: {
      xaxis: { title, rangemode: "tozero" },
      yaxis: {
        title: `validation ${metric}`,
        range: verticalRange(
          of.flatMap(([, found]) => found),
          workload,
        ),
      },
      shapes: [
        {
          type: "line",
          xref: "paper",
          x0: 0,
          x1: 1,
          y0: target,
          y1: target,
          line: { color: token("ink"), width: 1.2, dash: "6px,4px" },
        },
      ],
      annotations: [
        {
          xref: "paper",
          x: 0,
          y: target,
          xanchor: "left",
          yanchor: direction === "maximize" ? "bottom" : "top",
          showarrow: false,
          text: `target ${significant(target)}`,
          font: { size: 12, color: token("ink") },
          bgcolor: token("card"),
          borderpad: 1,
        },
      ],
    },
  };
}

/** Two traces a submission: all its trials with gaps between, and the one that stands for it. */
function curveTraces(name, found, median, horizontal, crowded) {
  const style = styleOf(name);
  const others = { x: [], y: [], customdata: [] };
  for (const trial of found.filter((one) => one !== median)) {
    others.x.push(...horizontal(trial), null);
    others.y.push(...trial.curve_metric, null);
    others.customdata.push(...trial.curve_metric.map(() => trial.index), null);
  }
  const hover = (what) => `<b>${plain(name)}</b> ${what}<br>%{x:,.4~g}: %{y:.4~g}<extra></extra>`;
  const made = [];
  if (others.x.length)
    made.push({
      type: "scatter",
      mode: "lines",
      ...others,
      opacity: Number(token("faint")) * (crowded ? 0.55 : 1),
      connectgaps: false,
      line: { color: style.colour, width: 1.1 },
      hovertemplate: hover("(another trial)"),
    });
  if (median === null) return made; // all are beyond what is declared
  made.push({
    type: "scatter",
    mode: "lines+markers",
    x: horizontal(median),
    y: median.curve_metric,
    customdata: median.curve_metric.map(() => median.index),
    line: { color: style.colour, dash: style.dash, width: 2.6 },
    marker: {
      symbol: style.symbol,
      size: 7,
      maxdisplayed: 14,
      color: style.colour,
      line: { color: token("card"), width: 0.8 },
    },
    hovertemplate: hover(`study ${median.study}, trial ${median.trial}`),
  });
  return made;
}

/** From the best value to all but the worst twentieth, with the target in view. */
function verticalRange(found, workload) {
  const { target, direction } = workloadNamed.get(workload);
  const values = found
    .flatMap((trial) => trial.curve_metric)
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  if (!values.length) return undefined;
  const at = (share) => values[Math.round(share * (values.length - 1))];
  const ends = direction === "maximize" ? [at(0.05), at(1)] : [at(0), at(0.95)];
  const [low, high] = [Math.min(ends[0], target), Math.max(ends[1], target)];
  const pad = 0.06 * (high - low) || Math.abs(target) * 0.1 || 1;
  return [low - pad, high + pad];
}
