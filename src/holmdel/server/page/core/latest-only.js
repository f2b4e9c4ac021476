/** At most one job runs; of those that wait only the newest is kept. No DOM. */

/**
 * Makes a pump.
 * @param {(job: any) => Promise<void>} send does one job; its errors are its own
 * @returns {{ask: (job: any) => void}} `ask` does a job, or keeps it as the next one, in the place
 *   of any that waits.
 */
export function createLatestOnly(send) {
  let running = false;
  /** @type {{job: any} | null} */
  let next = null;

  async function run() {
    running = true;
    while (next) {
      const { job } = next;
      next = null;
      await send(job);
    }
    running = false;
  }
  return {
    ask(job) {
      next = { job };
      if (!running) run();
    },
  };
}
