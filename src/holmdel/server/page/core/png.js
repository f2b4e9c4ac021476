/** Pixels as an uncompressed PNG: sooner than a canvas encodes one, the same bytes everywhere. */

/** @import { Png } from "../types.d.ts" */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

const RUN = 3800; // bytes whose sums stay below 2^31 before they are taken modulo 65521

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return ~value >>> 0;
}

function adler(bytes) {
  let low = 1;
  let high = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + RUN);
    for (; at < end; at++) {
      low += bytes[at];
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return ((high << 16) | low) >>> 0;
}

function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(
    [...name].map((letter) => letter.charCodeAt(0)),
    4,
  );
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

/** Wraps bytes as a zlib stream of stored blocks: no compression, no time. */
function stored(bytes) {
  const most = 65535;
  const parts = [Uint8Array.of(0x78, 0x01)];
  for (let at = 0; at < bytes.length; at += most) {
    const part = bytes.subarray(at, at + most);
    const [size, last] = [part.length, at + most >= bytes.length ? 1 : 0];
    parts.push(Uint8Array.of(last, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255), part);
  }
  const end = new Uint8Array(4);
  new DataView(end.buffer).setUint32(0, adler(bytes));
  return joined([...parts, end]);
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Returns a PNG of 8 bits a channel.
 * @param {Uint8Array<ArrayBuffer>} planes (C, H, W), C 1 for grey or 3 for red, green, blue
 * @param {number[]} shape [C, H, W]
 * @returns {Png} with `type`, as a Blob has: bytes reach the server sooner than a Blob
 */
export function png(planes, [channels, height, width]) {
  const colours = channels === 3 ? 3 : 1;
  const rows = new Uint8Array(height * (1 + width * colours));
  for (let row = 0, at = 0; row < height; row++) {
    at++; // the row's filter: none
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < colours; c++) rows[at++] = planes[(c * height + row) * width + column];
    }
  }
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, colours === 3 ? 2 : 0], 8);
  const parts = [chunk("IHDR", head), chunk("IDAT", stored(rows)), chunk("IEND", new Uint8Array())];
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  return Object.assign(joined([signature, ...parts]), { type: "image/png" });
}
