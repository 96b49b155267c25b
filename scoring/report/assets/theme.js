// Light or dark: as the system says, until the reader says otherwise.

const page = document.documentElement;
let chosen = false;
const retheme = [];

function setTheme(theme) {
  page.dataset.theme = theme;
  const other = theme === "dark" ? "light" : "dark";
  byId("theme").textContent = other === "dark" ? "\u263e Dark" : "\u2600 Light";
  byId("theme").setAttribute("aria-label", `Switch to ${other} colours`);
  retheme.forEach((listener) => listener());
}

byId("theme").addEventListener("click", () => {
  chosen = true;
  setTheme(page.dataset.theme === "dark" ? "light" : "dark");
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  if (!chosen) setTheme(event.matches ? "dark" : "light");
});
setTheme(page.dataset.theme);

/** The value of a custom property of the style sheet, as charts need it. */
const token = (name) => getComputedStyle(page).getPropertyValue(`--${name}`).trim();
