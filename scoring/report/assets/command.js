// "How to reproduce": the command, and a button that copies it.

function command(text) {
  if (!text) return el("p", { class: "note" }, "No command is recorded for this.");
  const code = el("code", {}, text);
  const button = el(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": `Copy: ${text}`,
      onclick: () => copy(text, code, button),
    },
    "Copy",
  );
  return el("div", { class: "command" }, code, button);
}

function reproduce(summary, ...commands) {
  return el("details", { class: "reproduce" }, el("summary", {}, summary), ...commands);
}

async function copy(text, code, button) {
  const done = await written(text, code);
  button.textContent = done ? "Copied" : "Selected";
  byId("said").textContent = done
    ? "Command copied"
    : "Command selected: copy it with the keyboard";
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1600);
}

/** Whether the clipboard could be written; where it may not, the command is left selected. */
async function written(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return false;
  }
}

const scoreCommand = () => entry().command;

function showCommand(trial) {
  return data.commands.show.replace("{path}", () => shellWord(`${data.source}/${trial.path}`));
}

/** What prints the records of all trials, of which charts are drawn. */
function recordsCommand(option = "") {
  return `${data.commands.show.replace("{path}", () => shellWord(data.source))} ${option}`.trim();
}

function runCommand(name, workload) {
  const text = data.submissions[placeOf.get(name)].command;
  return text && text.replace("{workload}", () => shellWord(workload));
}
