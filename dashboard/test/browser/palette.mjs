// PNG with a palette of up to 256 colours: half the bytes of a screenshot, and no difference that eyes see.
import { deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** @param {Buffer} png 8 bits per channel, RGB or RGBA, not interlaced: what Chromium writes. */
export function palette(png) {
  const { width, height, channels, pixels } = decode(png);
  const counts = new Map();
  for (let i = 0; i < pixels.length; i += channels) {
    const colour = (pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const colours = chosen(counts);
  const index = new Map();
  const nearest = (colour) => {
    let found = index.get(colour);
    if (found !== undefined) return found;
    let least = Infinity;
    for (let k = 0; k < colours.length; k++) {
      const [r, g, b] = [(colours[k] >> 16) - (colour >> 16), ((colours[k] >> 8) & 255) - ((colour >> 8) & 255), (colours[k] & 255) - (colour & 255)];
      const distance = 2 * r * r + 4 * g * g + 3 * b * b;
      if (distance < least) [least, found] = [distance, k];
    }
    index.set(colour, found);
    return found;
  };
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += channels) rows[y * (width + 1) + 1 + x] = nearest((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('PLTE', Buffer.from(colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]))), chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

/** The commonest colours that are not alike: what text and lines are blended from comes before their blends. */
function chosen(counts) {
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  if (sorted.length <= 256) return sorted;
  for (let apart = 2; ; apart++) {
    const kept = [];
    const cells = new Set();
    for (const colour of sorted) {
      const cell = [colour >> 16, (colour >> 8) & 255, colour & 255].map((v) => Math.round(v / apart)).join();
      if (cells.has(cell)) continue;
      cells.add(cell);
      kept.push(colour);
    }
    if (kept.length <= 256 || apart > 12) return kept.slice(0, 256);
  }
}

function decode(png) {
  let [at, width, height, channels] = [8, 0, 0, 0];
  const data = [];
  while (at < png.length) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') [width, height, channels] = [body.readUInt32BE(0), body.readUInt32BE(4), body[9] === 6 ? 4 : 3];
    if (type === 'IDAT') data.push(body);
    at += length + 12;
  }
  const packed = inflateSync(Buffer.concat(data));
  const line = width * channels;
  const pixels = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const here = y * line + x;
      const [left, up, corner] = [x >= channels ? pixels[here - channels] : 0, y > 0 ? pixels[here - line] : 0, x >= channels && y > 0 ? pixels[here - line - channels] : 0];
      const guess = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : filter === 4 ? paeth(left, up, corner) : 0;
      pixels[here] = packed[y * (line + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, pixels };
}

function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(type, body) {
  const whole = Buffer.alloc(body.length + 12);
  whole.writeUInt32BE(body.length, 0);
  whole.write(type, 4, 'latin1');
  body.copy(whole, 8);
  whole.writeUInt32BE(crc(whole.subarray(4, body.length + 8)), body.length + 8);
  return whole;
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}
