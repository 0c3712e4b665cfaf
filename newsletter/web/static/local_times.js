// Shows each instant of the page by the reader's own clock too: what only the browser knows.
const now = new Date();

for (const cell of document.querySelectorAll("[data-instant]")) {
  const at = new Date(cell.dataset.instant);
  const day = at.toLocaleDateString("en-GB", {
    weekday: "short", day: "numeric", month: "short", ...(at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }),
  }).replaceAll(",", "");
  cell.textContent = `${day}, ${at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}
for (const cell of document.querySelectorAll(".yours")) cell.hidden = false;
