import assert from "node:assert/strict";
import { test } from "node:test";

import { TrainingStore } from "../../src/holmdel/server/page/train/store.js";

/** A server of trainings: `tell` changes the state of one, and says so. */
function createServer(trainings = []) {
  const followers = new Map();
  return {
    tell(id, change) {
      const training = trainings.find((one) => one.id === id);
      followers.get(id)(Object.assign(training, change));
    },
    async get() {
      return { trainings };
    },
    async post(path, body) {
      if (body.network === "none") throw new Error("there is no network none");
      const [, id, verb] = /trainings\/(\w+)\/(\w+)/.exec(path) ?? [];
      if (verb) return { id, status: { pause: "paused", stop: "stopped" }[verb] };
      const training = { id: String(trainings.length + 1), status: "running", ...body };
      trainings.push(training);
      return training;
    },
    async remove() {},
    events(path, onState) {
      followers.set(path.split("/").at(-2), onState);
      return () => {};
    },
  };
}

const job = (network) => ({ network, data: "mnist", settings: {} });
const settled = () => new Promise(setImmediate);

test("two jobs run one after the other", async () => {
  const server = createServer();
  const store = new TrainingStore(server);
  await store.start([job("lenet"), job("lenet-max")]);
  assert.equal(store.running().network, "lenet");
  assert.equal(store.waiting(), 1);
  server.tell("1", { status: "finished" });
  await settled();
  assert.equal(store.running().network, "lenet-max");
  assert.deepEqual([store.waiting(), store.slot("1"), store.slot("2")], [0, 0, 1]);
});

test("a stop also gives up what was to begin", async () => {
  const store = new TrainingStore(createServer());
  await store.start([job("lenet"), job("lenet-max")]);
  await store.command("1", "stop");
  assert.deepEqual([store.waiting(), store.busy(), store.get("1").status], [0, false, "stopped"]);
});

test("a refusal is kept until something goes well", async () => {
  const store = new TrainingStore(createServer());
  await store.start([job("none")]);
  assert.equal(store.error, "there is no network none");
  await store.load();
  assert.equal(store.error, null);
});

test("what the server forgot is dropped, and its colour is free again", async () => {
  const trainings = [{ id: "1", status: "finished" }, { id: "2", status: "finished" }];
  const store = new TrainingStore(createServer(trainings));
  await store.load();
  trainings.splice(0, 1, { id: "3", status: "stopped" });
  await store.load();
  assert.deepEqual(store.all().map((training) => training.id), ["2", "3"]);
  assert.equal(store.slot("3"), 0);
});

test("listeners hear what began, until they end it", async () => {
  const store = new TrainingStore(createServer());
  const begun = [];
  const off = store.on((_, training) => training && begun.push(training.id));
  await store.start([job("lenet")]);
  off();
  await store.forget("1");
  assert.deepEqual(begun, ["1"]);
  assert.deepEqual(store.all(), []);
});
