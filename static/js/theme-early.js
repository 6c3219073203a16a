// Runs before the first paint, so that neither the other theme nor what only shows without scripts flashes up.
(function () {
  document.documentElement.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme is used then.
  }
})();
