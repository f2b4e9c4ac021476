/** The request of a network's activations: from a change of the image to its maps on the screen. */

import { createLatestOnly } from "../core/latest-only.js";

/** @import { ActivationsOptions, ActivationsRequest } from "../types.d.ts" */

const MEASURE = "draw-to-maps";
const MOST_MEASURES = 5000; // kept by the browser

let measures = 0;

/**
 * Makes what asks the server for a model's maps.
 * @param {ActivationsOptions} options
 * @returns {ActivationsRequest}
 */
export function createActivationsRequest({ api, params, show, fail }) {
  const control = new AbortController();
  /** @type {number | null} */
  let oldest = null; // the time of the first event that is not on the screen
  let failed = false;
  const pump = createLatestOnly(async (picture) => {
    const stamp = oldest;
    oldest = null;
    try {
      const body = picture();
      const answer = await api.image("/v1/activations", params(), body, control);
      if (control.signal.aborted) return;
      show(answer, body);
      if (failed) fail(null);
      failed = false;
      if (stamp !== null) measure(stamp);
    } catch (error) {
      failed = true;
      if (!control.signal.aborted) fail(error);
    }
  });
  return {
    ask(picture, stamp) {
      oldest ??= stamp;
      pump.ask(picture);
    },
    off: () => control.abort(),
  };
}

/** Notes the time from an event to the end of the next frame, the one that shows the maps. */
function measure(start) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      if (measures++ % MOST_MEASURES === 0) performance.clearMeasures(MEASURE);
      performance.measure(MEASURE, { start, end: performance.now() });
      port1.close();
    };
    port2.postMessage(null); // comes after the frame
  });
}
