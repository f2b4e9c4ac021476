/** The frame of the page: tabs, models, language, theme; it mounts one tab at a time. */

import { Api, keepToken, token } from "./core/api.js";
import { button, element } from "./core/elements.js";
import { language, loadTexts, setLanguage, t } from "./core/texts.js";
import { mount as mountDraw } from "./draw/tab.js";
import { Theme, THEMES } from "./core/theme.js";
import { UrlState } from "./core/url.js";

/** @import { App, Model, Models } from "./types.d.ts" */

const MODELS_OF = { draw: 2, train: 0, anatomy: 0, read: 0 }; // how many a tab looks at
const TABS = Object.keys(MODELS_OF);
const SOURCES = ["folder", "training", "shipped"];
/** @type {Models} */
const NONE = { models: [], default: null, reader: { available: false, why: null }, version: "" };

/** @returns {HTMLElement} the element of index.html with this id. */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const modelSelect = /** @type {HTMLSelectElement} */ (byId("model"));
const compareSelect = /** @type {HTMLSelectElement} */ (byId("compare"));
const tokenDialog = /** @type {HTMLDialogElement} */ (byId("token-dialog"));
const tokenInput = /** @type {HTMLInputElement} */ (byId("token"));
const state = new UrlState();
const theme = new Theme();
const modelListeners = new Set();
let models = NONE;
let mounted = { tab: "", unmount: () => {} };
let visits = 0;

/** @type {App} */
const app = {
  api: new Api(askToken),
  state,
  chosen,
  refresh,
  announce,
  fail,
  theme,
  get models() {
    return models;
  },
  onModels(callback) {
    modelListeners.add(callback);
    return () => modelListeners.delete(callback);
  },
};

/** @returns {Model[]} those that are chosen, those that the server no longer has left out. */
function chosen() {
  const named = (name) => models.models.find((model) => model.name === name);
  const first = named(state.get("model")) ?? named(models.default);
  const second = named(state.get("compare"));
  return [...new Set([first, second])].filter((model) => model !== undefined);
}

/** Fetches the models anew. */
async function refresh() {
  models = await app.api.get("/v1/models");
  showModels();
  for (const callback of [...modelListeners]) callback();
}

/** Has a screen reader say something. */
function announce(text) {
  byId("live").textContent = "";
  requestAnimationFrame(() => (byId("live").textContent = text));
}

/** Shows what went wrong, until it is dismissed; null takes it away. */
function fail(error) {
  if (error?.name === "AbortError") return;
  byId("error").hidden = !error;
  byId("error-text").textContent = error ? error.message : "";
}

/** Asks the user for the server's token, which the URL may hold. */
function askToken(again) {
  byId("token-why").textContent = t(again ? "token.again" : "token.why");
  tokenInput.value = "";
  tokenDialog.showModal();
  return new Promise((resolve, reject) => {
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      resolve(tokenInput.value.trim());
      tokenDialog.close();
    };
    byId("token-cancel").onclick = () => tokenDialog.close();
    tokenDialog.onclose = () => reject(new Error(t("token.none"))); // after resolve it does nothing
  });
}

function takeToken() {
  const given = state.get("token");
  if (!given) return;
  keepToken(given);
  state.set({ token: null });
  state.flush();
}

function tabOfState() {
  return TABS.find((tab) => tab === state.get("tab")) ?? TABS[0];
}

/** Asks what models there are, then shows the tab; says so where no answer came. */
async function open() {
  byId("panel").replaceChildren();
  try {
    await refresh();
  } catch (error) {
    const again = button(t("shell.again"), { id: "again", onclick: open });
    byId("panel").replaceChildren(note(error.message), again);
    return;
  }
  await showTab();
}

function note(text) {
  return element("p", { class: "note" }, text);
}

/** Mounts the tab that the URL names. */
async function showTab() {
  const tab = tabOfState();
  const visit = ++visits;
  mounted.unmount();
  mounted = { tab, unmount: () => {} };
  markTab(tab);
  showModels();
  const panel = byId("panel");
  panel.replaceChildren();
  try {
    const mount = await load(tab);
    if (visit !== visits) return; // another was chosen meanwhile
    const root = element("div", { class: `tab-${tab}` });
    panel.replaceChildren(root);
    document.title = `${t(`shell.${tab}`)} \u00b7 Holmdel`;
    mounted = { tab, unmount: mount(root, app) };
  } catch (error) {
    if (visit !== visits) return;
    panel.replaceChildren(note(t("shell.broken", { tab: t(`shell.${tab}`), why: error.message })));
  }
}

/** Returns what mounts a tab; all but the first are loaded when they are wanted. */
async function load(tab) {
  if (tab === "draw") return mountDraw;
  const texts = loadTexts((path) => app.api.get(path), language(), "-later");
  const [module] = await Promise.all([import(`/page/${tab}.js`), loadStyle(tab), texts]);
  return module.mount;
}

function loadStyle(tab) {
  const id = `style-${tab}`;
  if (document.getElementById(id)) return null;
  return new Promise((resolve) => {
    const ended = { onload: resolve, onerror: resolve }; // without its looks a tab is still of use
    const given = { id, rel: "stylesheet", href: `/page/${tab}.css`, ...ended };
    document.head.append(element("link", given));
  });
}

/** Shows the tab, or what came in its way, anew. */
function show() {
  markTab(tabOfState());
  if (models === NONE) open();
  else showTab();
}

function markTab(tab) {
  for (const name of TABS) {
    const button = byId(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
  }
  byId("panel").setAttribute("aria-labelledby", `tab-${tab}`);
  byId("model-field").hidden = MODELS_OF[tab] < 1;
  byId("compare-field").hidden = MODELS_OF[tab] < 2;
  byId("choosers").hidden = MODELS_OF[tab] < 1;
}

function onTabKey(event) {
  const at = TABS.indexOf(tabOfState());
  const last = TABS.length - 1;
  const to = {
    ArrowLeft: at === 0 ? last : at - 1,
    ArrowRight: at === last ? 0 : at + 1,
    Home: 0,
    End: last,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  state.push({ tab: TABS[to] });
  byId(`tab-${TABS[to]}`).focus();
}

/** Fills the two choosers with the models there are. */
function showModels() {
  const [first, second] = chosen();
  const others = models.models.filter((model) => model !== first);
  fillModels(modelSelect, models.models, first?.name, []);
  fillModels(compareSelect, others, second?.name, [new Option(t("shell.alone"), "")]);
  byId("version").textContent = models.version
    ? t("shell.version", { version: models.version })
    : "";
  byId("links").hidden = Boolean(token()); // a link carries none
}

function fillModels(select, offered, value, options) {
  const groups = SOURCES.map((source) => {
    const members = offered.filter((model) => model.source === source);
    const choices = members.map((model) => new Option(calledOf(model), model.name));
    return element("optgroup", { label: t(`shell.${source}`) }, ...choices);
  });
  select.replaceChildren(...options, ...groups.filter((group) => group.children.length));
  select.value = value ?? "";
}

/** What a model is called: one that trains, or was trained here, by what it is. */
function calledOf({ name, network, data, source }) {
  const live = source === "training" && name.startsWith("training-");
  return live ? `${network} \u00b7 ${data} (${name.replace("training-", "")})` : name;
}

/** Takes the language from the URL, else as last time, else from the browser. */
async function applyLanguage() {
  const wanted = state.get("lang") ?? localStorage.getItem("holmdel-lang") ?? navigator.language;
  await loadTexts((path) => app.api.get(path), wanted);
  setLanguage(wanted);
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  for (const part of document.querySelectorAll("[data-t]")) {
    part.textContent = t(part.getAttribute("data-t") ?? "");
  }
  byId("tabs").setAttribute("aria-label", t("shell.tabs"));
  byId("language").textContent = t("shell.language");
  byId("language").title = t("shell.language.label");
  byId("language").lang = language() === "zh" ? "en" : "zh-CN";
}

function applyTheme() {
  theme.choose(state.get("theme") ?? localStorage.getItem("holmdel-theme"));
  const text = t(`shell.theme.${theme.choice}`);
  byId("theme").dataset.choice = theme.choice;
  byId("theme").title = text;
  byId("theme").setAttribute("aria-label", text);
}

/** Keeps a choice in the URL, and for the next visit. */
function keep(key, value) {
  localStorage.setItem(`holmdel-${key}`, value);
  state.set({ [key]: value });
}

function listen() {
  byId("tabs").addEventListener("click", (event) => {
    const tab = /** @type {Element} */ (event.target).closest("[role=tab]")?.id.replace("tab-", "");
    if (tab) state.push({ tab });
  });
  byId("tabs").addEventListener("keydown", onTabKey);
  modelSelect.addEventListener("change", () => state.set({ model: modelSelect.value }));
  compareSelect.addEventListener("change", () =>
    state.set({ compare: compareSelect.value || null }),
  );
  byId("language").addEventListener("click", () => keep("lang", language() === "zh" ? "en" : "zh"));
  byId("theme").addEventListener("click", () => {
    keep("theme", THEMES[(THEMES.indexOf(theme.choice) + 1) % THEMES.length]);
  });
  byId("error-dismiss").addEventListener("click", () => fail(null));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the hash is the state's
    byId("panel").focus();
  });
  for (const kind of ["dragover", "drop"]) {
    addEventListener(kind, (event) => event.preventDefault()); // else it would replace the page
  }
  state.on(["tab"], () => tabOfState() !== mounted.tab && show());
  state.on(["model", "compare"], showModels);
  state.on(["theme"], applyTheme);
  state.on(["token"], takeToken);
  state.on(["lang"], async () => {
    await applyLanguage();
    applyTheme();
    show();
  });
}

async function start() {
  takeToken();
  await applyLanguage();
  applyTheme();
  listen();
  markTab(tabOfState());
  document.documentElement.classList.add("ready");
  await open();
}

start();
