import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { UrlState } from "../../src/holmdel/server/page/core/url.js";

let window; // what the browser gives: an address, its history, events

beforeEach(() => {
  window = new EventTarget();
  window.location = { hash: "#tab=draw&model=lenet" };
  window.entries = 1;
  const go = (_, __, hash) => (window.location.hash = hash);
  window.history = { replaceState: go, pushState: (...to) => (window.entries++, go(...to)) };
  Object.assign(globalThis, {
    location: window.location,
    history: window.history,
    addEventListener: window.addEventListener.bind(window),
  });
});

test("the fragment holds the state", () => {
  const state = new UrlState();
  assert.equal(state.get("model"), "lenet");
  assert.equal(state.get("compare"), null);
});

test("a change waits, and makes no entry in the history", () => {
  const state = new UrlState();
  state.set({ model: null, "train.lr": 0.5 });
  assert.equal(window.location.hash, "#tab=draw&model=lenet");
  state.flush();
  assert.equal(window.location.hash, "#tab=draw&train.lr=0.5");
  assert.equal(window.entries, 1);
});

test("a push makes one, after what waits", () => {
  const state = new UrlState();
  state.set({ model: "vgg" });
  state.push({ tab: "train" });
  assert.equal(window.location.hash, "#tab=train&model=vgg");
  assert.equal(window.entries, 2);
  state.push({ tab: "train" }); // nothing new
  assert.equal(window.entries, 2);
});

test("listeners hear of their keys only, and of what the browser's buttons change", () => {
  const state = new UrlState();
  const heard = [];
  const off = state.on(["model"], (changed) => heard.push([...changed]));
  state.set({ tab: "train" });
  state.set({ model: "vgg" });
  window.location.hash = "#model=alexnet";
  window.dispatchEvent(new Event("popstate"));
  off();
  state.set({ model: "nin" });
  state.flush();
  assert.deepEqual(heard, [["model"], ["model", "tab"]]);
});
