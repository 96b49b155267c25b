// The page: its panels, in order, and the way to them.

// [id, title, short title, what it shows, what makes it]
const PANELS = [
  ["leaderboard", "Leaderboard", "Leaderboard", null, leaderboardPanel],
  [
    "profiles",
    "Performance profiles",
    "Profiles",
    "The share of workloads on which a submission is within \u03c4 times the fastest. " +
      "Point at a curve, or move the slider, to see which.",
    profilesPanel,
  ],
  [
    "heatmap",
    "Relative times",
    "Times",
    "Median time to target, over the fastest submission\u2019s. The stronger the colour, " +
      "the faster.",
    heatmapPanel,
  ],
  [
    "curves",
    "Learning curves",
    "Curves",
    "Each trial faint, the best trial of the median study bold. Click a curve for its trial.",
    curvesPanel,
  ],
  ["clocks", "Clock breakdown", "Clock", null, clocksPanel],
  [
    "points",
    "Hyperparameters",
    "Hyperparameters",
    "Each trial at its point; misses are crosses at the top edge. Click one for its trial.",
    pointsPanel,
  ],
  ["noise", "Noise and calibration", "Noise", null, noisePanel],
  ["failures", "Failures", "Failures", null, failuresPanel],
  ["environment", "Environment", "Environment", null, environmentPanel],
];

/** A panel; one that has nothing to show says so and no more. */
function panel([id, title, , lead, make]) {
  const parts = make().filter(Boolean);
  const bare = parts.length === 1 && parts[0].className === "empty";
  return el(
    "section",
    { class: "card", id, "aria-labelledby": `${id}-title` },
    el(
      "div",
      {},
      el("h2", { id: `${id}-title` }, title),
      lead && !bare ? el("p", { class: "lead" }, lead) : null,
    ),
    ...parts,
  );
}

drawHeader();
byId("main").replaceChildren(...PANELS.map(panel));
byId("contents").replaceChildren(
  el(
    "ul",
    {},
    PANELS.map(([id, , short]) => el("li", {}, el("a", { href: `#${id}` }, short))),
  ),
);
byId("footer").append(
  `Made by algoperf_lite ${data.version}${data.written ? `, ${data.written}` : ""}. ` +
    "This file is complete in itself: it loads nothing.",
);

const current = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of byId("contents").querySelectorAll("a")) {
        if (link.hash === `#${target.id}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  },
  { rootMargin: "-30% 0px -65% 0px" },
);
document.querySelectorAll("section").forEach((section) => current.observe(section));
