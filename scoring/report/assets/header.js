// Title, facts, and one line that says what the leaderboard says.

const CLOCKS = {
  time: "on-clock seconds",
  robust: "robust on-clock seconds (median window)",
  steps: "training steps",
  "time+compile": "on-clock seconds and compiling",
};

function drawHeader() {
  byId("title").textContent = data.title;
  whenChanged(() => {
    byId("verdict").textContent = verdict(board());
    byId("facts").replaceChildren(...factList(board()));
  });
}

function factList(of) {
  const entries = [
    ["Source", data.source],
    ["Clock", CLOCKS[data.clock] ?? data.clock],
    ["Integral", data.integration === "exact" ? "exact" : "AlgoPerf\u2019s 100 points"],
    [
      "Trials",
      `${of.trials_found.toLocaleString("en-US")} of ${of.trials_declared.toLocaleString("en-US")}`,
    ],
    ["Studies", String(of.studies)],
    ["Written", data.written],
    ["algoperf_lite", data.version],
  ];
  return entries
    .filter(([, value]) => value)
    .map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value)));
}

function verdict(of) {
  const [first, ...others] = of.submissions;
  if (!first) return "No submission has been scored.";
  const count = plural(of.base_workloads.length, "workload");
  if (first.score === 0) return `No submission has a score above 0 on the ${count}.`;
  const ties = others.filter((row) => row.rank === 1);
  const found = `${first.score.toFixed(3)} over ${count}`;
  if (ties.length)
    return (
      `${listed([first, ...ties].map((row) => row.name))} share first place with a score ` +
      `of ${found}.`
    );
  const lead = `${first.name} leads with a score of ${found}`;
  if (!others.length) return `${lead}; it is the only submission.`;
  if (!first.score_interval)
    return (
      `${lead}. Too few studies (${of.studies}) to say how sure that is: ` +
      `${data.least_studies} are needed.`
    );
  const rivals = others.filter((row) => row.rank_interval[0] === 1);
  const sure =
    `95%: score ${intervalText(first.score_interval, (end) => end.toFixed(2))}, rank ` +
    `${intervalText(first.rank_interval, String)}`;
  if (!rivals.length) return `${lead} (${sure}).`;
  return (
    `${first.name} has the highest score, ${found} (${sure}), but the data do not decide ` +
    `which is first: ${listed([first, ...rivals].map((row) => row.name))} may be.`
  );
}
