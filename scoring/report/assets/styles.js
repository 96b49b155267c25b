// A submission looks the same in every chart: colour, dashes and marker by its place among names.
// Okabe and Ito's colour-blind safe colours; black turns white where the page is dark.

const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "ink", "#E69F00", "#56B4E9"];
const DASHES = ["solid", "6px,2px", "2px,2px", "8px,2px,2px,2px", "4px,4px"];
const MARKERS = [
  ["circle", "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z"],
  ["square", "M-3.2-3.2h6.4v6.4h-6.4z"],
  ["triangle-up", "M0-4l4 7h-8z"],
  ["diamond", "M0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4z"],
  ["triangle-down", "M0 4l4-7h-8z"],
  ["cross", "M-1.4-4h2.8v2.6h2.6v2.8h-2.6v2.6h-2.8v-2.6h-2.6v-2.8h2.6z"],
  [
    "x",
    "M-4-2.4l1.6-1.6l2.4 2.4l2.4-2.4l1.6 1.6l-2.4 2.4l2.4 2.4l-1.6 1.6l-2.4-2.4l-2.4 " +
      "2.4l-1.6-1.6l2.4-2.4z",
  ],
  ["triangle-left", "M-4 0l7-4v8z"],
  ["triangle-right", "M4 0l-7-4v8z"],
];

function styleOf(name) {
  const i = placeOf.get(name);
  const colour = COLOURS[i % COLOURS.length];
  const [symbol, path] = MARKERS[i % MARKERS.length];
  return {
    colour: colour === "ink" ? token("ink") : colour,
    fill: colour === "ink" ? "var(--ink)" : colour,
    dash: DASHES[i % DASHES.length],
    symbol,
    path,
  };
}

const LONG = 22;

/** A piece of a submission's line with its marker. */
function swatch(name) {
  const style = styleOf(name);
  return svg(
    "svg",
    {
      class: "swatch",
      viewBox: "0 0 30 12",
      preserveAspectRatio: "xMidYMid slice",
      "aria-hidden": "true",
    },
    svg("path", {
      d: "M0 6h30",
      style: `stroke:${style.fill};stroke-width:2`,
      "stroke-dasharray": style.dash === "solid" ? null : style.dash.replaceAll("px", ""),
    }),
    svg("path", { d: style.path, transform: "translate(15 6)", style: `fill:${style.fill}` }),
  );
}

function named(name, ...more) {
  return el(
    "span",
    { class: name.length > LONG ? "name" : "name short" },
    swatch(name),
    el("span", {}, ...breakable(name), ...more),
  );
}
