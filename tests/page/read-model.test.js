import assert from "node:assert/strict";
import { test } from "node:test";

import { KINDS, Reading, curlCommand, optionsIn, partsOf, patternOf, sorted, stateOf, worth } from "../../src/holmdel/server/page/read/model.js";

const usual = { pattern: "digits", lines: false, maxError: 0.01 };

test("a pattern is a kind and a text of its own", () => {
  assert.deepEqual(partsOf("us-zip"), { kind: "us-zip", own: "" });
  assert.deepEqual(partsOf("digits:3-6"), { kind: "digits:N", own: "3-6" });
  assert.deepEqual(partsOf("\\d{2}"), { kind: "expression", own: "\\d{2}" });
  for (const pattern of ["digits", "us-zip", "digits:5", "\\d{2}"]) {
    const { kind, own } = partsOf(pattern);
    assert.equal(patternOf(kind, own), pattern);
  }
});

test("every kind comes back from its pattern", () => {
  for (const kind of KINDS) assert.equal(partsOf(patternOf(kind, "")).kind, kind);
  assert.deepEqual(partsOf("luhn:13-19"), { kind: "luhn:N", own: "13-19" });
  assert.deepEqual(partsOf("iban:AT"), { kind: "iban:CC", own: "AT" });
  assert.equal(patternOf(...Object.values(partsOf("isbn:10"))), "isbn:10");
});

test("a line is worth an amount, a day, one of two days, or a code", () => {
  assert.equal(worth({ cents: 123450, decimal: true }, "or"), "1234.50");
  assert.equal(worth({ date: "2008-08-24" }, "or"), "2008-08-24");
  assert.equal(worth({ dates: ["2026-03-09", "2026-09-03"] }, "or"), "2026-03-09 or 2026-09-03");
  assert.equal(worth({ code: "12-34" }, "or"), "12-34");
  assert.equal(worth(null, "or"), "");
});

test("a template and its reference go with every image, once both are there", async () => {
  const file = (name, type) => new File(["x"], name, { type });
  const given = [file("form-reference.png", "image/png"), file("form.toml", "")];
  assert.deepEqual(Object.keys(sorted([...given, file("codes.txt", "text/plain")])), ["reference", "template", "codes"]);
  const asked = [];
  const api = { form: async (path, query, files) => asked.push([query, Object.keys(files)]) && { lines: [] } };
  const reading = new Reading();
  const options = { ...usual, pattern: "template" };
  reading.take(new Blob(["x"]), "page.png");
  reading.takeBeside(given.slice(0, 1));
  assert.deepEqual(reading.missing(options), ["template"]);
  reading.takeBeside(given.slice(1));
  assert.deepEqual(reading.missing(options), []);
  await reading.read(api, options);
  assert.deepEqual(asked, [[{ pattern: null, lines: null, max_error: 0.01 }, ["file", "template", "reference"]]]);
  const command = curlCommand("page.png", options, "http://localhost:8000", false, reading.beside(options));
  assert.match(command, /-F file=@'page\.png' .*-F template=@'form\.toml' .*-F reference=@'form-reference\.png'/s);
});

test("the URL holds what is not the default", () => {
  assert.deepEqual(stateOf(usual), { "read.pattern": null, "read.lines": null, "read.max_error": null });
  const url = new Map(Object.entries(stateOf({ pattern: "amount", lines: true, maxError: 0.05 })));
  assert.deepEqual(optionsIn(url), { pattern: "amount", lines: true, maxError: 0.05 });
  assert.deepEqual(optionsIn(new Map([["read.max_error", "much"]])), usual);
});

test("the command for a shell quotes the file's name and leaves the token to the shell", () => {
  const command = curlCommand("it's.png", usual, "http://localhost:8000", true);
  assert.match(command, /--data-binary @'it'\\''s\.png'/);
  assert.match(command, /Bearer \$HOLMDEL_TOKEN/);
  assert.match(command, /\/v1\/read\?pattern=digits&lines=false&max_error=0\.01'$/);
});

test("a reading tells of its picture and its answer, and gives up an earlier request", async () => {
  const signals = [];
  const api = {
    image: async (path, query, blob, { signal }) => {
      signals.push(signal);
      return { lines: [{ text: query.pattern }] };
    },
  };
  const reading = new Reading();
  const heard = [];
  reading.on((what) => heard.push(what));
  reading.take(new Blob(["pixels"]), "a.png");
  const first = reading.read(api, usual);
  await reading.read(api, { ...usual, pattern: "amount" });
  await first;
  assert.deepEqual(signals.map((signal) => signal.aborted), [true, false]);
  assert.equal(reading.answers({ ...usual, pattern: "amount" }) || reading.answers(usual), true);
  assert.equal(heard[0], "picture");
  assert.equal(reading.busy, false);
});

test("a page stays in sight while its file is read otherwise, and another file begins at its first", async () => {
  const reading = new Reading();
  const api = { image: async () => [{ lines: [] }, { lines: [] }] };
  reading.take(new Blob(["two pages"]), "two.tif");
  await reading.read(api, { pattern: "digits" });
  reading.go(1);
  await reading.read(api, { pattern: "amount" });
  assert.equal(reading.page, 1);
  reading.take(new Blob(["another"]), "another.tif");
  assert.equal(reading.page, 0);
});
