/** The trainings that the server knows: their states, and a queue of those to start. No DOM. */

/** @import { Job, Training } from "../types.d.ts" */

const LIVE = new Set(["preparing", "running", "paused"]);
const PATHS = { batch: "step?stride=batch", epoch: "step?stride=epoch" };
const AGAIN = 2000; // ms
const SLOTS = 8; // colours and dashes of curves; the server remembers as many trainings

/**
 * Tells whether a training is still under way.
 * @param {Pick<Training, "status">} training
 * @returns {boolean}
 */
export const alive = (training) => LIVE.has(training.status);

/** Holds the trainings; tells its listeners of every change. Outlives the tab that shows it. */
export class TrainingStore {
  #api;
  /** @type {Map<string, Training>} */
  #trainings = new Map();
  /** @type {Map<string, number>} */
  #slots = new Map();
  #following = new Map();
  #queue = [];
  #listeners = new Set();
  #starting = false;
  #leaving = 0; // trainings that the server is stopping, to forget them

  /**
   * The last refusal, as the server's sentence; null when the last thing went well.
   * @type {string | null}
   */
  error = null;

  /** @param {{get: Function, post: Function, remove: Function, events: Function}} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * Calls back at every change; the second argument is the training that began, if one did.
   * @param {(store: TrainingStore, begun: Training | null) => void} listener
   * @returns {() => void} ends it
   */
  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns {Training[]} the trainings in the order in which they began */
  all() {
    return [...this.#trainings.values()];
  }

  /** @param {string | null} id */
  get(id) {
    return this.#trainings.get(id ?? "") ?? null;
  }

  /** @returns {Training | null} the training that is under way */
  running() {
    return this.all().find(alive) ?? null;
  }

  /** @returns {boolean} whether none may begin now */
  busy() {
    return this.#leaving > 0 || this.running() !== null;
  }

  /** @returns {number} how many trainings of a lesson are still to begin */
  waiting() {
    return this.#queue.length;
  }

  /** @param {string} id @returns {number} which colour and dashes its curves have */
  slot(id) {
    return this.#slots.get(id) ?? 0;
  }

  /** Fetches what the server knows, and follows what is under way there. */
  async load() {
    await this.#attempt(async () => {
      const { trainings } = await this.#api.get("/v1/trainings");
      const known = new Set(trainings.map((training) => training.id));
      for (const id of this.#trainings.keys()) if (!known.has(id)) this.#drop(id);
      for (const training of trainings) {
        this.#put(training);
        if (alive(training)) this.#follow(training.id);
      }
    });
  }

  /**
   * Starts one training after the other; what was still to begin is given up.
   * @param {Job[]} jobs
   */
  async start(jobs) {
    this.#queue = [...jobs];
    await this.#next();
  }

  /**
   * Pauses, resumes, steps, stops or keeps a training; a stop also gives up what was still to begin.
   * @param {string} verb of PATHS, or one that the server knows
   * @returns {Promise<Training | null>} its state, or null where the server refused
   */
  async command(id, verb) {
    if (verb === "stop") this.#queue = [];
    return this.#attempt(async () => {
      const training = await this.#api.post(`/v1/trainings/${id}/${PATHS[verb] ?? verb}`, {});
      this.#put(training);
      return training;
    });
  }

  /** @param {string} id a training to stop and to forget */
  async forget(id) {
    const training = this.get(id);
    if (training && alive(training)) this.#queue = [];
    this.#following.get(id)?.();
    this.#drop(id);
    this.#leaving++;
    await this.#attempt(() => this.#api.remove(`/v1/trainings/${id}`));
    this.#leaving--;
    this.#tell(null);
  }

  async #next() {
    if (this.#starting || this.running() || !this.#queue.length) return;
    this.#starting = true;
    const job = this.#queue.shift();
    const begun = await this.#attempt(async () => {
      const training = await this.#api.post("/v1/trainings", job);
      this.#put(training);
      return training;
    });
    this.#starting = false;
    if (!begun) this.#queue = [];
    this.#tell(begun);
    if (begun) await this.load(); // the server may have forgotten an old one for it
  }

  #follow(id) {
    if (this.#following.has(id)) return;
    const path = `/v1/trainings/${id}/events`;
    this.#following.set(id, this.#api.events(path, (training) => this.#heard(training), () => this.#lost(id)));
  }

  #heard(training) {
    if (!this.#following.has(training.id)) return;
    this.#put(training);
    if (!alive(training)) this.#following.delete(training.id);
    this.#tell(null);
    if (!alive(training)) this.#next();
  }

  /** The news broke off before the end: asks again until the server is back. */
  async #lost(id) {
    if (!this.#following.delete(id)) return; // it had come to its end
    this.#queue = [];
    do {
      await new Promise((wake) => setTimeout(wake, AGAIN));
      await this.load();
    } while (this.error);
  }

  #put(training) {
    this.#trainings.set(training.id, training);
    if (this.#slots.has(training.id)) return;
    const taken = new Set(this.#slots.values());
    const free = Array.from({ length: SLOTS }, (_, slot) => slot).find((slot) => !taken.has(slot));
    const [oldest = 0] = this.#slots.values(); // the next to be forgotten
    this.#slots.set(training.id, free ?? oldest);
  }

  #drop(id) {
    this.#following.delete(id);
    this.#trainings.delete(id);
    this.#slots.delete(id);
  }

  async #attempt(work) {
    let answer = null;
    try {
      answer = await work();
      this.error = null;
    } catch (failure) {
      this.error = failure.message;
    }
    this.#tell(null);
    return answer;
  }

  #tell(begun) {
    for (const listener of this.#listeners) listener(this, begun);
  }
}
