/** The page's state in the fragment of its URL, so that a link shows the same view. */

const WAIT = 350; // ms; browsers refuse more than about 100 changes of the history in 30 s

/** Keys and values, all strings, that the URL holds. */
export class UrlState {
  #values = parse(location.hash);
  #listeners = new Set();
  #timer = 0;

  constructor() {
    addEventListener("popstate", () => this.#read());
    addEventListener("hashchange", () => this.#read());
    addEventListener("pagehide", () => this.flush());
  }

  /** @returns {string|null} what a key holds. */
  get(key) {
    return this.#values.get(key) ?? null;
  }

  /**
   * Changes keys; no entry in the history.
   * @param {Object<string, string|number|null>} changes null takes a key away.
   */
  set(changes) {
    const changed = this.#apply(changes);
    if (!changed.size) return;
    if (!this.#timer) this.#timer = setTimeout(() => this.flush(), WAIT);
    this.#tell(changed);
  }

  /**
   * Changes keys and makes an entry in the history, which "back" undoes.
   * @param {Object<string, string|number|null>} changes null takes a key away.
   */
  push(changes) {
    this.flush();
    const changed = this.#apply(changes);
    if (!changed.size) return;
    history.pushState(null, "", this.hash());
    this.#tell(changed);
  }

  /**
   * Calls back when one of the keys changes, whoever changed it.
   * @param {string[]} keys
   * @param {(changed: Set<string>) => void} callback
   * @returns {() => void} ends it.
   */
  on(keys, callback) {
    const listener = { keys, callback };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns {string} the hash, with its #. */
  hash() {
    return `#${new URLSearchParams([...this.#values])}`;
  }

  /** Writes what waits into the URL now. */
  flush() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    history.replaceState(null, "", this.hash());
  }

  #apply(changes) {
    const changed = new Set();
    for (const [key, value] of Object.entries(changes)) {
      const wanted = value === null || value === undefined ? null : String(value);
      if (wanted === this.get(key)) continue;
      if (wanted === null) this.#values.delete(key);
      else this.#values.set(key, wanted);
      changed.add(key);
    }
    return changed;
  }

  #read() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const found = parse(location.hash);
    const keys = new Set([...found.keys(), ...this.#values.keys()]);
    const changed = new Set([...keys].filter((key) => found.get(key) !== this.#values.get(key)));
    this.#values = found;
    if (changed.size) this.#tell(changed);
  }

  #tell(changed) {
    for (const { keys, callback } of [...this.#listeners]) {
      if (keys.some((key) => changed.has(key))) callback(changed);
    }
  }
}

function parse(hash) {
  return new Map(new URLSearchParams(hash.replace(/^#/, "")));
}
