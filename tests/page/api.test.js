import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { Api, address } from "../../src/holmdel/server/page/core/api.js";
import { setLanguage } from "../../src/holmdel/server/page/core/texts.js";

const texts = new URL("../../src/holmdel/server/page/en.json", import.meta.url);
setLanguage("en", JSON.parse(readFileSync(texts, "utf8")));

let server;
let origin;

before(async () => {
  const kept = new Map(); // what the browser gives: a place for the token
  globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  server = createServer((request, response) => {
    if (request.headers.authorization !== "Bearer secret") return response.writeHead(401).end("{}");
    if (request.url === "/gone") return response.writeHead(404).end('{"error": "there is none"}');
    if (request.url === "/events") return response.end('data: {"id": 1}\r\n\r\ndata: {"id": 2}\n\n');
    if (request.method === "DELETE") return response.writeHead(204).end();
    return response.end(JSON.stringify({ url: request.url, type: request.headers["content-type"] ?? null }));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

test("parameters that are null are left out", () => {
  assert.equal(address("/v1/unit", { model: "lenet", class: null, maps: 16 }), "/v1/unit?model=lenet&maps=16");
  assert.equal(address("/v1/models", {}), "/v1/models");
});

test("a server that wants a token gets it from the user, asked once for all requests", async () => {
  let asked = 0;
  const api = new Api(async (again) => {
    assert.equal(again, false);
    asked++;
    return "secret";
  });
  const answers = await Promise.all([api.get(`${origin}/a`), api.get(`${origin}/b`, { n: 1 })]);
  assert.deepEqual(answers.map((answer) => answer.url), ["/a", "/b?n=1"]);
  assert.equal(asked, 1);
});

test("an image is sent with its type", async () => {
  const api = new Api();
  const image = new Blob(["pixels"], { type: "image/png" });
  assert.equal((await api.image(`${origin}/v1/read`, {}, image)).type, "image/png");
  assert.equal(await api.remove(`${origin}/x`), null);
});

test("a refusal is an error with the server's sentence", async () => {
  await assert.rejects(new Api().get(`${origin}/gone`), { message: "there is none", status: 404 });
});

test("without a server the error says that it cannot be reached", async () => {
  await assert.rejects(new Api().get("http://127.0.0.1:1/"), { message: /cannot be reached/, status: 0 });
});

test("events come as JSON until the server ends them", async () => {
  const heard = [];
  const end = await new Promise((done) => new Api().events(`${origin}/events`, (state) => heard.push(state.id), done));
  assert.deepEqual([heard, end], [[1, 2], null]);
});
