"use strict";
// The layout of the Python package (layout/order.py, coordinates.py, level.py, place.py), so that a page can lay itself
// out again when a group is opened or closed. A test compares the two: they give the same coordinates.
const GAP = 18, ROW = 24, PORT_ROW = 10, WIRE = 8, SLOT = 14, STIFF = 6, SWEEPS = 6, TURNS = 10;
const BAND = 20, PAD = 12, MARGIN = 16, TIE = 36;

const lists = (n) => Array.from({ length: n }, () => []);
const largest = (values, start) => { let m = start; for (const v of values) if (v > m) m = v; return m; };
const smallest = (values, start) => { let m = start; for (const v of values) if (v < m) m = v; return m; };

function ranks(n, edges, first, last) {
  const succ = lists(n), waiting = new Array(n).fill(0), order = [];
  for (const [u, v] of edges) { succ[u].push(v); waiting[v]++; }
  for (let i = 0; i < n; i++) if (!waiting[i]) order.push(i);
  for (let k = 0; k < order.length; k++) for (const v of succ[order[k]]) if (!--waiting[v]) order.push(v);
  if (order.length < n) return ranks(n, edges.filter(([u, v]) => u < v), first, last);
  const rank = [], fed = new Array(n).fill(false);
  for (let i = 0; i < n; i++) rank.push(first.size && !first.has(i) ? 1 : 0);
  for (const u of order) for (const v of succ[u]) { fed[v] = true; if (rank[v] <= rank[u]) rank[v] = rank[u] + 1; }
  for (const u of order.slice().reverse()) {
    if (!fed[u] && succ[u].length && !first.has(u)) rank[u] = smallest(succ[u].map((v) => rank[v]), Infinity) - 1;
  }
  if (last.size) {
    let bottom = 0;
    for (let i = 0; i < n; i++) if (!last.has(i)) bottom = Math.max(bottom, rank[i]);
    for (const i of last) rank[i] = bottom + 1;
  }
  return rank;
}

function sweep(rows, up, down) {
  const place = new Array(up.length).fill(0);
  for (const row of rows) row.forEach((i, k) => { place[i] = k; });
  for (let turn = 0; turn < SWEEPS; turn++) {
    const near = turn % 2 === 0 ? up : down;
    const sequence = turn % 2 === 0 ? rows.slice(1) : rows.slice(0, -1).reverse();
    for (const row of sequence) {
      if (row.length < 2) continue;
      const key = new Map();
      for (const i of row) {
        let total = 0;
        for (const [j, at] of near[i]) total += place[j] + at / 1000;
        key.set(i, near[i].length ? total / near[i].length : place[i] + 0.5);
      }
      row.sort((a, b) => key.get(a) - key.get(b));
      row.forEach((i, k) => { place[i] = k; });
    }
  }
}

function spread(wish, weight, width, gap) {
  const offset = [0], blocks = [], out = [];
  for (let i = 1; i < width.length; i++) offset.push(offset[i - 1] + (width[i - 1] + width[i]) / 2 + gap);
  for (let i = 0; i < wish.length; i++) {
    let place = wish[i] - offset[i], heavy = weight[i], count = 1;
    while (blocks.length && blocks[blocks.length - 1][0] > place) {
      const [before, h, c] = blocks.pop();
      place = (before * h + place * heavy) / (h + heavy);
      heavy += h;
      count += c;
    }
    blocks.push([place, heavy, count]);
  }
  for (const [place, , count] of blocks) for (let i = 0; i < count; i++) out.push(place);
  return out.map((x, i) => x + offset[i]);
}

function columns(rows, up, down, width, gap) {
  const x = new Array(width.length).fill(0);
  for (const row of rows) {
    let at = 0;
    for (const i of row) { x[i] = at + width[i] / 2; at += width[i] + gap; }
  }
  for (let turn = 0; turn < TURNS; turn++) {
    for (const row of turn % 2 === 0 ? rows : rows.slice().reverse()) {
      const wish = [], weight = [];
      for (const i of row) {
        let total = 0, heavy = 0;
        const sides = turn >= TURNS - 4 ? [up[i], down[i]] : turn % 2 === 0 ? [up[i]] : [down[i]];
        for (const side of sides) for (const [j, there, here, stiff] of side) {
          total += stiff * (x[j] + there - here);
          heavy += stiff;
        }
        wish.push(heavy ? total / heavy : x[i]);
        weight.push(heavy || 0.1);
      }
      spread(wish, weight, row.map((i) => width[i]), gap).forEach((place, k) => { x[row[k]] = place; });
    }
  }
  return x;
}

// a wire that passes several rows runs straight as far as the boxes beside it allow
function straighten(trunks, rows, x, width, gap) {
  const left = new Array(x.length).fill(-1), right = new Array(x.length).fill(-1);
  for (const row of rows) row.forEach((i, k) => { if (k) { left[i] = row[k - 1]; right[row[k - 1]] = i; } });
  for (const trunk of trunks) {
    let start = 0;
    while (start < trunk.length) {
      let low = -Infinity, high = Infinity, sum = 0, end = start;
      for (; end < trunk.length; end++) {
        const i = trunk[end], a = left[i], b = right[i];
        const lo = Math.max(low, a < 0 ? -Infinity : x[a] + (width[a] + width[i]) / 2 + gap);
        const hi = Math.min(high, b < 0 ? Infinity : x[b] - (width[b] + width[i]) / 2 - gap);
        if (lo > hi && end > start) break;
        [low, high] = [lo, hi];
        sum += x[i];
      }
      if (low <= high) {
        const at = Math.min(Math.max(sum / (end - start), low), high);
        for (let k = start; k < end; k++) x[trunk[k]] = at;
      }
      start = end;
    }
  }
}

// halves go to the even neighbour, as in Python
function milli(offset, width) {
  const x = (1000 * offset) / (width + 1), low = Math.floor(x), rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

// the middles of a box and of its gradient box; both meet at the middle of an item without a gradient box
const leaving = (it, w) => it.exits.has(w.value) ? it.exits.get(w.value) : it.centres[w.side];
const entering = (it, w) => it.entries.has(w.value) ? it.entries.get(w.value) : it.centres[w.side];

function placeLevel(items, wires) {
  const n = items.length, first = new Set(), last = new Set();
  items.forEach((it, i) => { if (it.kind === "in") first.add(i); if (it.kind === "out") last.add(i); });
  const known = new Set(), pairs = [];
  for (const w of wires) {
    const key = w.src * n + w.dst;
    if (!known.has(key)) { known.add(key); pairs.push([w.src, w.dst]); }
  }
  pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const rank = ranks(n, pairs, first, last), rows = lists(largest(rank, -1) + 1);
  for (let i = 0; i < n; i++) rows[rank[i]].push(i);

  const across = items.map((it) => it.across), along = items.map((it) => it.along), level = rank.slice();
  const trunk = new Map(), chains = [];
  for (const w of wires) {
    const key = w.src + " " + w.value;
    if (!trunk.has(key)) trunk.set(key, []);
    const thin = trunk.get(key);
    for (let r = rank[w.src] + 1 + thin.length; r < rank[w.dst]; r++) {
      thin.push(across.length);
      rows[r].push(across.length);
      across.push(WIRE);
      along.push(0);
      level.push(r);
    }
    chains.push([w.src, ...thin.slice(0, Math.max(rank[w.dst] - rank[w.src] - 1, 0)), w.dst]);
  }

  const total = across.length, up = lists(total), down = lists(total), nearUp = lists(total), nearDown = lists(total);
  const seen = new Set();
  wires.forEach((w, k) => {
    const chain = chains[k];
    for (let j = 1; j < chain.length; j++) {
      const a = chain[j - 1], b = chain[j], key = a + " " + b + " " + w.value;
      if (seen.has(key) || level[b] <= level[a]) continue;
      seen.add(key);
      const out = a < n ? leaving(items[a], w) : 0, into = b < n ? entering(items[b], w) : 0;
      const stiff = a >= n && b >= n ? STIFF : a >= n || b >= n ? 2 : 1;
      down[a].push([b, into, out, stiff]);
      up[b].push([a, out, into, stiff]);
      nearDown[a].push([b, milli(into, across[b])]);
      nearUp[b].push([a, milli(out, across[a])]);
    }
  });
  sweep(rows, nearUp, nearDown);
  const x = columns(rows, up, down, across, GAP);
  straighten([...trunk.values()], rows, x, across, WIRE);

  let low = total ? Infinity : 0, high = total ? -Infinity : 0, y = 0;
  for (let i = 0; i < total; i++) { low = Math.min(low, x[i] - across[i] / 2); high = Math.max(high, x[i] + across[i] / 2); }
  const top = [], bottom = [];
  rows.forEach((row, r) => {
    if (r) {
      const ports = rows[r - 1].every((i) => i < n && items[i].kind === "in") || row.every((i) => i < n && items[i].kind === "out");
      let reach = 0;
      for (const i of row) for (const [j, there, here] of up[i]) reach = Math.max(reach, Math.abs(x[i] + here - x[j] - there));
      y += (ports ? PORT_ROW : ROW) + Math.min(reach * 0.06, 36);
    }
    top.push(y);
    y += largest(row.map((i) => along[i]), 0);
    bottom.push(y);
  });
  const centre = level.map((r) => (top[r] + bottom[r]) / 2);
  const strokes = route(items, wires, chains, x, centre, level, top, bottom);
  return { across: x.slice(0, n), along: centre.slice(0, n), strokes, low, high, length: y };
}

function route(items, wires, chains, x, centre, level, top, bottom) {
  const n = items.length, arrivals = new Map(), slot = new Map(), drawn = new Set(), strokes = [];
  wires.forEach((w, k) => {
    if (items[w.dst].kind !== "box") return;
    const before = chains[k][chains[k].length - 2];
    const key = 2 * w.dst + w.side;
    if (!arrivals.has(key)) arrivals.set(key, []);
    arrivals.get(key).push([x[before] + (before < n ? leaving(items[before], w) : 0), k]);
  });
  for (const [key, coming] of arrivals) {
    coming.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const side = key % 2, it = items[(key - side) / 2];
    const step = Math.min(SLOT, ((it.halves[side] || it.across) - 12) / Math.max(coming.length - 1, 1));
    coming.forEach(([, k], j) => slot.set(k, it.centres[side] + (j - (coming.length - 1) / 2) * step));
  }
  wires.forEach((w, k) => {
    const chain = chains[k], line = [];
    let start = 0;
    for (let j = 1; j < chain.length - 1; j++) if (drawn.has(chain[j] + " " + w.value)) start = j;
    for (let j = start; j < chain.length; j++) {
      const i = chain[j], r = level[i], it = items[i];
      if (j === 0) line.push([x[i] + leaving(it, w), centre[i] + it.along / 2, bottom[r]]);
      else if (j === chain.length - 1) {
        line.push([x[i] + (slot.has(k) ? slot.get(k) : entering(it, w)), top[r], centre[i] - it.along / 2]);
      } else {
        drawn.add(i + " " + w.value);
        line.push([x[i], j === start ? bottom[r] : top[r], bottom[r]]);
      }
    }
    strokes.push(line);
  });
  return strokes;
}

// scene: items (Map group -> [[kind, id]]), parent (Map id -> group), links, twins (Map id -> its gradient box);
// size(id, arguments) -> [w, h]; titleWidth(group) -> number
function levels(scene) {
  const items = new Map(), index = new Map(), wires = new Map(), kindOf = new Map(), chain = new Map([["", []]]);
  for (const [group, inside] of scene.items) {
    index.set(group, new Map());
    items.set(group, []);
    wires.set(group, new Map());
    for (const [kind, id] of inside) {
      kindOf.set(id, kind);
      index.get(group).set(kind + " " + id, items.get(group).length);
      items.get(group).push(item(kind === "group" && scene.items.has(id) ? "group" : "box", id));
    }
    if (group) chain.set(group, [...chain.get(scene.parent.get(group)), group]);
  }
  const at = (group, kind, key) => {
    const known = index.get(group), name = kind + " " + key;
    if (!known.has(name)) { known.set(name, items.get(group).length); items.get(group).push(item(kind, key)); }
    return known.get(name);
  };
  const wire = (group, src, dst, value, arg, link) => {
    const key = src + " " + dst + " " + arg + " " + value;
    if (!wires.get(group).has(key)) wires.get(group).set(key, { src, dst, value, link, side: scene.links[link].style === "grad" ? 1 : 0 });
  };
  scene.links.forEach((link, k) => {
    const a = chain.get(scene.parent.get(link.src)), b = chain.get(scene.parent.get(link.dst)), value = link.origin;
    let common = 0;
    while (common < Math.min(a.length, b.length) && a[common] === b[common]) common++;
    let here = [kindOf.get(link.src), link.src], there = [kindOf.get(link.dst), link.dst], arg = link.arg;
    for (const group of a.slice(common).reverse()) {
      wire(group, at(group, ...here), at(group, "out", value), value, -2, k);
      here = ["group", group];
    }
    for (const group of b.slice(common).reverse()) {
      wire(group, at(group, "in", value), at(group, ...there), value, arg, k);
      there = ["group", group];
      arg = -2;
    }
    const shared = common ? a[common - 1] : "";
    wire(shared, at(shared, ...here), at(shared, ...there), value, arg, k);
  });
  return [items, wires];
}

const item = (kind, key) => ({ kind, key, across: 0, along: 0, entries: new Map(), exits: new Map(), centres: [0, 0], halves: [0, 0] });

function place(scene, size, titleWidth, rankdir) {
  const sideways = rankdir === "LR" || rankdir === "RL", backwards = rankdir === "BT" || rankdir === "RL";
  const [items, wires] = levels(scene), inside = new Map(), groups = [...scene.items.keys()];
  const sized = (id, coming) => { const [w, h] = size(id, coming); return sideways ? [h, w] : [w, h]; };
  let apart = 0;
  for (const [id, twin] of scene.twins) apart = Math.max(apart, (sized(id, 0)[0] + sized(twin.id, 0)[0]) / 2);
  apart += TIE;
  for (const group of groups.slice().reverse()) {
    const ws = [...wires.get(group).values()];
    inside.set(group, one(group, items.get(group), ws, inside, sized, titleWidth, sideways, backwards, scene.twins, apart));
  }
  const picture = { w: inside.get("").across, h: inside.get("").along, boxes: [], frames: [], paths: [], ties: [], sideways };
  const corner = new Map([["", [0, 0]]]);
  for (const group of groups) {
    const here = inside.get(group), [x, y] = corner.get(group);
    if (group) picture.frames.push({ id: group, x, y, w: here.across, h: here.along });
    here.items.forEach((it, i) => {
      const left = x + here.placed.across[i] + here.shift - it.across / 2;
      const top = y + here.placed.along[i] + here.start - it.along / 2;
      if (it.kind === "group") corner.set(it.key, [left, top]);
      else if (it.kind === "box" && !scene.twins.has(it.key)) picture.boxes.push({ id: it.key, x: left, y: top, w: it.across, h: it.along });
      else if (it.kind === "box") {
        const twin = scene.twins.get(it.key), middle = left + it.across / 2, [one, two] = it.centres, [a, b] = it.halves;
        picture.boxes.push({ id: it.key, x: middle + one - a / 2, y: top, w: a, h: it.along });
        picture.boxes.push({ id: twin.id, x: middle + two - b / 2, y: top, w: b, h: it.along });
        if (twin.uses) picture.ties.push([middle + one + a / 2, middle + two - b / 2, top + it.along / 2]);
      }
    });
    here.wires.forEach((w, k) => {
      const moved = here.placed.strokes[k].map(([s, p, q]) => [x + s + here.shift, y + p + here.start, y + q + here.start]);
      const whole = here.placed.strokes[k][0][1] === here.placed.along[w.src];
      if (here.items[w.src].kind === "in" && whole) moved[0][1] = y;
      if (here.items[w.dst].kind === "out") moved[moved.length - 1][2] = y + here.along;
      if (w.side) {
        const begins = here.items[w.src].kind === "box" && here.placed.strokes[k][0][1] > here.placed.along[w.src];
        picture.paths.push({ strokes: moved.reverse().map(([s, p, q]) => [s, q, p]), arrow: begins, link: w.link, left: false });
        return;
      }
      const left = moved[moved.length - 1][0] < x + here.placed.across[w.dst] + here.shift + here.items[w.dst].centres[0] - 0.1;
      picture.paths.push({ strokes: moved, arrow: here.items[w.dst].kind === "box", link: w.link, left });
    });
  }
  if (backwards) {
    for (const r of [...picture.boxes, ...picture.frames]) r.y = picture.h - r.y - r.h;
    for (const p of picture.paths) p.strokes = p.strokes.map(([x, a, b]) => [x, picture.h - a, picture.h - b]);
    picture.ties = picture.ties.map(([a, b, y]) => [a, b, picture.h - y]);
  }
  if (sideways) {
    [picture.w, picture.h] = [picture.h, picture.w];
    for (const r of [...picture.boxes, ...picture.frames]) [r.x, r.y, r.w, r.h] = [r.y, r.x, r.h, r.w];
  }
  return picture;
}

function one(group, items, wires, inside, sized, titleWidth, sideways, backwards, twins, apart) {
  const coming = new Map();
  for (const w of wires) coming.set(w.dst, (coming.get(w.dst) || 0) + 1 - w.side);
  items.forEach((it, i) => {
    if (it.kind === "box") {
      [it.across, it.along] = sized(it.key, coming.get(i) || 0);
      const twin = twins.get(it.key);
      if (twin) {
        const [wide, high] = sized(twin.id, 0);
        it.halves = [it.across, wide];
        it.centres = [-apart / 2, apart / 2];
        it.across = apart + Math.max(it.across, wide);
        it.along = Math.max(it.along, high);
      }
    } else if (it.kind === "group") {
      const frame = inside.get(it.key);
      it.across = frame.across;
      it.along = frame.along;
      frame.items.forEach((p, j) => {
        const at = frame.placed.across[j] + frame.shift - frame.across / 2;
        if (p.kind === "in") it.entries.set(p.key, at);
        if (p.kind === "out") it.exits.set(p.key, at);
      });
    } else it.across = 6;
  });
  const placed = placeLevel(items, wires);
  let { low, high, length } = placed;
  const made = (across, along, shift, start) => ({ items, wires, placed, across, along, shift, start });
  if (!group) return made(high - low + 2 * MARGIN, length + 2 * MARGIN, MARGIN - low, MARGIN);
  const title = titleWidth(group) + 24;
  const before = items.some((it) => it.kind === "in"), after = items.some((it) => it.kind === "out");
  if (sideways) {
    const start = before ? 0 : PAD, end = after ? 0 : PAD;
    return made(high - low + 2 * PAD + BAND - 4, Math.max(start + length + end, title), PAD + BAND - 4 - low, start);
  }
  const ports = placed.across.filter((_, i) => items[i].kind === (backwards ? "out" : "in"));
  if (ports.length) low = Math.min(low, smallest(ports, Infinity) + PAD - title);
  high = Math.max(high, low + title - 2 * PAD);
  const [start, end] = backwards ? [before ? 0 : PAD, BAND] : [BAND, after ? 0 : PAD];
  return made(high - low + 2 * PAD, start + length + end, PAD - low, start);
}
