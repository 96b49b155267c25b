// One submission on one workload, in full.

function cellDetails(row, workload) {
  const cell = row.cells[workload.name];
  const unit = data.unit;
  const of = trialsOf(row.name, workload.name);
  const trial = decidingTrial(row.name, workload.name);
  const studies = cell.studies.map(
    (time, i) => `study ${i}: ${time === null ? absent(of, i) : timeText(time, unit)}`,
  );
  return el(
    "div",
    { class: "details", id: "cell" },
    el("h3", {}, `${row.name} on ${workload.name}`),
    el("p", {}, sentence(cell, workload)),
    facts([
      [
        "Time to target",
        cell.time === null ? null : `${timeText(cell.time, unit)} (median over studies)`,
      ],
      ["95% interval", intervalText(cell.interval, (end) => timeText(end, unit)) || null],
      ["Studies", studies.length ? studies.join("; ") : null],
      ["Trials found", String(cell.trials)],
      ["Target", targetText(workload)],
    ]),
    ...commandsOf(row.name, workload.name, trial),
  );
}

const absent = (of, study) => (of.some((trial) => trial.study === study) ? "missed" : "no logs");

function targetText(workload) {
  const sign = workload.direction === "maximize" ? "\u2265" : "\u2264";
  return `validation ${workload.metric} ${sign} ${significant(workload.target)}`;
}

function sentence(cell, workload) {
  if (cell.state === "reached") {
    return cell.ratio === 1
      ? "The fastest here."
      : `${ratioText(cell.ratio)} the time of the fastest here.`;
  }
  if (cell.state === "missed") {
    const how = cell.detail ? `; most of its trials ended as \u201c${cell.detail}\u201d` : "";
    return (
      `${upper(data.states.missed.word)}: the target was met in ${cell.studies_reached} of ` +
      `${plural(cell.studies.length, "study", "studies")}, so the median study has no ` +
      `time${how}.`
    );
  }
  const { word, meaning, rule } = data.states[cell.state];
  if (rule === null) return `${upper(word)}: ${meaning}.`;
  const base = workload.held_out ? ` Its base is ${workload.base}.` : "";
  return `Disqualified here (rule ${rule}): ${meaning}.${base}`;
}

/** What shows the trial that stands for the cell, and what runs it again. */
function commandsOf(name, workload, trial) {
  const run = runCommand(name, workload);
  return [
    ...(trial
      ? [
          el(
            "p",
            { class: "note" },
            `Look at the trial that stands for it (study ${trial.study}, trial ${trial.trial}):`,
          ),
          command(showCommand(trial)),
        ]
      : []),
    el(
      "p",
      { class: "note" },
      run ? "Run it again:" : "These logs do not say which command made them.",
    ),
    ...(run ? [command(run)] : []),
  ];
}
