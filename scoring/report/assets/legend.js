// Which submissions the charts draw; the same choice everywhere.

function legend() {
  const host = el("div", { class: "legend", role: "group", "aria-label": "Submissions drawn" });
  whenChanged(() => {
    const all = rows();
    const now = new Set(drawnRows().map((row) => row.name));
    const focused = host.contains(document.activeElement)
      ? document.activeElement.dataset.name
      : null;
    const chip = (row) =>
      el(
        "button",
        {
          type: "button",
          class: "chip",
          "data-name": row.name,
          "aria-pressed": String(now.has(row.name)),
          title: row.name,
          onclick: () => toggle(row.name),
        },
        swatch(row.name),
        el("span", {}, row.name),
      );
    host.replaceChildren(...(all.length > 2 ? [shortcuts(all, now)].flat() : []), ...all.map(chip));
    if (focused) [...host.children].find((one) => one.dataset.name === focused)?.focus();
  });
  return host;
}

function shortcuts(all, now) {
  const button = (text, names) =>
    el(
      "button",
      {
        type: "button",
        class: "chip all",
        "data-name": `(${text})`,
        onclick: () => drawOnly(names),
      },
      text,
    );
  const names = all.map((row) => row.name);
  const made = [now.size === all.length ? button("None", []) : button(`All ${all.length}`, names)];
  if (all.length > MANY) made.push(button(`Top ${DRAWN_OF_MANY}`, names.slice(0, DRAWN_OF_MANY)));
  return made;
}
