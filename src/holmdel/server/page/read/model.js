/** The state of the Read tab: an image, how it is to be read, what was read. No DOM. */

import { address } from "../core/api.js";

/** @import { InsideAnswer, Line, ReadAnswer, ReadOptions } from "../types.d.ts" */

const PATH = "/v1/read";
const INSIDE = "/v1/read/inside";
const DEFAULTS = { pattern: "digits", lines: false, maxError: 0.01 };

/** The kinds of patterns the page offers. */
export const KINDS = [
  "digits", "digits:N", "us-zip", "cn-postcode", "amount", "date", "date:dmy", "date:mdy", "date:ymd",
  "luhn", "luhn:N", "isbn", "iban:CC", "list", "template", "expression",
];
const FIRST = { "digits:N": "digits:6", "luhn:N": "luhn:16", "iban:CC": "iban:DE", expression: "\\d{3}-?\\d{3}" };
/** Those with a text of their own. */
export const HAVE_OWN = Object.keys(FIRST);
/** Those that hang on files, and the fields of a form that these are sent in. */
export const FILES = { list: ["codes"], template: ["template", "reference"] };

const beginOf = (kind) => kind.split(":")[0];

/** @returns {{kind: string, own: string}} which of KINDS a pattern is, and the text of its own. */
export function partsOf(pattern) {
  if (KINDS.includes(pattern) && !HAVE_OWN.includes(pattern)) return { kind: pattern, own: "" };
  const [, name, own] = /^(\w+):(.*)$/.exec(pattern) ?? [];
  const kind = HAVE_OWN.find((one) => one.includes(":") && beginOf(one) === name);
  return kind ? { kind, own } : { kind: "expression", own: pattern };
}

/** @returns {string} the pattern of a kind, with the text of its own where it has one. */
export function patternOf(kind, own) {
  if (kind === "expression") return own || FIRST[kind];
  if (HAVE_OWN.includes(kind)) return own ? `${beginOf(kind)}:${own}` : FIRST[kind];
  return kind;
}

/** Sorts files into the fields of a form: a template, its reference, a list. @param {File[]} files */
export function sorted(files) {
  const fieldOf = ({ name, type }) => (/\.toml$/i.test(name) ? "template" : type.startsWith("image/") ? "reference" : "codes");
  return Object.fromEntries(files.map((file) => [fieldOf(file), file]));
}

/**
 * Says what a line is worth: an amount, a day, a code.
 * @param {Line["value"]} value @param {string} or between two days that are possible
 */
export function worth(value, or) {
  if (!value) return "";
  if ("cents" in value) return (value.cents / 100).toFixed(2);
  return value.date ?? value.dates?.join(` ${or} `) ?? value.zip ?? value.iban ?? value.code ?? "";
}

/** @returns {ReadOptions} what the URL says. */
export function optionsIn(state) {
  const error = Number.parseFloat(state.get("read.max_error") ?? "");
  return {
    pattern: state.get("read.pattern") ?? DEFAULTS.pattern,
    lines: state.get("read.lines") === "true",
    maxError: error >= 0 && error <= 1 ? error : DEFAULTS.maxError,
  };
}

/** @returns {Object<string, string|null>} what the URL is to hold; null for what is the default. */
export function stateOf({ pattern, lines, maxError }) {
  return {
    "read.pattern": pattern === DEFAULTS.pattern ? null : pattern,
    "read.lines": lines === DEFAULTS.lines ? null : String(lines),
    "read.max_error": maxError === DEFAULTS.maxError ? null : String(maxError),
  };
}

/** Returns the options as the API takes them. */
function queryOf({ pattern, lines, maxError }) {
  return { pattern: pattern in FILES ? null : pattern, lines: pattern === "template" ? null : lines, max_error: maxError };
}

/**
 * @param {string} name the picture's file.
 * @param {string} origin of the server.
 * @param {boolean} withToken whether the server asks for one.
 * @param {Record<string, File>} beside files that go with it, by their fields.
 * @returns {string} the command that gives the same answer in a shell.
 */
export function curlCommand(name, options, origin, withToken, beside = {}) {
  const files = Object.entries(beside).map(([field, file]) => `-F ${field}=@${quoted(file.name)}`);
  const raw = [`curl --data-binary @${quoted(name)}`, "-H 'Content-Type: application/octet-stream'"];
  return [
    ...(files.length ? [`curl -F file=@${quoted(name)}`, ...files] : raw),
    ...(withToken ? ['-H "Authorization: Bearer $HOLMDEL_TOKEN"'] : []),
    quoted(origin + address(PATH, queryOf(options))),
  ].join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Files, and what was read on the one that is shown; tells its listeners of every change. */
export class Reading {
  /** @type {{blob: Blob, name: string}[]} */
  files = [];
  at = 0; // which of them is shown
  /** @type {{blob: Blob, name: string, url: string} | null} */
  picture = null;
  /** @type {ReadAnswer[]} */
  pages = []; // what was read on each
  page = 0; // which of them is shown
  /** @type {ReadOptions | null} */
  options = null; // what the answer was asked with
  /** @type {Record<string, File>} */
  given = {}; // a template and its reference, or a list
  seconds = 0;
  busy = false;
  lit = -1; // the line that is pointed at
  /** @type {Map<number, Promise<InsideAnswer>>} */
  #insides = new Map(); // how the pages were read
  #listeners = new Set();
  #control = new AbortController();

  /** @returns {ReadAnswer | null} what was read on the page that is shown. */
  get answer() {
    return this.pages[this.page] ?? null;
  }

  /**
   * Calls back at every change.
   * @param {(what: "picture"|"answer"|"page"|"lit") => void} callback
   * @returns {() => void} ends it.
   */
  on(callback) {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Takes other files, and shows the first. @param {{blob: Blob, name: string}[]} files */
  takeAll(files) {
    this.files = files;
    this.show(0);
  }

  /** Takes another picture. */
  take(blob, name) {
    this.takeAll([{ blob, name }]);
  }

  /** Shows a file of those that were taken. */
  show(at) {
    const file = this.files[at];
    if (!file) return;
    Object.assign(this, { at, page: 0 });
    if (this.picture) URL.revokeObjectURL(this.picture.url);
    this.picture = { ...file, url: URL.createObjectURL(file.blob) };
    this.#forget();
    this.#tell("picture");
  }

  /** Goes to another page of the file, or to another file where there is none. */
  go(by) {
    const page = this.page + by;
    if (page < 0 || page >= Math.max(1, this.pages.length)) return this.show(this.at + by);
    Object.assign(this, { page, lit: -1 });
    this.#tell("page");
  }

  /** @returns {boolean} whether there is a page or a file that way. */
  can(by) {
    const page = this.page + by;
    return (page >= 0 && page < this.pages.length) || this.at + by in this.files;
  }

  /** Takes files that go with every image. @param {File[]} files */
  takeBeside(files) {
    this.given = { ...this.given, ...sorted(files) };
    this.#forget();
  }

  /** @returns {string[]} the files that are still missing for what is asked. */
  missing({ pattern }) {
    return (FILES[pattern] ?? []).filter((name) => !this.given[name]);
  }

  /** @returns {Record<string, File>} the files that go with what is asked. */
  beside({ pattern }) {
    const names = (FILES[pattern] ?? []).filter((name) => this.given[name]);
    return Object.fromEntries(names.map((name) => [name, this.given[name]]));
  }

  /** Points at a line; -1 at none. */
  light(index) {
    if (index === this.lit) return;
    this.lit = index;
    this.#tell("lit");
  }

  /** @returns {boolean} whether the answer is to this picture and these options. */
  answers(options) {
    return this.pages.length > 0 && JSON.stringify(options) === JSON.stringify(this.options);
  }

  /** Has the picture read; an earlier request that is under way is given up. */
  async read(api, options) {
    if (!this.picture) return;
    const { blob } = this.picture;
    this.stop();
    const control = (this.#control = new AbortController());
    this.#forget();
    this.busy = true;
    this.#tell("answer");
    const began = performance.now();
    try {
      const found = await this.#ask(api, PATH, options, {}, blob, control.signal);
      Object.assign(this, { pages: [found].flat(), options });
      this.seconds = (performance.now() - began) / 1000;
    } finally {
      if (control === this.#control) {
        this.busy = false;
        this.#tell("answer");
      }
    }
  }

  /**
   * Asks how the page that is shown was read, once.
   * @returns {Promise<InsideAnswer> | null} null where nothing was read.
   */
  inside(api) {
    const { options, page, picture } = this;
    if (!options || !picture) return null;
    const asked = this.#insides.get(page) ?? this.#ask(api, INSIDE, options, { page: page + 1 }, picture.blob, this.#control.signal);
    this.#insides.set(page, asked);
    asked.catch(() => this.#insides.delete(page)); // it may be asked again
    return asked;
  }

  #ask(api, path, options, more, blob, signal) {
    const query = { ...queryOf(options), ...more };
    const beside = this.beside(options);
    const none = !Object.keys(beside).length;
    return none ? api.image(path, query, blob, { signal }) : api.form(path, query, { file: blob, ...beside }, { signal });
  }

  /** Gives up a request that is under way. */
  stop() {
    this.#control.abort();
  }

  #forget() {
    Object.assign(this, { pages: [], options: null, lit: -1 });
    this.#insides.clear();
  }

  #tell(what) {
    for (const callback of [...this.#listeners]) callback(what);
  }
}
