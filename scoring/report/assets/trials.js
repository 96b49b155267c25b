// One trial in full, and a table of trials.

function trialDetails(trial) {
  const point = trial.point === null ? {} : data.points[trial.point];
  return el(
    "div",
    { class: "details", id: "trial" },
    el("h3", {}, `${trial.name} on ${trial.on.name}, study ${trial.study}, trial ${trial.trial}`),
    facts([
      ["Ended", endText(trial)],
      ["Time to target", trial.reached ? timeText(trial.time) : "missed"],
      [
        "Whole trial",
        [
          trial.seconds === null ? null : timeText(trial.seconds, "s"),
          trial.steps === null ? null : `${significant(trial.steps, 7)} steps`,
        ]
          .filter(Boolean)
          .join(", ") || null,
      ],
      ["Budget", trial.budget === null ? null : timeText(trial.budget, "s")],
      ["Seed", trial.seed === null ? null : String(trial.seed)],
      [
        "FLOPs",
        trial.flops_per_step === null ? null : `${flopsText(trial.flops_per_step)} per step`,
      ],
      ["Peak memory", trial.peak_memory === null ? null : bytesText(trial.peak_memory)],
      [
        "Hyperparameters",
        Object.entries(point)
          .map(([name, value]) => `${name} = ${valueText(value)}`)
          .join(", "),
      ],
    ]),
    command(showCommand(trial)),
    ...[runCommand(trial.name, trial.on.name)].filter(Boolean).map(command),
  );
}

function endText(trial) {
  const words = trial.status.replaceAll("_", " ");
  return trial.reason ? `${words}: ${trial.reason}` : words;
}

/** A folded table of trials, made when it is opened. */
function trialTable(find) {
  const table = el("table", {});
  const place = el("div", {});
  const summary = el("summary", {});
  const host = el(
    "details",
    { ontoggle: () => draw() },
    summary,
    el("div", { class: "scroll" }, table),
    place,
  );
  const draw = () => {
    if (!host.open) return;
    const button = (trial) =>
      el(
        "button",
        {
          type: "button",
          class: "quiet",
          onclick: () => {
            place.replaceChildren(trialDetails(trial));
            place.scrollIntoView({ block: "nearest" });
          },
        },
        "Look",
      );
    const line = (trial) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, named(trial.name)),
        el("td", { class: "number" }, String(trial.study)),
        el("td", { class: "number" }, String(trial.trial)),
        el("td", {}, trial.status.replaceAll("_", " ")),
        el("td", { class: "number" }, trial.reached ? timeText(trial.time) : "missed"),
        el("td", { class: "number" }, significant(trial.steps, 7)),
        el("td", {}, button(trial)),
      );
    const titles = ["submission", "study", "trial", "ended", "to target", "steps", ""];
    table.replaceChildren(
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          titles.map((title, i) =>
            el("th", { scope: "col", class: [1, 2, 4, 5].includes(i) ? "number" : "" }, title),
          ),
        ),
      ),
      el("tbody", {}, find().map(line)),
    );
  };
  const redraw = () => {
    place.replaceChildren();
    const count = plural(find().length, "trial");
    summary.textContent = `These curves as a table: ${count}, each with its commands`;
    draw();
  };
  return { host, redraw };
}
