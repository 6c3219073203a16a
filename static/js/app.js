// @ts-check
/** What every page does: theme, menus, no double submit, toasts. */
import { one, say } from "./dom.js";
import { showSheet } from "./shortcuts.js";
import { localTimes } from "./times.js";
import { showWaitingToast } from "./toast.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";

function showTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    /** @type {HTMLElement} */ (button).hidden = false;
    one("span", button).textContent = say(isDark() ? "light" : "dark");
    const use = button.querySelector("use");
    use?.setAttribute("href", `${document.documentElement.dataset.icons}#${isDark() ? "sun" : "moon"}`);
  }
}

function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Then the choice lasts for this page only.
  }
  showTheme();
}

/** A second press of a submit button does nothing: the first request is on its way. @param {Element} [root] */
function guardForms(root = document.documentElement) {
  for (const form of root.querySelectorAll("form[method=post]"))
    form.addEventListener("submit", (event) => {
      if (form.hasAttribute("data-sent")) return event.preventDefault();
      form.setAttribute("data-sent", "");
      for (const button of form.querySelectorAll("button:not([type=button])")) button.classList.add("busy");
    });
}

/** A page brought back by the browser's Back button may send again. */
function freeForms() {
  for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  for (const button of document.querySelectorAll("form .busy")) button.classList.remove("busy");
}

/** A menu closes by a click elsewhere, and by Escape, which then closes nothing else. */
function closeMenus() {
  const OPEN = "details[data-menu][open]";
  document.addEventListener("click", (event) => {
    for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(OPEN)))
      if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target instanceof Element ? event.target.closest(OPEN) : null;
    if (!(menu instanceof HTMLDetailsElement)) return;
    menu.open = false;
    one("summary", menu).focus();
    event.stopPropagation();
  }, { capture: true });
}

showTheme();
dark.addEventListener("change", showTheme);
for (const button of document.querySelectorAll("[data-theme-toggle]")) button.addEventListener("click", toggleTheme);
for (const button of document.querySelectorAll("[data-show-keys]")) button.addEventListener("click", showSheet);
localTimes();
guardForms();
addEventListener("pageshow", freeForms);
closeMenus();
document.addEventListener("htmx:afterSettle", (event) => {
  const fresh = /** @type {HTMLElement} */ (event.target);
  localTimes(fresh);
  guardForms(fresh);
});
showWaitingToast();
