import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

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
