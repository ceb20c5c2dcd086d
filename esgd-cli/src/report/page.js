// Tables sort by the column whose head is pressed; lines and points show their values.
"use strict";
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent;
  heads.forEach((head, i) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [x, y] = [value(a, i), value(b, i)];
      const [n, m] = [Number.parseFloat(x), Number.parseFloat(y)];
      if (Number.isNaN(n) !== Number.isNaN(m)) return Number.isNaN(n) ? 1 : -1;
      const order = Number.isNaN(n) ? x.localeCompare(y) : n - m;
      return up ? order : -order;
    });
    table.tBodies[0].append(...rows);
  }));
}
const tip = document.getElementById("tip");
const show = (event, text) => {
  tip.textContent = text;
  tip.style.display = "block";
  const { offsetWidth: w, offsetHeight: h } = tip;
  tip.style.left = Math.max(0, Math.min(event.clientX + 14, innerWidth - w - 8)) + "px";
  tip.style.top = Math.max(0, Math.min(event.clientY + 14, innerHeight - h - 8)) + "px";
};
for (const svg of document.querySelectorAll("figure svg")) {
  const lines = [...svg.querySelectorAll("polyline[data-values]")].map((line) => ({
    name: line.dataset.name,
    at: line.getAttribute("points").split(" ").map((point) => Number(point.split(",")[0])),
    values: line.dataset.values.split(";").map((pair) => pair.split(":")),
  }));
  svg.addEventListener("pointerleave", () => { tip.style.display = "none"; });
  svg.addEventListener("pointermove", (event) => {
    const own = event.target.closest("circle, rect, path, line");
    const title = own && own.querySelector("title");
    if (title) return show(event, title.textContent);
    if (!lines.length) { tip.style.display = "none"; return undefined; }
    const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
    const text = lines.map(({ name, at, values }) => {
      const i = at.reduce((best, place, j) => Math.abs(place - x) < Math.abs(at[best] - x) ? j : best, 0);
      return `${name ? name + ": " : ""}${values[i][1]} at ${values[i][0]}`;
    });
    return show(event, text.join("\n"));
  });
}
