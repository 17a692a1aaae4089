// The map viewer: two layers of a tile side by side, with a handle between them.
// Layers lie in the page as compressed values; they are coloured here, and never read back from
// the screen, so that what stands under the pointer is exact.

const LARGEST_PIXEL = 32; // CSS pixels to a pixel of a layer, at most
const SCALE_BAR = 130; // CSS pixels, at most
const SWIPE_KEYS = {
  ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10,
  Home: -100, End: 100,
};
const PAN_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM_KEYS = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, _: 1 / 1.5 };

const find = (name) => document.getElementById(`viewer-${name}`);
const part = {};
for (const name of ["tile", "left", "right", "map", "canvas", "handle", "values", "legend", "bar"]) {
  part[name] = find(name);
}
const context = part.canvas.getContext("2d");
const { classes, ramp } = JSON.parse(find("colours").textContent);
const tiles = [...document.querySelectorAll("script[data-tile]")];

const state = {
  grid: null, layers: [], left: null, right: null,
  detail: undefined, // grid of the piece of the map that is another view
  swipe: 50, // percent of the map's width that the left layer has
  zoom: 1, // 1 shows the whole map
  centre: [0, 0], // column and row of the grid in the middle of the map
  crossed: false, // a cross marks the middle, for those who move the map by keys
};

// Layers

function rgb(hex) {
  return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
}

function colourOf(kind, value) {
  if (kind === "confidence") return value <= 100 ? rgb(ramp[value]) : null;
  if (value === 0) return null;
  return classes[value] ? classes[value].colour : [128, 128, 128];
}

function paint({ kind, width, height }, values) {
  const table = new Uint8Array(4 * 256); // red, green, blue and alpha of each value
  for (let value = 0; value < 256; value += 1) {
    const colour = colourOf(kind, value);
    if (colour) table.set([...colour, 255], 4 * value);
  }
  const colours = new Uint32Array(table.buffer);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  values.forEach((value, place) => { pixels[place] = colours[value]; });
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

async function unpack(layer, grid) {
  const packed = Uint8Array.from(atob(layer.data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const values = new Uint8Array(await new Response(stream).arrayBuffer());
  const cover = [grid.width, grid.height];
  return { ...layer, values, cover, picture: paint(layer, values), found: new Set(values) };
}

async function loadImage({ name, step, url }) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const { naturalWidth: width, naturalHeight: height } = picture;
  return { name, kind: "image", width, height, picture, cover: [width * step, height * step] };
}

function valueAt(layer, [column, row]) {
  const x = Math.floor((column / state.grid.width) * layer.width);
  const y = Math.floor((row / state.grid.height) * layer.height);
  return layer.values[y * layer.width + x];
}

function hasClasses({ kind }) {
  return kind === "class" || kind === "reference";
}

function describe(layer, place) {
  if (layer.kind === "image") return "";
  const value = valueAt(layer, place);
  if (layer.kind === "confidence") return value <= 100 ? `${value} %` : "no data";
  if (value === 0) return layer.kind === "reference" ? "no polygon" : "no class";
  return classes[value] ? classes[value].name : `code ${value}`;
}

// Where things are on the screen

function size() {
  return [part.map.clientWidth, part.map.clientHeight];
}

function fitted() {
  const [width, height] = size();
  return Math.min(width / state.grid.width, height / state.grid.height);
}

function scale() {
  return fitted() * state.zoom;
}

function corner() {
  return size().map((side, axis) => side / 2 - state.centre[axis] * scale());
}

function placeAt(point) {
  const origin = corner();
  return point.map((value, axis) => (value - origin[axis]) / scale());
}

function inside([column, row]) {
  return column >= 0 && row >= 0 && column < state.grid.width && row < state.grid.height;
}

function pointOf(event) {
  const box = part.map.getBoundingClientRect();
  return [event.clientX - box.left - part.map.clientLeft, event.clientY - box.top - part.map.clientTop];
}

// Moving

function largestZoom() {
  const widest = Math.max(...state.layers.map((layer) => layer.width));
  return Math.max(1, (LARGEST_PIXEL * widest) / state.grid.width / fitted());
}

function moveTo(centre) {
  const whole = [state.grid.width, state.grid.height];
  state.centre = centre.map((value, axis) => {
    const half = size()[axis] / 2 / scale();
    if (2 * half >= whole[axis]) return whole[axis] / 2;
    return Math.min(Math.max(value, half), whole[axis] - half);
  });
  draw();
}

function panBy(offset) {
  moveTo(state.centre.map((value, axis) => value + offset[axis] / scale()));
}

function zoomBy(factor, point = size().map((side) => side / 2)) {
  const before = placeAt(point);
  state.zoom = Math.min(Math.max(state.zoom * factor, 1), largestZoom());
  const middle = size().map((side) => side / 2);
  moveTo(before.map((value, axis) => value + (middle[axis] - point[axis]) / scale()));
}

function swipeTo(percent) {
  state.swipe = Math.min(Math.max(percent, 0), 100);
  draw();
}

// Drawing

function fitCanvas() {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = size().map((side) => Math.round(side * ratio));
  if (part.canvas.width !== width) part.canvas.width = width;
  if (part.canvas.height !== height) part.canvas.height = height;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function drawLayer(layer, from, to) {
  const [x, y] = corner();
  const height = size()[1];
  const right = Math.min(to, x + state.grid.width * scale());
  const bottom = Math.min(height, y + state.grid.height * scale());
  context.save();
  context.beginPath();
  context.rect(Math.max(from, x), Math.max(0, y), right - Math.max(from, x), bottom - Math.max(0, y));
  context.clip();
  const [across, down] = layer.cover.map((side) => side * scale());
  // Classes are never mixed; an image is, where several of its pixels share one of the screen.
  context.imageSmoothingEnabled = layer.kind === "image" && across < layer.width;
  if (right > Math.max(from, x)) context.drawImage(layer.picture, x, y, across, down);
  context.restore();
}

// A line that stands out from any ground.
function stroke(path) {
  for (const [width, colour] of [[4, "#fff"], [1.5, "#000"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke(path);
  }
}

function drawCross() {
  const [x, y] = size().map((side) => side / 2);
  const cross = new Path2D();
  for (const [across, down] of [[10, 0], [0, 10]]) {
    cross.moveTo(x - across, y - down);
    cross.lineTo(x + across, y + down);
  }
  stroke(cross);
}

function drawFrame({ transform, width, height }) {
  const [a, , c, , e, f] = state.grid.transform;
  const [x, y] = corner();
  const [column, row] = [(transform[2] - c) / a, (transform[5] - f) / e];
  const frame = new Path2D();
  frame.rect(x + column * scale(), y + row * scale(), width * scale(), height * scale());
  stroke(frame);
}

function draw() {
  if (!state.grid) return;
  fitCanvas();
  const [width, height] = size();
  context.clearRect(0, 0, width, height);
  const middle = (width * state.swipe) / 100;
  drawLayer(state.left, 0, middle);
  drawLayer(state.right, middle, width);
  if (state.detail) drawFrame(state.detail);
  if (state.crossed) drawCross();
  placeHandle();
  placeScaleBar();
  part.map.classList.toggle("zoomed", state.zoom > 1);
  part.map.dataset.zoom = state.zoom.toFixed(3);
  part.map.style.setProperty("--ratio", width / height); // paper keeps it
}

function placeHandle() {
  const left = Math.round(state.swipe);
  part.handle.style.left = `${state.swipe}%`;
  part.handle.setAttribute("aria-valuenow", left);
  part.handle.setAttribute(
    "aria-valuetext", `${left} % ${state.left.name}, ${100 - left} % ${state.right.name}`,
  );
}

function roundLength(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  return power * [5, 2, 1].find((factor) => factor * power <= length);
}

function placeScaleBar() {
  const metres = state.grid.transform[0] / scale(); // to a CSS pixel
  const length = roundLength(SCALE_BAR * metres);
  part.bar.style.width = `${(100 * length) / metres / size()[0]}%`;
  part.bar.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
}

// What is told

function coordinates([column, row]) {
  const [a, , c, , e, f] = state.grid.transform;
  const whole = (value) => Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
  return `x ${whole(c + a * column)}, y ${whole(f + e * row)} (${state.grid.crs})`;
}

function tell(place) {
  if (!inside(place)) return;
  const told = [...new Set([state.left, state.right])]
    .map((layer) => [layer.name, describe(layer, place)])
    .filter(([, value]) => value);
  const items = told.map(([name, value]) => element("span", {}, [`${name}: `, element("b", {}, [value])]));
  const where = element("span", { className: "muted" }, [coordinates(place)]);
  part.values.replaceChildren(...items, where);
}

function element(name, properties, children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function classItems(shown) {
  const found = new Set(shown.filter(hasClasses).flatMap((one) => [...one.found]));
  return Object.entries(classes)
    .filter(([code]) => found.has(Number(code)))
    .map(([, { name, colour }]) => {
      const swatch = element("span", { className: "swatch" }, []);
      swatch.style.background = `rgb(${colour.join()})`;
      return element("li", {}, [swatch, name]);
    });
}

function rampItem() {
  const bar = element("span", { className: "ramp" }, []);
  bar.style.background = `linear-gradient(to right, ${ramp.join()})`;
  return element("li", { className: "confidence" }, ["confidence, %", element("span", { className: "ticks" }, ["0", bar, "100"])]);
}

function showLegend() {
  const shown = [state.left, state.right];
  const sure = shown.some(({ kind }) => kind === "confidence") ? [rampItem()] : [];
  part.legend.replaceChildren(...classItems(shown), ...sure);
}

function nameSides() {
  find("left-name").textContent = state.left.name;
  find("right-name").textContent = state.right.name;
  part.map.setAttribute(
    "aria-label",
    `Map of tile ${part.tile.value}: on the left ${state.left.name}, on the right ${state.right.name}`,
  );
}

// Choosing

function showSides() {
  state.left = state.layers[part.left.selectedIndex];
  state.right = state.layers[part.right.selectedIndex];
  nameSides();
  showLegend();
  draw();
}

function offer(select, preferred) {
  const before = select.options.length ? select.value : "";
  const names = state.layers.map(({ name }) => name);
  const keys = state.layers.map(({ kind }, place) => (kind === "image" ? "image" : names[place]));
  select.replaceChildren(...names.map((name, place) => new Option(name, keys[place])));
  select.selectedIndex = keys.includes(before) ? keys.indexOf(before) : preferred;
}

async function showTile() {
  const chosen = part.tile.selectedIndex;
  const { grid, image, layers, detail } = JSON.parse(tiles[chosen].textContent);
  const loaded = await Promise.all([loadImage(image), ...layers.map((layer) => unpack(layer, grid))]);
  if (chosen !== part.tile.selectedIndex) return;
  const centre = [grid.width / 2, grid.height / 2];
  Object.assign(state, { grid, detail, layers: loaded, zoom: 1, centre });
  part.values.replaceChildren();
  offer(part.left, 0);
  offer(part.right, 1);
  showSides();
  find("whole").dataset.shown = part.tile.value;
}

function stepTile(step) {
  const count = part.tile.options.length;
  part.tile.selectedIndex = (part.tile.selectedIndex + step + count) % count;
  showTile();
}

// What a reader does

function onSwipeKey(event) {
  const step = SWIPE_KEYS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  swipeTo(Math.round(state.swipe) + step);
}

function onMapKey(event) {
  const [pan, zoom] = [PAN_KEYS[event.key], ZOOM_KEYS[event.key]];
  if (event.target !== part.map || event.ctrlKey || event.metaKey || !(pan || zoom)) return;
  event.preventDefault();
  state.crossed = true;
  if (pan) panBy(pan.map((direction) => 40 * direction));
  if (zoom) zoomBy(zoom);
  tell(state.centre);
}

function onWheel(event) {
  const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002));
  // At either end the page scrolls on.
  if (factor < 1 ? state.zoom <= 1 : state.zoom >= largestZoom()) return;
  event.preventDefault();
  zoomBy(factor, pointOf(event));
}

const pointers = new Map();

function spread() {
  const [one, other] = [...pointers.values()];
  return {
    middle: one.map((value, axis) => (value + other[axis]) / 2),
    distance: Math.hypot(one[0] - other[0], one[1] - other[1]),
  };
}

function onPointerDown(event) {
  pointers.set(event.pointerId, pointOf(event));
  part.canvas.setPointerCapture(event.pointerId);
}

function onPointerMove(event) {
  const point = pointOf(event);
  const before = pointers.get(event.pointerId);
  if (before && pointers.size === 1) panBy(before.map((value, axis) => value - point[axis]));
  if (before && pointers.size === 2) pinch(event.pointerId, point);
  if (before) pointers.set(event.pointerId, point);
}

function onPointerOver(event) {
  state.crossed = false;
  tell(placeAt(pointOf(event)));
}

function pinch(pointer, point) {
  const before = spread();
  pointers.set(pointer, point);
  const after = spread();
  panBy(before.middle.map((value, axis) => value - after.middle[axis]));
  if (before.distance > 0) zoomBy(after.distance / before.distance, after.middle);
}

function onPointerUp(event) {
  pointers.delete(event.pointerId);
}

function onHandleMove(event) {
  if (!part.handle.hasPointerCapture(event.pointerId)) return;
  swipeTo((100 * pointOf(event)[0]) / size()[0]);
}

function listenToMap() {
  const { canvas, map } = part;
  map.addEventListener("keydown", onMapKey);
  for (const move of ["pointermove", "pointerdown"]) map.addEventListener(move, onPointerOver);
  canvas.addEventListener("wheel", onWheel, { passive: false });
  canvas.addEventListener("pointerdown", onPointerDown);
  canvas.addEventListener("pointermove", onPointerMove);
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, onPointerUp);
  canvas.addEventListener("dblclick", (event) => zoomBy(event.shiftKey ? 0.5 : 2, pointOf(event)));
  map.addEventListener("blur", () => { state.crossed = false; draw(); });
  new ResizeObserver(() => state.grid && moveTo(state.centre)).observe(map);
}

function listenToHandle() {
  const { handle } = part;
  handle.addEventListener("keydown", onSwipeKey);
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus();
  });
  handle.addEventListener("pointermove", onHandleMove);
}

function listenToControls() {
  part.tile.addEventListener("change", showTile);
  for (const select of [part.left, part.right]) select.addEventListener("change", showSides);
  find("before").addEventListener("click", () => stepTile(-1));
  find("after").addEventListener("click", () => stepTile(1));
  find("closer").addEventListener("click", () => zoomBy(1.5));
  find("farther").addEventListener("click", () => zoomBy(1 / 1.5));
  find("fit").addEventListener("click", () => zoomBy(0));
}

function start() {
  find("whole").hidden = false;
  find("missing").hidden = true;
  listenToMap();
  listenToHandle();
  listenToControls();
  showTile();
}

if ("DecompressionStream" in window && "OffscreenCanvas" in window) start();
