/** At most one job runs; of those that wait only the newest is kept. No DOM. */

/**
 * Makes a pump.
 * @param {(job: any) => Promise<void>} send does one job; its errors are its own
 * @returns {{ask: (job: any) => Promise<void>}} `ask` does a job, or keeps it as the next one, in
 *   the place of any that waits; it ends when none waits any more.
 */
export function createLatestOnly(send) {
  /** @type {Promise<void> | null} */
  let running = null;
  /** @type {{job: any} | null} */
  let next = null;

  async function run() {
    while (next) {
      const { job } = next;
      next = null;
      await send(job);
    }
    running = null;
  }
  return {
    ask(job) {
      next = { job };
      return (running ??= run());
    },
  };
}
