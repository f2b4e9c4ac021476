/** The frame of an exported network's page: language, theme, and the playground's Draw tab. */

import { decode } from "../../server/page/core/base64.js";
import { mount } from "../../server/page/draw/tab.js";
import { language, languageOf, setLanguage, t } from "../../server/page/core/texts.js";
import { Theme, THEMES } from "../../server/page/core/theme.js";
import { UrlState } from "../../server/page/core/url.js";
import { LocalApi } from "./local-api.js";

/** @returns {HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const textOf = (id) => byId(id).textContent ?? "";

const page = JSON.parse(textOf("network"));
const api = new LocalApi(page, await unpacked(decode(textOf("weights").trim())));
const state = new UrlState();
const theme = new Theme();
let unmount = () => {};

const app = {
  api,
  state,
  theme,
  models: { models: [page.model], default: page.model.name, reader: { available: false, why: null }, version: page.version },
  chosen: () => [page.model],
  refresh: async () => {},
  onModels: () => () => {},
  announce(text) {
    byId("live").textContent = text;
  },
  fail(error) {
    if (error?.name === "AbortError") return;
    byId("error").hidden = !error;
    byId("error-text").textContent = error ? error.message : "";
  },
};

/** Weights as they were: compressed, the first bytes of all before the second ones. @returns {Promise<ArrayBuffer>} */
async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = planes.length / 4;
  return Uint8Array.from(planes, (_, i) => planes[(i % 4) * count + (i >> 2)]).buffer;
}

function show() {
  unmount();
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  byId("language").textContent = t("shell.language");
  byId("theme").textContent = t(`shell.theme.${theme.choice}`);
  const root = document.createElement("div");
  root.className = "tab-draw";
  byId("panel").replaceChildren(root);
  unmount = mount(root, /** @type {any} */ (app));
}

for (const [name, table] of Object.entries(JSON.parse(textOf("texts")))) setLanguage(name, table);
setLanguage(languageOf(state.get("lang") ?? navigator.language));
theme.choose(state.get("theme"));
byId("language").addEventListener("click", () => {
  const other = language() === "zh" ? "en" : "zh";
  state.set({ lang: other });
  setLanguage(other);
  show();
});
byId("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(theme.choice) + 1) % THEMES.length];
  state.set({ theme: next });
  theme.choose(next);
  byId("theme").textContent = t(`shell.theme.${next}`);
});
byId("error-dismiss").addEventListener("click", () => app.fail(null));
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
show();
document.documentElement.classList.add("ready");
