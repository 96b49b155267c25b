// Elements made by hand. Whatever comes from records enters the page as text, never as HTML.

const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element; children are elements or text. */
function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** A name that may break after an underscore, so that narrow headers hold long ones. */
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));
}

/** A dl of the entries whose value is known. */
function facts(entries, attributes = {}) {
  const known = entries.filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return el(
    "dl",
    attributes,
    known.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]),
  );
}

/** A labelled select; `options` are [value, text]. */
function chooser(label, options, value, onchange) {
  const select = el(
    "select",
    { onchange: (event) => onchange(event.target.value) },
    options.map(([key, text]) => el("option", { value: key }, text)),
  );
  select.value = value;
  return el("label", { class: "control" }, label, select);
}

/** A row of radio buttons; `options` are [value, text, enabled]. */
function segments(label, name, options, value, onchange) {
  const radio = ([key, text, enabled = true]) =>
    el(
      "label",
      {},
      el("input", {
        type: "radio",
        name,
        value: key,
        checked: key === value,
        disabled: !enabled,
        onchange: () => onchange(key),
      }),
      el("span", {}, text),
    );
  return el(
    "fieldset",
    { class: "control" },
    el("legend", {}, label),
    el("div", { class: "segments" }, options.map(radio)),
  );
}

function empty(text) {
  return el("p", { class: "empty" }, text);
}
