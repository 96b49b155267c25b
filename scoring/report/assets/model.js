// The payload as objects.

const data = JSON.parse(byId("payload").textContent);

const trials = data.trials.rows.map((row, index) => {
  const trial = { index };
  data.trials.columns.forEach((name, i) => {
    trial[name] = row[i];
  });
  trial.reached = trial.time !== null;
  trial.name = data.submissions[trial.submission].name;
  trial.on = data.workloads[trial.workload];
  return trial;
});

const workloadNamed = new Map(data.workloads.map((workload) => [workload.name, workload]));
const placeOf = new Map(data.submissions.map((submission, i) => [submission.name, i]));
const trialsOn = grouped(trials, (trial) => trial.on.name);

function grouped(values, key) {
  const groups = new Map();
  for (const value of values) {
    if (!groups.has(key(value))) groups.set(key(value), []);
    groups.get(key(value)).push(value);
  }
  return groups;
}

function trialsOf(name, workload) {
  return (trialsOn.get(workload) ?? []).filter((trial) => trial.name === name);
}

/** Steps at each evaluation; evenly spaced ones are recorded as [first, every, count]. */
function stepsOf(trial) {
  const [first, every, count] = trial.curve_steps;
  if (trial.curve_steps.length === trial.curve_metric.length) return trial.curve_steps;
  return Array.from({ length: count }, (_, i) => first + every * i);
}

/** The trial that stands for a cell of the chosen leaderboard; null where there is none. */
function decidingTrial(name, workload) {
  return trials[entry().deciding[name]?.[workload]] ?? null;
}

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  return n ? (sorted[Math.floor((n - 1) / 2)] + sorted[Math.floor(n / 2)]) / 2 : null;
}

function mean(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
