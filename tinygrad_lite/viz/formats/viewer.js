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
    const marked = t.lines.some(([, role]) => role === "mark") ? " marked" : "";
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
  mark();
  move();
}

// ------------------------------------------------------------------------------------------------ moving about
let shift = [0, 0], zoom = 1;
const canvas = $("canvas");
const move = () => $("view").setAttribute("transform", `translate(${num(shift[0])} ${num(shift[1])}) scale(${zoom})`);
function fit() {
  const b = canvas.getBoundingClientRect(), whole = Math.min((b.width - 16) / picture.w, (b.height - 16) / picture.h);
  // a long graph is shown from its start, at a size that can be read
  zoom = Math.min(1.4, Math.max(whole, 0.7));
  shift = [Math.max((b.width - picture.w * zoom) / 2, 8), Math.max((b.height - picture.h * zoom) / 2, 8)];
  move();
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
let drag = null, dragged = false;
canvas.addEventListener("pointerdown", (e) => { drag = [e.clientX - shift[0], e.clientY - shift[1], e.clientX, e.clientY]; dragged = false; });
addEventListener("pointermove", (e) => {
  if (!drag) return;
  if (Math.hypot(e.clientX - drag[2], e.clientY - drag[3]) > 4) dragged = true;
  if (dragged) { shift = [e.clientX - drag[0], e.clientY - drag[1]]; move(); }
});
addEventListener("pointerup", () => { drag = null; });

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
  for (const e of document.querySelectorAll("#view .box")) e.classList.toggle("chosen", e.dataset.id === chosen);
  for (const e of document.querySelectorAll("#view .edge")) e.classList.toggle("near", chosen !== null && !!e.link && [e.link.src, e.link.dst].includes(besides.get(chosen) || chosen));
}
function all(open) {
  for (const g of groups.values()) if (g.id) g.open = open;
  draw();
  fit();
}
$("open").addEventListener("click", () => all(true));
$("close").addEventListener("click", () => all(false));
$("fit").addEventListener("click", fit);
let hit = -1, last = "";
$("find").addEventListener("keydown", (e) => {
  if (e.key !== "Enter") return;
  const words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...boxes.values()].filter((b) => words.every((w) => (b.id + " " + b.tip + " " + b.lines.map((l) => l[0]).join(" ")).toLowerCase().includes(w)));
  hit = e.target.value === last ? hit + 1 : 0;
  last = e.target.value;
  $("found").textContent = found.length ? `${(hit % found.length) + 1} of ${found.length}` : "nothing found";
  if (!found.length || !words.length) return;
  const id = found[hit % found.length].id;
  for (let g = boxes.get(id).parent; g; g = groups.get(g).parent) {
    const around = groups.get(g);
    around.open = true;
    if (around.repeat > 1 && first(around, id) > 0) around.folded = false;
  }
  draw();
  choose(id);
  middle(id);
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
fit();
