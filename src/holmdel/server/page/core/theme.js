/** Light or dark: as the system, or as chosen. */

/** @typedef {"system" | "light" | "dark"} Choice */

/** @type {Choice[]} */
export const THEMES = ["system", "light", "dark"];

/** The theme of the page. */
export class Theme {
  #system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {Choice} */
  #choice = "system";
  #listeners = new Set();

  constructor() {
    this.#system.addEventListener("change", () => this.#show());
  }

  /** @returns {boolean} whether the page is dark now. */
  get dark() {
    return this.#choice === "system" ? this.#system.matches : this.#choice === "dark";
  }

  /** @returns {Choice} what was chosen. */
  get choice() {
    return this.#choice;
  }

  /** @param {string|null} wanted one of THEMES; the system's for another. */
  choose(wanted) {
    this.#choice = THEMES.find((theme) => theme === wanted) ?? "system";
    this.#show();
  }

  /**
   * Calls back when the page turns dark or light.
   * @returns {() => void} ends it.
   */
  on(callback) {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  #show() {
    const name = this.dark ? "dark" : "light";
    if (document.documentElement.dataset.theme === name) return;
    document.documentElement.dataset.theme = name;
    for (const callback of [...this.#listeners]) callback();
  }
}
