const canvas = document.querySelector('canvas');
const shown = document.querySelector('output');
const paper = canvas.getContext('2d');

const canvasFunctions = {
  fill(from, to, hue, light) {
    paper.fillStyle = `hsl(${hue} 45% ${light}%)`;
    paper.fillRect(0, from, canvas.width, to - from);
  },
  disc(x, y, radius, hue, alpha) {
    paper.fillStyle = `hsl(${hue} 90% 62% / ${alpha})`;
    paper.beginPath();
    paper.arc(x, y, radius, 0, 2 * Math.PI);
    paper.fill();
  },
};

const { instance } = await WebAssembly.instantiateStreaming(fetch('page.wasm'), { canvas: canvasFunctions });
const { release, count, frame } = instance.exports;

const fit = () => {
  canvas.width = innerWidth;
  canvas.height = innerHeight;
};
addEventListener('resize', fit);
fit();
canvas.addEventListener('click', (event) => release(event.clientX, event.clientY));
for (let i = 0; i < 12; i++) release((canvas.width * (i + 0.5)) / 12, canvas.height * (0.3 + 0.4 * ((i * 0.37) % 1)));

let last = performance.now();
const turn = (now) => {
  frame(canvas.height, Math.min(0.1, (now - last) / 1000));
  last = now;
  shown.textContent = count();
  requestAnimationFrame(turn);
};
requestAnimationFrame(turn);
