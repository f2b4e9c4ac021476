/** Requests to the server. Every failure is an Error whose message is one sentence. */

import { told } from "./errors.js";
import { t } from "./texts.js";

/** @import { Png } from "../types.d.ts" */

const KEPT = "holmdel-token";

/** @typedef {{signal?: AbortSignal}} Cancel ends a request. */

/** What the server, or the way to it, said no with; `status` of HTTP, 0 where no answer came. */
class ApiError extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.name = "ApiError";
    this.status = status;
  }
}

/** @returns {string|null} the token that requests carry. */
export function token() {
  return sessionStorage.getItem(KEPT);
}

/** @param {string} value what requests carry from now on, as long as the page's window is open. */
export function keepToken(value) {
  sessionStorage.setItem(KEPT, value);
}

/**
 * @param {string} path
 * @param {Object<string, unknown>} params those that are null or undefined are left out.
 * @returns {string} the path with its query.
 */
export function address(path, params = {}) {
  const given = Object.entries(params)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => [key, String(value)]);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** Asks the server; one that wants a token gets it from `askToken`. */
export class Api {
  #askToken;
  /** @type {Promise<string> | null} */
  #asked = null;

  /** @param {(again: boolean) => Promise<string>} askToken asks the user. */
  constructor(askToken) {
    this.#askToken = askToken;
  }

  /**
   * @param {string} path @param {Object<string, unknown>} params @param {Cancel} options
   * @returns {Promise<any>} the JSON of a path.
   */
  get(path, params = {}, { signal } = {}) {
    return this.#json(address(path, params), { signal });
  }

  /**
   * @param {string} path
   * @param {Object<string, unknown>} params
   * @param {Cancel} options
   * @returns {Promise<Blob>} what is at a path that is not JSON, such as an image.
   */
  async blob(path, params = {}, { signal } = {}) {
    const answer = await this.#send(address(path, params), { signal });
    return answer.blob();
  }

  /**
   * @param {string} path
   * @param {Object<string, unknown>} params
   * @param {Blob | Png} blob
   * @param {Cancel} options
   * @returns {Promise<any>} the JSON that a path answers to an image.
   */
  image(path, params, blob, { signal } = {}) {
    const kind = blob.type.startsWith("image/") ? blob.type : "application/octet-stream";
    const headers = { "Content-Type": kind };
    return this.#json(address(path, params), { method: "POST", headers, body: blob, signal });
  }

  /**
   * @param {string} path
   * @param {Object<string, unknown>} params
   * @param {Record<string, Blob>} files by the names of their fields.
   * @param {Cancel} options
   * @returns {Promise<any>} the JSON that a path answers to a form of files.
   */
  form(path, params, files, { signal } = {}) {
    const body = new FormData();
    for (const [name, file] of Object.entries(files)) body.append(name, file);
    return this.#json(address(path, params), { method: "POST", body, signal });
  }

  /**
   * @param {string} path
   * @param {Object<string, unknown>} params
   * @param {Blob} blob
   * @param {Cancel} options
   * @returns {Promise<Blob>} the image that a path answers to a file.
   */
  async imageOf(path, params, blob, { signal } = {}) {
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await this.#send(address(path, params), { method: "POST", headers, body: blob, signal });
    return answer.blob();
  }

  /** @returns {Promise<any>} the JSON that a path answers to JSON. */
  post(path, values) {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify(values);
    return this.#json(path, { method: "POST", headers, body });
  }

  /** @returns {Promise<any>} null, when what is at the path was removed. */
  remove(path) {
    return this.#json(path, { method: "DELETE" });
  }

  /**
   * Listens to a stream of events.
   * @param {string} path
   * @param {(state: any) => void} onState gets the JSON of each event.
   * @param {(error: Error|null) => void} onEnd null where the server ended it.
   * @returns {() => void} stops listening; onEnd is not called then.
   */
  events(path, onState, onEnd = () => {}) {
    const control = new AbortController();
    this.#listen(path, onState, control.signal).then(
      () => control.signal.aborted || onEnd(null),
      (error) => control.signal.aborted || onEnd(error),
    );
    return () => control.abort();
  }

  async #listen(path, onState, signal) {
    const answer = await this.#send(path, { headers: { Accept: "text/event-stream" }, signal });
    if (!answer.body) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read().catch((error) => lost(error));
      if (done) return;
      const parts = (rest + value.replaceAll("\r\n", "\n")).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const data = eventData(part);
        if (data && !signal.aborted) onState(JSON.parse(data));
      }
    }
  }

  async #json(path, init) {
    const answer = await this.#send(path, init);
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   * @returns {Promise<Response>}
   */
  async #send(path, init) {
    for (let again = false; ; again = true) {
      const used = token();
      /** @type {Record<string, string>} */
      const bearer = used ? { Authorization: `Bearer ${used}` } : {};
      const headers = { .../** @type {Record<string, string>} */ (init.headers), ...bearer };
      const answer = await fetch(path, { ...init, headers }).catch((error) => lost(error));
      if (answer.ok) return answer;
      if (answer.status !== 401) throw await refusal(answer);
      if (token() === used) await this.#tokenFromUser(again || Boolean(used));
    }
  }

  /** Asks once, however many requests wait for it. */
  async #tokenFromUser(again) {
    const asked = (this.#asked ??= this.#askToken(again).finally(() => (this.#asked = null)));
    keepToken(await asked);
  }
}

function eventData(part) {
  const lines = part.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice("data:".length).trimStart()).join("\n");
}

/** @returns {never} */
function lost(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError(t("api.unreachable"), 0);
}

async function refusal(answer) {
  const said = await answer.json().catch(() => null);
  const sentence = said?.error ? told(said.error) : t("api.status", { status: answer.status });
  return new ApiError(sentence, answer.status);
}
