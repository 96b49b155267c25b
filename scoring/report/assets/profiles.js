// Performance profiles: the share of workloads on which a submission is within tau times the best.

const TAU_MAX = 4;
const TAU_STEP = 0.01;

function profilesPanel() {
  let tau = 2;
  const readout = el("table", {});
  const shown = el("output", {});
  const reproduced = el("div", {});
  const slider = el("input", {
    type: "range",
    min: 1,
    max: TAU_MAX,
    step: TAU_STEP,
    id: "tau",
    oninput: () => at(Number(slider.value)),
  });
  const at = (value) => {
    tau = Math.min(TAU_MAX, Math.max(1, value));
    slider.value = tau;
    shown.value = `${tau.toFixed(2)}\u00d7`;
    drawReadout(readout, tau);
  };
  const picture = chart(() => profileChart(at));
  whenChanged(() => {
    picture.redraw();
    at(tau);
    reproduced.replaceChildren(reproduce("How to reproduce the profiles", command(scoreCommand())));
  });
  return [
    legend(),
    picture.host,
    el("label", { class: "slider" }, "At \u03c4 =", slider, shown),
    el("div", { class: "scroll" }, readout),
    reproduced,
  ];
}

/** The base workloads within tau times the fastest, and the others. */
function within(row, tau) {
  const inside = (name) => row.cells[name].ratio !== null && row.cells[name].ratio <= tau + 1e-9;
  const yes = baseOf().filter(inside);
  return { yes, no: baseOf().filter((name) => !inside(name)), share: yes.length / baseOf().length };
}

/** The ratios at which a profile jumps. */
function jumps(row) {
  const ratios = baseOf().map((name) => row.cells[name].ratio);
  return [...new Set(ratios.filter((ratio) => ratio !== null && ratio <= TAU_MAX))].sort(
    (a, b) => a - b,
  );
}

function profileChart(onhover) {
  const of = drawnRows();
  if (!of.length) return "No submission is chosen above.";
  return {
    label:
      `Performance profiles of ${plural(of.length, "submission")}; the slider below reads ` +
      "them out.",
    height: 430,
    traces: of.flatMap(profileTraces),
    onhover: (point) => onhover(point.x),
    layout: {
      xaxis: {
        title: narrow()
          ? "\u03c4: time over the fastest\u2019s"
          : "time to target, relative to the fastest submission (\u03c4)",
        range: [0.97, TAU_MAX + 0.03],
        ticksuffix: "\u00d7",
        dtick: 0.5,
      },
      yaxis: {
        title: narrow() ? "share of workloads" : "share of workloads within that factor",
        range: [-0.03, 1.04],
        tickformat: ".0%",
        dtick: 0.2,
      },
    },
  };
}

/** A line that can be hovered anywhere, and markers where it jumps. */
function profileTraces(row) {
  const style = styleOf(row.name);
  const steps = jumps(row);
  const dense = [];
  for (let tau = 1, i = 0; tau <= TAU_MAX + 1e-9; tau = 1 + ++i * TAU_STEP) dense.push(tau);
  const x = [...dense, ...steps].sort((a, b) => a - b);
  const texts = new Map();
  const described = (tau) => {
    const { yes, share } = within(row, tau);
    if (!texts.has(yes.length)) texts.set(yes.length, [share, profileText(row, yes)]);
    return texts.get(yes.length);
  };
  const points = x.map(described);
  const line = { color: style.colour, dash: style.dash, width: 2.2, shape: "hv" };
  return [
    {
      type: "scatter",
      mode: "lines",
      x,
      y: points.map(([share]) => share),
      line,
      name: plain(row.name),
      customdata: points.map(([, text]) => text),
      hovertemplate: "\u03c4 = %{x:.2f}: %{y:.0%}<br>%{customdata}<extra></extra>",
    },
    {
      type: "scatter",
      mode: "markers",
      x: [1, ...steps],
      y: [1, ...steps].map((tau) => within(row, tau).share),
      marker: {
        color: style.colour,
        symbol: style.symbol,
        size: 9,
        line: { color: token("card"), width: 1 },
      },
      hoverinfo: "skip",
      cliponaxis: false,
    },
  ];
}

function profileText(row, yes) {
  const lines = [];
  for (let i = 0; i < yes.length; i += 3)
    lines.push(
      yes
        .slice(i, i + 3)
        .map(plain)
        .join(", "),
    );
  return [`<b>${plain(row.name)}</b>: ${yes.length} of ${baseOf().length}`, ...lines].join("<br>");
}

const namesText = (names) => (names.length ? breakable(names.join(", ")) : ["none"]);

function drawReadout(table, tau) {
  const of = drawnRows();
  const line = (row) => {
    const { yes, no, share } = within(row, tau);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, named(row.name)),
      el("td", { class: "number" }, shareText(share)),
      el("td", { class: "breaks" }, ...(no.length ? namesText(yes) : [`all ${yes.length}`])),
      el("td", { class: "breaks soft wide" }, ...namesText(no)),
    );
  };
  table.replaceChildren(
    el("caption", {}, `Within ${tau.toFixed(2)} times the fastest`),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...["submission", "share", "counts", "does not"].map((title, i) =>
          el("th", { scope: "col", class: ["", "number", "", "wide"][i] }, title),
        ),
      ),
    ),
    el("tbody", {}, of.map(line)),
  );
}
