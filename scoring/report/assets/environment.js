// What the trials ran on.

function environmentPanel() {
  if (!data.environments.length) return [empty("These logs do not say what they ran on.")];
  const trialsIn = counted(trials.map((trial) => trial.environment));
  const one = (environment, i) =>
    el(
      "div",
      { class: "environment" },
      data.environments.length > 1
        ? el("h3", {}, `Environment ${i + 1}: ${plural(trialsIn.get(i) ?? 0, "trial")}`)
        : null,
      facts(flat(environment)),
    );
  const many =
    data.environments.length > 1
      ? [
          el(
            "p",
            { class: "warning" },
            `The trials ran in ${data.environments.length} environments: their times compare ` +
              "only as far as those do.",
          ),
        ]
      : [];
  return [
    ...many,
    el("div", { class: "two" }, data.environments.map(one)),
    reproduce("How to reproduce this", command(recordsCommand("--json"))),
  ];
}

/** An object as [term, text], inner objects joined into a line. */
function flat(environment) {
  const text = (value) => {
    if (Array.isArray(value)) return value.map(text).join(", ");
    if (value && typeof value === "object")
      return Object.entries(value)
        .map(([key, inner]) => `${key} ${text(inner)}`)
        .join(", ");
    return value === null || value === "" ? null : String(value);
  };
  return Object.entries(environment).map(([key, value]) => [key.replaceAll("_", " "), text(value)]);
}
