import assert from "node:assert/strict";
import { test } from "node:test";

import { createLatestOnly } from "../../src/holmdel/server/page/core/latest-only.js";

test("while a job runs only the newest of the others waits", async () => {
  const done = [];
  let release;
  const queue = createLatestOnly(async (job) => {
    done.push(job);
    await new Promise((resolve) => (release = resolve));
  });
  for (const job of ["a", "b", "c"]) queue.ask(job);
  assert.deepEqual(done, ["a"]);
  release();
  await new Promise(setImmediate);
  assert.deepEqual(done, ["a", "c"]);
  release();
});
