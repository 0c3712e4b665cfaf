// What makes the screens quicker; every one of them works without. Forms and links of the desk change only what
// differs (htmx), stories are dragged (SortableJS) or moved by keys, and a send shows how far it is.

const story = (element) => element?.closest?.("[data-story]");
const stories = () => [...document.querySelectorAll("[data-story]")];

// j and k go from story to story, Shift with an arrow moves one.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  const here = story(document.activeElement);
  if (event.key === "j" || event.key === "k") {
    const all = stories();
    const next = all[all.indexOf(here) + (event.key === "j" ? 1 : -1)] ?? here ?? all[0];
    next?.querySelector("a")?.focus();
  } else if (here && event.shiftKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    here.querySelector(`button[value=${event.key === "ArrowUp" ? "up" : "down"}]`)?.click();
  }
});

// What was in hand is in hand again when the screen has changed.
let held = null;
let typed = [];
const fields = () => [...document.querySelectorAll(".words :is(input[type=text], textarea:not(.hidden))")];
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "main") return;
  held = story(document.activeElement)?.dataset.story ?? null;
  typed = fields().filter((each) => each.value !== each.defaultValue).map((each) => [each.name, each.value]);
});
document.addEventListener("htmx:afterSettle", () => {
  ready();
  for (const [name, value] of typed) {
    const field = fields().find((each) => each.name === name);
    if (!field) continue;
    field.value = value;
    field.closest("details").open = true;
  }
  typed = [];
  if (held) stories().find((each) => each.dataset.story === held)?.querySelector("a")?.focus();
  held = null;
});

// A screen that says no (a conflict, a check) is shown as well.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) return window.location.reload();
  if (status >= 400) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:sendError", () => window.location.reload());

function drag(list) {
  const sort = window.Sortable;
  if (!sort || list.dataset.ready) return;
  list.dataset.ready = "yes";
  sort.create(list, {
    group: "stories",
    handle: ".grip",
    animation: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    onEnd({ item, from, to, oldIndex, newIndex }) {
      if (from === to && oldIndex === newIndex) return;
      const form = item.querySelector("form.arrange");
      form.elements.before.value = item.nextElementSibling?.dataset.story ?? "";
      form.elements.country.value = to.dataset.country;
      form.querySelector("button[value=put]").click();
    },
  });
}

// Counts of a send, as they change; without events, by asking again.
function follow(board) {
  if (board.dataset.ready) return;
  board.dataset.ready = "yes";
  const events = new EventSource(board.dataset.live);
  events.onmessage = ({ data }) => {
    if (!board.isConnected) return events.close();
    const told = JSON.parse(data);
    for (const [name, text] of Object.entries(told.texts)) {
      const place = board.querySelector(`[data-count="${name}"]`);
      if (place) place.textContent = text;
    }
    const bar = board.querySelector("progress");
    if (bar) bar.value = told.done;
    if (told.over) {
      events.close();
      window.location.assign(board.dataset.live.replace(/\/live$/, "")); // not again what was posted to get here
    }
  };
}

// On a phone the bar of screens scrolls; the present one is in sight.
const screens = document.querySelector(".screens");
const present = screens?.querySelector("[aria-current]");
if (present) screens.scrollLeft = present.offsetLeft - (screens.clientWidth - present.offsetWidth) / 2;

function ready() {
  document.querySelectorAll("[data-country]").forEach(drag);
  document.querySelectorAll("[data-live]").forEach(follow);
}

ready();
