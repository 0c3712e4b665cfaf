// Draws a table as lines (uPlot), above the table: what a chart shows can also be read there, and needs no script. Rows
// bear data-x (seconds since 1970), columns to be drawn data-series with the name of one of our colours. Lines differ by
// their dashes too.

import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";

const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [1, 5]];
const BORDERS = ["solid", "dashed", "dotted", "double", "dashed", "dotted"];
const HEIGHT = 170;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function read(table) {
  const rows = [...table.tBodies[0].rows];
  const x = rows.map((row) => Number(row.querySelector("[data-x]").dataset.x));
  const heads = [...table.tHead.rows[0].cells];
  const series = heads.flatMap((head, place) => (head.dataset.series === undefined ? [] : [{
    label: head.textContent.trim(), colour: head.dataset.series, values: rows.map((row) => number(row.cells[place])),
  }]));
  return { series, ...whole(x, series.map((each) => each.values), Number(table.dataset.step)) };
}

const number = (cell) => Number(cell.dataset.y ?? cell.textContent.replace(/[^\d.-]/g, ""));

// A minute in which nothing came has no row; in the chart the line comes down to nothing there.
function whole(x, columns, step) {
  const data = [[], ...columns.map(() => [])];
  x.forEach((at, row) => {
    const before = data[0].at(-1);
    if (before !== undefined && at - before > step) {
      for (const gap of new Set([before + step, at - step])) {
        data[0].push(gap);
        columns.forEach((_, place) => data[place + 1].push(0));
      }
    }
    data[0].push(at);
    columns.forEach((values, place) => data[place + 1].push(values[row]));
  });
  return { data };
}

function options(table, series, rows, width) {
  const colours = getComputedStyle(document.documentElement);
  const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
  const font = `12px ${colour("sans")}`;
  const days = table.dataset.step === "86400";
  const time = new Intl.DateTimeFormat("en-GB", {
    timeZone: table.dataset.zone, ...(days ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" }),
  });
  const said = (seconds) => time.format(new Date(seconds * 1000));
  const figure = (value) => value.toLocaleString("en-GB", { notation: Math.abs(value) < 10_000 ? "standard" : "compact" });
  const line = { stroke: colour("meta"), font, ticks: { show: false } };
  return {
    width, height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), table.dataset.zone),
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, low, high) => [Math.min(low, 0), Math.max(high, 1)] } },
    axes: [
      {
        ...line, grid: { show: false }, size: 28, values: (_, marks) => marks.map(said), space: 64,
        incrs: days ? [1, 2, 7, 14, 30, 90].map((each) => each * 86_400) : [1, 5, 10, 20, 30, 60, 180, 720].map((each) => each * 60),
      },
      {
        ...line, grid: { stroke: colour("rule"), width: 1 }, size: 48, values: (_, marks) => marks.map(figure),
        incrs: [1, 2, 5].flatMap((each) => [...Array(8).keys()].map((power) => each * 10 ** power)).sort((a, b) => a - b),
      },
    ],
    legend: { markers: { width: 0 } },
    series: [
      { label: " ", value: (_, seconds) => (seconds === null ? "" : said(seconds)) },
      ...series.map((each, place) => ({
        label: each.label, stroke: colour(each.colour), width: 2, dash: DASHES[place % DASHES.length],
        points: { size: 5, fill: colour(each.colour), show: rows < 20 },
        value: (_, value) => (value === null || value === undefined ? "" : value.toLocaleString("en-GB")),
      })),
    ],
  };
}

function draw(figure) {
  const table = figure.querySelector("table");
  const { series, data } = read(table);
  if (data[0].length < 2) return;
  const place = document.createElement("div");
  place.className = "drawn";
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${table.caption.textContent.trim()}: a chart of the figures in the table below`);
  figure.insertBefore(place, figure.querySelector("details"));
  let plot = null;
  const room = () => place.clientWidth - parseFloat(getComputedStyle(place).paddingRight);
  const anew = () => {
    plot?.destroy();
    plot = new uPlot(options(table, series, data[0].length, room()), data, place);
    marks(place, plot);
  };
  anew();
  new ResizeObserver(() => room() !== plot.width && plot.setSize({ width: room(), height: HEIGHT })).observe(place);
  dark.addEventListener("change", anew);
}

// The legend shows each line as it is drawn.
function marks(place, plot) {
  place.querySelectorAll(".u-legend .u-series").forEach((row, number) => {
    const mark = row.querySelector(".u-marker");
    if (!number || !mark) return;
    mark.style.borderTop = `3px ${BORDERS[(number - 1) % BORDERS.length]} ${plot.series[number].stroke()}`;
  });
}

const ready = () => document.querySelectorAll("figure.chart:not([data-drawn])").forEach((figure) => {
  figure.dataset.drawn = "yes";
  draw(figure);
});
document.addEventListener("htmx:afterSettle", ready);
ready();
