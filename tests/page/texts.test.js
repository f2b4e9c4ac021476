import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { told } from "../../src/holmdel/server/page/core/errors.js";
import { language, orElse, setLanguage, t } from "../../src/holmdel/server/page/core/texts.js";

const page = new URL("../../src/holmdel/server/page/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, page), "utf8"));
const [en, zh] = [read("en"), read("zh")];
const braces = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();

test("a text is in the page's language, its braces filled", () => {
  setLanguage("zh-CN", zh);
  assert.equal(t("shell.train"), "训练");
  setLanguage("fr", en);
  assert.equal(language(), "en");
  assert.equal(t("api.status", { status: 500 }), "The server answered with status 500.");
  assert.equal(orElse("option.none", "none"), "none");
});

test("Chinese says all that English says, with the same values", () => {
  for (const [key, text] of Object.entries(en)) {
    assert.ok(zh[key], `${key} is not said in Chinese`);
    assert.equal(braces(zh[key]), braces(text), key);
  }
});

test("what the server says of files beside an image is Chinese on the Chinese page", () => {
  setLanguage("zh", zh);
  for (const sentence of [
    "the image matches 12 % of the form claim.toml, and at least 50 % are needed",
    "line 3 of codes is '1x'; expected 1 to 100 digits, which marks may part",
    "pattern '\\d{' cannot be read: it ends early; expected digits, digits:5",
    "claim-reference.png is not the reference that template.toml was written with",
    "pattern 'list:a.txt' of the template names a file of the server, which requests cannot read",
  ]) assert.match(told(sentence), /[\u4e00-\u9fff]{4}.*[\u4e00-\u9fff]\u3002$/, sentence);
  setLanguage("en");
});
