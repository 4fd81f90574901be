"use strict";
// Shows the graph in DATA: decides what is visible, lays it out, draws it, and answers clicks, keys and the search field.
const DATA = JSON.parse(document.getElementById("data").textContent);
const NS = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
const boxes = new Map(), groups = new Map(), where = new Map();
for (const [id, css, lines, w, h, tip, parent, sums] of DATA.boxes) boxes.set(id, { id, css, lines, w, h, tip, parent, sums });
for (const [id, title, parent, kind, first, last, open, repeat, length, period, lines, w, h, title_w, css] of DATA.groups) {
  groups.set(id, { id, title, parent, kind, first, last, open, repeat, folded: repeat > 1, length, period, lines, w, h, title_w, css, items: [] });
}
const twins = new Map(), besides = new Map(); // the gradient box beside each box, and the other way round
for (const id in DATA.twins) {
  const [key, css, lines, w, h, tip, uses] = DATA.twins[id];
  twins.set(id, { id: key, css, lines, w, h, tip, uses, title: id });
  besides.set(key, id);
}
DATA.items.forEach(([group, inside]) => { groups.get(group).items = inside.map(([box, id]) => [box ? "box" : "group", id]); });
DATA.steps.forEach((id, i) => where.set(id, i));

// ------------------------------------------------------------------------------------------------ what is visible
function visible() {
  const items = new Map([["", []]]), parent = new Map(), drawn = new Map(), work = [["group", "", null]];
  while (work.length) {
    const [kind, id, inside] = work.pop(), group = kind === "group" ? groups.get(id) : null;
    if (!group || !group.open || inside !== null) {
      const stands = inside === null ? id : inside;
      if (inside === null) {
        const around = group ? group.parent : boxes.get(id).parent;
        items.get(around).push([kind, id]);
        parent.set(id, around);
      }
      if (!group) { drawn.set(id, stands); continue; }
      for (const [k, i] of group.items.slice().reverse()) work.push([k, i, stands]);
      continue;
    }
    items.set(id, items.get(id) || []);
    if (id) { items.get(group.parent).push([kind, id]); parent.set(id, group.parent); }
    const shown = group.folded ? group.items.slice(0, group.period) : group.items;
    for (const [k, i] of shown.slice().reverse()) work.push([k, i, null]);
  }
  const repeats = [...groups.values()].filter((g) => g.folded && g.open).sort((a, b) => a.first - b.first || b.last - a.last);
  const twin = (id) => {
    for (let seen = 0; seen < 64 && !drawn.has(id); seen++) {
      const i = where.get(id);
      if (i === undefined) return undefined;
      const g = repeats.find((r) => r.first + r.length <= i && i < r.last);
      if (!g) return undefined;
      id = DATA.steps[i - Math.floor((i - g.first) / g.length) * g.length];
    }
    return drawn.get(id);
  };
  const links = [], seen = new Set(), coming = new Map();
  for (const [from, to, arg, out, style] of DATA.edges) {
    const dst = drawn.get(to);
    if (dst === undefined) continue;
    const src = drawn.has(from) ? drawn.get(from) : twin(from);
    if (src === undefined || src === dst) continue;
    const exact = dst === to, back = style === "grad";
    const key = JSON.stringify(back ? ["grad", src, dst, exact ? out : -1] : [src, dst, exact ? arg : -1, src === from ? out : -1]);
    if (seen.has(key)) continue;
    seen.add(key);
    if (back) { links.push({ src, dst, arg: exact ? out : -1, label: "", origin: src + ".grad", style }); continue; }
    links.push({ src, dst, arg: exact ? arg : -1, label: "", origin: src === from ? from : src, style });
    coming.set(dst, (coming.get(dst) || 0) + (exact ? 1 : 0));
  }
  for (const l of links) if (l.style !== "grad" && l.arg >= 0 && !boxes.get(l.dst).sums && coming.get(l.dst) > 1 && coming.get(l.dst) <= DATA.numbered) l.label = String(l.arg + 1);
  const beside = new Map();
  for (const inside of items.values()) for (const [, id] of inside) if (!items.has(id) && twins.has(id)) beside.set(id, twins.get(id));
  return { items, parent, drawn, links, twins: beside };
}

const thing = (id) => boxes.get(id) || groups.get(id) || twins.get(besides.get(id));
const size = (id, coming) => { const t = thing(id); return [Math.max(t.w, 14 * Math.min(coming, 12) + 12), t.h]; };
function layout() {
  const scene = visible();
  return [scene, place(scene, size, (id) => groups.get(id).title_w, DATA.rankdir)];
}

// ------------------------------------------------------------------------------------------------ drawing
function make(parent, tag, attributes, text) {
  const e = document.createElementNS(NS, tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  parent.appendChild(e);
  return e;
}
const num = (x) => String(Math.round(x * 10) / 10);
function curve(strokes, sideways) {
  const p = (x, y) => (sideways ? num(y) + " " + num(x) : num(x) + " " + num(y)), go = sideways ? "H" : "V";
  let [x1, a, b1] = strokes[0], d = "M" + p(x1, a) + (num(a) === num(b1) ? "" : go + num(b1));
  for (const [x2, a2, b2] of strokes.slice(1)) {
    if (num(x1) === num(x2)) d += go + num(b2);
    else {
      const m = (b1 + a2) / 2;
      d += "C" + p(x1, m) + " " + p(x2, m) + " " + p(x2, a2) + (num(a2) === num(b2) ? "" : go + num(b2));
    }
    x1 = x2;
    b1 = b2;
  }
  return d;
}
const depthOf = (id) => { let d = 0; for (let g = id; g; g = groups.get(g).parent) d++; return d; };

let picture = null, scene = null, chosen = null;
function draw() {
  [scene, picture] = layout();
  const root = document.createElementNS(NS, "g");
  root.id = "view";
  for (const r of picture.frames) {
    const g = groups.get(r.id), css = "frame" + (depthOf(r.id) % 2 ? "" : " deep") + (g.kind === "repeat" ? " repeat" : "");
    const at = { x: num(r.x), y: num(r.y), width: num(r.w), height: num(r.h), rx: 7 };
    const e = make(root, "g", { class: "group", "data-id": r.id, tabindex: 0, role: "button", "aria-expanded": "true" });
    if (g.kind === "repeat" && g.folded) make(e, "rect", { ...at, x: num(r.x + 4), y: num(r.y + 4), class: css });
    make(e, "rect", { ...at, class: css });
    make(e, "rect", { x: num(r.x), y: num(r.y), width: num(Math.min(r.w, g.title_w + 26)), height: 19, class: "handle" });
    make(e, "text", { class: "title", x: num(r.x + 9), y: num(r.y + 14) }, "▾ " + g.title);
    make(e, "title", {}, g.repeat > 1 ? "click: " + (g.folded ? "show all " + g.repeat : "draw them once") : "click: collapse");
  }
  for (const p of picture.paths) {
    const link = scene.links[p.link];
    const e = make(root, "path", { class: ("edge " + link.style).trim(), d: curve(p.strokes, picture.sideways) });
    e.link = link;
    if (!p.arrow) continue;
    e.setAttribute("marker-end", "url(#tip)");
    if (link.label) {
      const [x, , y] = p.strokes[p.strokes.length - 1];
      const [a, b] = picture.sideways ? [y - 9, p.left ? x - 4 : x + 11] : [p.left ? x - 10 : x + 4, y - 5];
      make(root, "text", { class: "arg", x: num(a), y: num(b) }, link.label);
    }
  }
  for (const [a, b, y] of picture.ties) {
    const d = picture.sideways ? `M${num(y)} ${num(a)}V${num(b)}` : `M${num(a)} ${num(y)}H${num(b)}`;
    make(root, "path", { class: "edge saved", d, "marker-end": "url(#tip)" });
  }
  for (const r of picture.boxes) {
    const t = thing(r.id), closed = groups.has(besides.get(r.id) || r.id), round = t.css && /\b(input|output|param|const|buffer)\b/.test(t.css);
    const mark = t.lines.find(([, role]) => role === "mark"), word = mark ? mark[0].slice(2).split(" ")[0] : "";
    const marked = mark ? " marked" + (["added", "removed", "changed"].includes(word) ? " " + word : "") : "";
    const e = make(root, "g", { class: "box " + t.css + marked, "data-id": r.id, tabindex: 0, role: "button" });
    if (closed) e.setAttribute("aria-expanded", "false");
    make(e, "title", {}, closed ? "click: expand " + t.title : t.tip);
    make(e, "rect", { x: num(r.x), y: num(r.y), width: num(r.w), height: num(r.h), rx: round ? num(Math.min(r.h / 2, 16)) : 6 });
    let y = r.y + (r.h - 15 * t.lines.length) / 2 + 11;
    for (const [text, role] of t.lines) {
      make(e, "text", { class: role, x: num(r.x + r.w / 2), y: num(y) }, text);
      y += 15;
    }
  }
  $("view").replaceWith(root);
  paint();
  chart();
  mark();
  move();
}

// ------------------------------------------------------------------------------------------------ moving about
let shift = [0, 0], zoom = 1;
const canvas = $("canvas");
function move() {
  $("view").setAttribute("transform", `translate(${num(shift[0])} ${num(shift[1])}) scale(${zoom})`);
  follow();
}
function centred(z) {
  const b = canvas.getBoundingClientRect();
  zoom = z;
  shift = [Math.max((b.width - picture.w * zoom) / 2, 8), Math.max((b.height - picture.h * zoom) / 2, 8)];
  move();
}
const whole = () => { const b = canvas.getBoundingClientRect(); return Math.min((b.width - 16) / picture.w, (b.height - 16) / picture.h, 1.4); };
const fit = () => centred(whole());
// a long graph begins at its start, at a size that can be read
function start() {
  const wide = canvas.getBoundingClientRect().width;
  centred(wide < 40 ? 0.7 : Math.max(whole(), Math.min(0.7, (wide - 16) / picture.w)));
}
function middle(id) {
  const r = picture.boxes.find((q) => q.id === id), b = canvas.getBoundingClientRect();
  if (!r) return;
  shift = [b.width / 2 - (r.x + r.w / 2) * zoom, b.height / 2 - (r.y + r.h / 2) * zoom];
  move();
}
function zoomAt(x, y, factor) {
  const f = Math.min(Math.max(zoom * factor, 0.02), 8) / zoom;
  shift = [x - (x - shift[0]) * f, y - (y - shift[1]) * f];
  zoom *= f;
  move();
}
canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoomAt(e.offsetX, e.offsetY, Math.exp(-e.deltaY / 400)); }, { passive: false });
// one finger or the mouse pans, two fingers zoom
const fingers = new Map();
let dragged = false, spread2 = 0;
const apart = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
canvas.addEventListener("pointerdown", (e) => {
  fingers.set(e.pointerId, [e.clientX, e.clientY, e.clientX, e.clientY]);
  if (fingers.size === 1) dragged = false;
  if (fingers.size === 2) spread2 = apart();
});
addEventListener("pointermove", (e) => {
  const p = fingers.get(e.pointerId);
  if (!p) return;
  const [x, y, x0, y0] = p;
  p[0] = e.clientX;
  p[1] = e.clientY;
  if (Math.hypot(p[0] - x0, p[1] - y0) > 4) dragged = true;
  if (!dragged) return;
  if (fingers.size === 2) {
    const now = apart(), b = canvas.getBoundingClientRect(), [one, two] = [...fingers.values()];
    zoomAt((one[0] + two[0]) / 2 - b.left, (one[1] + two[1]) / 2 - b.top, now / (spread2 || now));
    spread2 = now;
  }
  shift = [shift[0] + (p[0] - x) / fingers.size, shift[1] + (p[1] - y) / fingers.size];
  move();
});
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, (e) => fingers.delete(e.pointerId));

// ------------------------------------------------------------------------------------------------ the small map
const map = $("map");
let scale = 1;
function chart() {
  const b = canvas.getBoundingClientRect();
  const large = Math.max((picture.w * 0.7) / b.width, (picture.h * 0.7) / b.height);
  map.toggleAttribute("hidden", large < 1.6 || b.width < 560);
  scale = Math.min(110 / picture.w, Math.max(b.height * 0.6, 60) / picture.h);
  map.setAttribute("width", num(picture.w * scale));
  map.setAttribute("height", num(picture.h * scale));
  map.setAttribute("viewBox", `0 0 ${num(picture.w)} ${num(picture.h)}`);
  map.textContent = "";
  for (const r of picture.boxes) {
    const e = make(map, "g", { class: "box " + thing(r.id).css, "data-map": r.id });
    make(e, "rect", { x: num(r.x), y: num(r.y), width: num(r.w), height: num(r.h) });
  }
  make(map, "rect", { class: "here" });
}
function follow() {
  const here = map.querySelector(".here"), b = canvas.getBoundingClientRect();
  if (!here) return;
  const at = { x: -shift[0] / zoom, y: -shift[1] / zoom, width: b.width / zoom, height: b.height / zoom };
  for (const k in at) here.setAttribute(k, num(at[k]));
}
map.addEventListener("pointerdown", (e) => {
  const b = canvas.getBoundingClientRect(), m = map.getBoundingClientRect();
  shift = [b.width / 2 - ((e.clientX - m.left) / scale) * zoom, b.height / 2 - ((e.clientY - m.top) / scale) * zoom];
  move();
});

// ------------------------------------------------------------------------------------------------ answering
// the place on the screen of what was clicked stays where it is
function holding(id, change) {
  const before = find(id);
  change();
  draw();
  const after = find(id);
  if (before && after) {
    shift = [shift[0] + (before.x - after.x) * zoom, shift[1] + (before.y - after.y) * zoom];
    move();
  }
}
const find = (id) => picture.boxes.find((r) => r.id === id) || picture.frames.find((r) => r.id === id);
function act(id, kind) {
  const beside = besides.get(id), g = groups.get(kind === "box" && groups.has(beside) ? beside : id);
  if (kind === "box" && g) {
    holding(id, () => {
      g.open = true;
      // what holds only one thing is opened with it
      for (let h = g; h.items.length && (h.folded || h.items.length === 1) && h.items[0][0] === "group"; ) { h = groups.get(h.items[0][1]); h.open = true; }
    });
  } else if (kind === "group" && g) holding(id, () => { if (g.repeat > 1) g.folded = !g.folded; else g.open = false; });
  else if (thing(id)) choose(id);
}
canvas.addEventListener("click", (e) => {
  if (dragged) return;
  const box = e.target.closest(".box"), group = e.target.closest(".group");
  if (box) act(box.dataset.id, "box");
  else if (group && e.target.matches(".handle,.title")) act(group.dataset.id, "group");
  else choose(null);
});
canvas.addEventListener("keydown", (e) => {
  const t = e.target.closest && e.target.closest("[data-id]");
  if (t && (e.key === "Enter" || e.key === " ")) { e.preventDefault(); act(t.dataset.id, t.matches(".box") ? "box" : "group"); }
});
function choose(id) {
  chosen = id;
  $("details").hidden = id === null;
  $("details").textContent = id === null ? "" : thing(id).tip;
  mark();
}
function mark() {
  // a hit inside a collapsed module marks the module
  const found = new Set(hits.map((id) => (scene.drawn.has(id) ? scene.drawn.get(id) : id)));
  for (const e of document.querySelectorAll("#view .box")) {
    e.classList.toggle("chosen", e.dataset.id === chosen);
    e.classList.toggle("hit", found.has(e.dataset.id));
  }
  for (const e of map.querySelectorAll(".box")) e.classList.toggle("hit", found.has(e.dataset.map));
  for (const e of document.querySelectorAll("#view .edge")) e.classList.toggle("near", chosen !== null && !!e.link && [e.link.src, e.link.dst].includes(besides.get(chosen) || chosen));
}
function all(open) {
  for (const g of groups.values()) if (g.id) g.open = open;
  draw();
  start();
}
$("open").addEventListener("click", () => all(true));
$("close").addEventListener("click", () => all(false));
$("fit").addEventListener("click", fit);
// ------------------------------------------------------------------------------------------------ search
let hits = [], hit = -1, last = null;
function search(words) {
  last = words;
  const asked = words.toLowerCase().split(/\s+/).filter(Boolean);
  const said = (b) => (b.id + " " + b.tip + " " + b.lines.map((l) => l[0]).join(" ")).toLowerCase();
  hits = asked.length ? [...boxes.values()].filter((b) => asked.every((w) => said(b).includes(w))).map((b) => b.id) : [];
  hit = -1;
  tell(asked.length);
  mark();
  const seen = hits.find((id) => picture.boxes.some((r) => r.id === id));
  if (seen !== undefined) middle(seen);
}
function tell(asked) {
  const n = hits.length;
  $("found").textContent = !asked ? "" : !n ? "nothing found" : hit < 0 ? `${n} found, Enter: next` : `${hit + 1} of ${n}`;
}
function next(by) {
  if (!hits.length) return;
  hit = hit < 0 ? (by > 0 ? 0 : hits.length - 1) : (hit + by + hits.length) % hits.length;
  const id = hits[hit];
  for (let g = boxes.get(id).parent; g; g = groups.get(g).parent) {
    const around = groups.get(g);
    around.open = true;
    if (around.repeat > 1 && first(around, id) > 0) around.folded = false;
  }
  draw();
  choose(id);
  middle(id);
  tell(1);
}
$("find").addEventListener("input", (e) => search(e.target.value));
$("find").addEventListener("keydown", (e) => {
  if (e.key === "Escape") { e.target.value = ""; search(""); e.target.blur(); }
  if (e.key !== "Enter") return;
  if (e.target.value !== last) search(e.target.value);
  next(e.shiftKey ? -1 : 1);
});
const STEPS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
addEventListener("keydown", (e) => {
  if (e.target.matches && e.target.matches("input, textarea") || e.ctrlKey || e.metaKey || e.altKey) return;
  const b = canvas.getBoundingClientRect();
  if (e.key === "/") { e.preventDefault(); $("find").focus(); }
  else if (e.key === "f") fit();
  else if (e.key === "Escape") choose(null);
  else if (e.key === "+" || e.key === "=") zoomAt(b.width / 2, b.height / 2, 1.25);
  else if (e.key === "-") zoomAt(b.width / 2, b.height / 2, 0.8);
  else if (STEPS[e.key]) { e.preventDefault(); shift = [shift[0] + STEPS[e.key][0], shift[1] + STEPS[e.key][1]]; move(); }
});
const first = (g, id) => (where.has(id) ? Math.floor((where.get(id) - g.first) / g.length) : 0);

// ------------------------------------------------------------------------------------------------ replay
function paint() {
  if (!DATA.replay) return;
  const step = DATA.replay.steps[Number($("step").value)];
  $("at").textContent = step.title;
  for (const e of document.querySelectorAll("#view .box")) {
    for (const c of [...e.classList]) if (/^heat\d$/.test(c)) e.classList.remove(c);
    const heat = step.heat[e.dataset.id], line = e.querySelector(".replay");
    if (heat) e.classList.add("heat" + heat[0]);
    if (line) line.textContent = heat ? heat[1] : "";
  }
}
if (DATA.replay) {
  $("replay").hidden = false;
  $("step").max = DATA.replay.steps.length - 1;
  $("step").addEventListener("input", paint);
}
draw();
start();
// a frame in a notebook gets its size late; until the reader has moved something, the picture follows the size
let moved = false;
for (const sign of ["pointerdown", "wheel", "keydown", "input"]) addEventListener(sign, () => { moved = true; }, { capture: true, passive: true });
new ResizeObserver(() => { if (!moved && hit < 0 && !hits.length) start(); chart(); mark(); follow(); }).observe(canvas);
