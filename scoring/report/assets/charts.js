// Charts by plotly, each drawn when it first scrolls into view; so is plotly itself started then.

const drawn = new Map();
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const one = drawn.get(target);
      one.near = isIntersecting;
      if (isIntersecting && one.stale) paint(target, one);
    }
  },
  { rootMargin: "300px" },
);

/**
 * A place for a chart. `draw` returns {traces, layout, onhover, onclick, label}, or a text that
 * says why there is none; it is called again when what it shows has changed.
 */
function chart(draw) {
  const host = el("div", { class: "chart" });
  const one = { draw, stale: true, near: false, plotted: false };
  drawn.set(host, one);
  whenLoaded(() => seen.observe(host));
  one.redraw = () => {
    one.stale = true;
    if (one.near) paint(host, one);
  };
  return { host, redraw: one.redraw };
}

// What was not scrolled to would be blank on paper.
addEventListener("beforeprint", () =>
  drawn.forEach((one, host) => {
    if (one.stale) paint(host, one);
  }),
);

retheme.push(() => drawn.forEach((one) => one.redraw()));

function whenLoaded(then) {
  if (document.readyState !== "loading") then();
  else document.addEventListener("DOMContentLoaded", then, { once: true });
}

/** Plotly lies in the page as text; parsing it waits for the first chart, not the first paint. */
function startPlotly() {
  if (window.Plotly) return;
  const source = byId("plotly");
  document.head.append(el("script", {}, source.textContent));
  source.remove();
}

function paint(host, one) {
  one.stale = false;
  const picture = one.draw();
  if (typeof picture === "string") {
    if (one.plotted) Plotly.purge(host);
    one.plotted = false;
    host.style.height = "";
    host.replaceChildren(empty(picture));
    return;
  }
  startPlotly();
  if (!one.plotted) host.replaceChildren();
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", picture.label);
  host.style.height = `${picture.height ?? 400}px`;
  Plotly.react(host, picture.traces, dressed(picture), CONFIG);
  if (!one.plotted) {
    host.on("plotly_hover", (event) => one.onhover?.(event.points[0]));
    host.on("plotly_click", (event) => one.onclick?.(event.points[0]));
  }
  Object.assign(one, { plotted: true, onhover: picture.onhover, onclick: picture.onclick });
}

const TOUCH = matchMedia("(pointer: coarse)").matches;
const CONFIG = {
  displaylogo: false,
  responsive: true,
  displayModeBar: TOUCH ? false : "hover",
  modeBarButtons: [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  toImageButtonOptions: { format: "svg", filename: "chart" },
};

function dressed({ layout, height = 400 }) {
  const { xaxis, yaxis, ...rest } = layout;
  return {
    height,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: token("sans"), size: 13, color: token("ink") },
    margin: { l: 62, r: 18, t: 14, b: 50 },
    showlegend: false,
    hovermode: "closest",
    dragmode: TOUCH ? false : "zoom", // a finger scrolls the page
    hoverlabel: {
      bgcolor: token("card"),
      bordercolor: token("soft"),
      align: "left",
      font: { color: token("ink"), family: token("sans"), size: 13 },
    },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: token("soft"), activecolor: token("ink") },
    ...rest,
    xaxis: axis(xaxis),
    yaxis: axis(yaxis),
  };
}

function axis({ title, ...more } = {}) {
  return {
    title: {
      text: title ? plain(title) : "",
      font: { size: 13, color: token("soft") },
      standoff: 10,
    },
    gridcolor: token("grid"),
    linecolor: token("line"),
    zeroline: false,
    automargin: true,
    fixedrange: TOUCH,
    ...more,
  };
}

const narrow = () => innerWidth < 600;

/** A logarithmic axis where values are positive and span decades. */
function spansDecades(values) {
  const known = values.filter((value) => typeof value === "number");
  const low = Math.min(...known);
  return known.length > 1 && low > 0 && Math.max(...known) / low >= 20;
}
