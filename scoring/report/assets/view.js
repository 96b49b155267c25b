// What the reader has chosen to look at: one leaderboard, submissions by name, and which are drawn.

const MANY = 10;
const DRAWN_OF_MANY = 8;
const LONG_TABLE = 25;
const view = { board: 0, query: "", toggled: new Map(), whole: false };
const listeners = [];

/** Calls back now and whenever the choice changes. */
function whenChanged(listener) {
  listeners.push(listener);
  listener();
}

function change(choice) {
  Object.assign(view, choice);
  listeners.forEach((listener) => listener());
}

const entry = () => data.boards[view.board];
const board = () => entry().board;
const shownWorkloads = () => board().suite.map((name) => workloadNamed.get(name));
const baseOf = () => board().base_workloads;

/** Rows of the chosen leaderboard whose name holds what was typed, best first. */
function rows() {
  const wanted = view.query.trim().toLowerCase();
  return board().submissions.filter((row) => row.name.toLowerCase().includes(wanted));
}

/** Of many rows the first, until the reader asks for all. */
const folded = (all) => (view.whole ? all : all.slice(0, LONG_TABLE));

/** A button that asks for all rows, everywhere, where there are too many. */
function unfold() {
  const button = el("button", {
    type: "button",
    class: "quiet",
    onclick: () => change({ whole: !view.whole }),
  });
  whenChanged(() => {
    const count = rows().length;
    button.hidden = count <= LONG_TABLE;
    button.textContent = view.whole
      ? `Show the first ${LONG_TABLE} only`
      : `Show all ${count} submissions`;
  });
  return button;
}

/** Rows that charts draw: of many, the first few, until the reader says otherwise. */
function drawnRows() {
  const all = rows();
  return all.filter(
    (row, i) => view.toggled.get(row.name) ?? (all.length <= MANY || i < DRAWN_OF_MANY),
  );
}

function drawOnly(names) {
  const wanted = new Set(names);
  change({ toggled: new Map(rows().map((row) => [row.name, wanted.has(row.name)])) });
}

function toggle(name) {
  const drawn = drawnRows().some((row) => row.name === name);
  change({ toggled: new Map(view.toggled).set(name, !drawn) });
}

/** Trials of the submissions and workloads in view. */
function viewedTrials() {
  const names = new Set(rows().map((row) => row.name));
  const suite = new Set(board().suite);
  return trials.filter((trial) => names.has(trial.name) && suite.has(trial.on.name));
}
