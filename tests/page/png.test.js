import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, inflateSync } from "node:zlib";

import { decode, fromBase64Url, pngOf, toBase64Url } from "../../src/holmdel/server/page/core/base64.js";
import { png } from "../../src/holmdel/server/page/core/png.js";

/** The chunks of a PNG by name. */
function chunksOf(bytes) {
  const buffer = Buffer.from(bytes);
  const chunks = {};
  for (let at = 8; at < buffer.length; ) {
    const size = buffer.readUInt32BE(at);
    const name = buffer.toString("latin1", at + 4, at + 8);
    chunks[name] = buffer.subarray(at + 8, at + 8 + size);
    if (crc32) assert.equal(buffer.readUInt32BE(at + 8 + size), crc32(buffer.subarray(at + 4, at + 8 + size)));
    at += 12 + size;
  }
  return chunks;
}

test("a grey image is written row by row, each after its filter's number", () => {
  const image = png(Uint8Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3]);
  assert.equal(image.type, "image/png");
  const { IHDR, IDAT } = chunksOf(image);
  assert.deepEqual([IHDR.readUInt32BE(0), IHDR.readUInt32BE(4), IHDR[8], IHDR[9]], [3, 2, 8, 0]);
  assert.deepEqual([...inflateSync(IDAT)], [0, 1, 2, 3, 0, 4, 5, 6]);
});

test("planes of red, green and blue are interleaved", () => {
  const { IDAT } = chunksOf(png(Uint8Array.of(1, 2, 10, 20, 100, 200), [3, 1, 2]));
  assert.deepEqual([...inflateSync(IDAT)], [0, 1, 10, 100, 2, 20, 200]);
});

test("an image of several blocks is whole", () => {
  const planes = Uint8Array.from({ length: 300 * 300 }, (_, i) => i % 251);
  const rows = inflateSync(chunksOf(png(planes, [1, 300, 300])).IDAT);
  assert.deepEqual(rows.subarray(299 * 301 + 1), Buffer.from(planes.subarray(299 * 300)));
});

test("bytes go into a URL and back", () => {
  const bytes = Uint8Array.of(0, 255, 62, 63, 250);
  assert.match(toBase64Url(bytes), /^[\w-]+$/);
  assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
  assert.equal(fromBase64Url("!"), null);
  assert.deepEqual([...decode("AQID")], [1, 2, 3]);
  assert.equal(pngOf("data:image/png;base64,AQID").size, 3);
});
