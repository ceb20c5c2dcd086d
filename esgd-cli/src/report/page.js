// Tables sort by the column whose head is pressed; figures show their values to a pointer, a finger and the keys.
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

// What does not fit says so, and lists that scroll can be reached by keys.
const fit = () => {
  for (const box of document.querySelectorAll(".table .scroll")) {
    box.parentElement.classList.toggle("more", box.scrollWidth > box.clientWidth + 1);
  }
  for (const list of document.querySelectorAll(".steps")) {
    list.toggleAttribute("tabindex", list.scrollHeight > list.clientHeight + 1);
    if (list.hasAttribute("tabindex")) list.tabIndex = 0;
  }
};
addEventListener("resize", fit);
fit();

const tip = document.getElementById("tip");
let shown = null;
const hide = () => {
  tip.style.visibility = "hidden";
  if (shown) shown.querySelectorAll(".cross, .here").forEach((mark) => mark.remove());
  shown = null;
};
const mark = (svg, name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
  svg.append(node);
};
// Shows a text beside a place of the window, which is left free.
const show = (svg, text, x, y) => {
  shown = svg;
  tip.textContent = text;
  tip.style.visibility = "visible";
  const { offsetWidth: w, offsetHeight: h } = tip;
  const left = x + 14 + w > innerWidth - 8 ? x - 14 - w : x + 14;
  tip.style.left = Math.max(4, Math.min(left, innerWidth - w - 4)) + "px";
  tip.style.top = Math.max(4, Math.min(y + 14, innerHeight - h - 8)) + "px";
};

// A line has a place and a value at each of its x; nothing is told outside of them.
const lineOf = (node) => {
  const places = node.getAttribute("points") ?? node.dataset.points;
  const points = places.split(" ").map((place) => place.split(",").map((n) => (n === "" ? null : Number(n))));
  const values = node.dataset.values.split(";").map((pair) => {
    const cut = pair.indexOf(":");
    return [pair.slice(0, cut), pair.slice(cut + 1)];
  });
  return { name: node.dataset.name, points, values };
};
const nearest = ({ points }, x) => {
  let best = 0;
  points.forEach(([at], i) => { if (Math.abs(at - x) < Math.abs(points[best][0] - x)) best = i; });
  const reach = 8;
  return x < points[0][0] - reach || x > points[points.length - 1][0] + reach ? null : best;
};

for (const svg of document.querySelectorAll("figure svg")) {
  // A browser would show the titles as well.
  svg.querySelector("title").remove();
  const items = [...svg.querySelectorAll("title")].map((title) => {
    const node = title.parentElement;
    const text = title.textContent;
    title.remove();
    return { node, text };
  });
  const lines = [...svg.querySelectorAll("[data-values]")].map(lineOf);
  if (!items.length && !lines.length) continue;
  svg.tabIndex = 0;
  const numbered = (template, text) => (/^[−\d.]/.test(text) && template ? template.replace("#", text) : text);
  const toWindow = (x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  const clear = () => { if (shown && shown !== svg) hide(); svg.querySelectorAll(".cross, .here").forEach((m) => m.remove()); };

  const tellLines = (x, place) => {
    const found = lines.map((line) => [line, nearest(line, x)]).filter(([, i]) => i !== null);
    if (!found.length) return hide();
    clear();
    const apart = found.map(([line, i]) => Math.abs(line.points[i][0] - x));
    const [closest, k] = found[apart.indexOf(Math.min(...apart))];
    const head = numbered(svg.dataset.x, closest.values[k][0]);
    const told = found.map(([line, i]) => {
      const [at, value] = line.values[i];
      const own = numbered(svg.dataset.x, at);
      return `${line.name ? line.name + ": " : ""}${numbered(svg.dataset.y, value)}${own === head ? "" : `, at ${own}`}`;
    });
    const [top, bottom] = svg.dataset.between.split(",");
    const at = closest.points[k][0];
    mark(svg, "line", { class: "cross", x1: at, x2: at, y1: top, y2: bottom });
    found.forEach(([line, i]) => {
      const [cx, cy] = line.points[i];
      if (cy !== null) mark(svg, "circle", { class: "here", cx, cy, r: 4.5 });
    });
    const spot = place ?? toWindow(at, (Number(top) + Number(bottom)) / 2);
    return show(svg, [head, ...told].join("\n"), spot.x, spot.y);
  };
  const tellItem = ({ node, text }, place) => {
    clear();
    const { x, y, width, height } = node.getBBox();
    mark(svg, "rect", { class: "here", x: x - 2, y: y - 2, width: width + 4, height: height + 4, rx: 3 });
    const spot = place ?? toWindow(x + width / 2, y + height / 2);
    show(svg, text, spot.x, spot.y);
  };
  const tellAt = (event) => {
    const place = { x: event.clientX, y: event.clientY };
    const { x, y } = new DOMPoint(place.x, place.y).matrixTransform(svg.getScreenCTM().inverse());
    if (!items.length) return tellLines(x, place);
    const far = ({ node }) => {
      const box = node.getBBox();
      const beyond = (at, from, size) => Math.max(from - at, 0, at - from - size);
      return Math.hypot(beyond(x, box.x, box.width), beyond(y, box.y, box.height));
    };
    const all = items.map(far);
    const least = Math.min(...all);
    return least > 16 ? hide() : tellItem(items[all.indexOf(least)], place);
  };
  svg.addEventListener("pointermove", tellAt);
  svg.addEventListener("pointerdown", tellAt);
  // A finger that is lifted leaves what it asked for; the next one hides it.
  svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });

  const stops = [...new Set(lines.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  const count = items.length || stops.length;
  let at = -1;
  svg.addEventListener("keydown", (event) => {
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[event.key];
    if (event.key === "Escape") return hide();
    if (to === undefined) return undefined;
    event.preventDefault();
    at = Math.max(0, Math.min(to, count - 1));
    return items.length ? tellItem(items[at]) : tellLines(stops[at]);
  });
  svg.addEventListener("blur", () => { if (shown === svg) hide(); });
}
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("figure svg")) hide(); });
addEventListener("scroll", hide, { passive: true });
