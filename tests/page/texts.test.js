import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { language, orElse, setLanguage, t } from "../../src/holmdel/server/page/texts.js";

const page = new URL("../../src/holmdel/server/page/", import.meta.url);
const braces = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();

test("a text is in the page's language, its braces filled", () => {
  setLanguage("zh-CN");
  assert.equal(t("shell.train"), "训练");
  setLanguage("fr");
  assert.equal(language(), "en");
  assert.equal(t("api.status", { status: 500 }), "The server answered with status 500.");
  assert.equal(orElse("option.none", "none"), "none");
});

for (const file of readdirSync(page).filter((name) => name.endsWith("-texts.js"))) {
  test(`${file} says in Chinese what it says in English, with the same values`, async () => {
    const { en, zh } = (await import(new URL(file, page))).default;
    for (const [key, text] of Object.entries(en)) assert.equal(braces(zh[key] ?? ""), braces(text), key);
  });
}
