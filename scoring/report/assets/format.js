// Numbers as text.

const MINUS = "\u2212";
const UNKNOWN = "\u2013";

function significant(value, digits = 4) {
  if (value === null || value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(digits - 2);
  return Number(value.toPrecision(digits)).toLocaleString("en-US", { maximumFractionDigits: 10 });
}

/** Seconds to about four figures; `unit` is "s" or "steps". */
function timeText(time, unit = data.unit) {
  if (time === null || time === undefined) return UNKNOWN;
  const decimals = unit === "steps" ? 0 : time < 10 ? 2 : time < 1000 ? 1 : 0;
  const text = time.toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return `${text} ${unit}`;
}

const ratioText = (ratio) => `${ratio.toFixed(2)}\u00d7`;
const shareText = (share) => `${Math.round(100 * share)}%`;

function intervalText(ends, form) {
  if (!ends) return "";
  const [low, high] = ends.map((end) => (end === null ? "missed" : form(end)));
  return low === high ? low : `${low} \u2013 ${high}`;
}

function bytesText(bytes) {
  return bytes === null ? null : `${significant(bytes / 2 ** 20, 3)} MiB`;
}

function flopsText(flops) {
  if (flops === null || flops === undefined) return null;
  const power = Math.max(0, Math.floor(Math.log10(Math.max(flops, 1)) / 3));
  const prefix = ["", "k", "M", "G", "T", "P", "E"][Math.min(power, 6)];
  return `${significant(flops / 1000 ** Math.min(power, 6), 3)} ${prefix}FLOP`;
}

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function listed(words, most = 6) {
  if (words.length > most)
    return `${words.slice(0, most).join(", ")} and ${words.length - most} more`;
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

const valueText = (value) => (typeof value === "number" ? significant(value) : String(value));

/** One word of a shell, whatever it holds. */
function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Text for plotly, which would take tags in it for markup. */
function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
