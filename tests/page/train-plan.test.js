import assert from "node:assert/strict";
import { test } from "node:test";

import { differences, fields, lesson, lessonData, lessonValues, request } from "../../src/holmdel/server/page/train/plan.js";

const setting = (name, type, value) => ({ name, type, default: value, choices: null, help: "" });
const offers = {
  recipes: ["book", "modern"],
  networks: [{
    name: "lenet",
    recipes: { book: { lr: 0.9, epochs: 10 }, modern: { lr: 0.05, epochs: 20 } },
    options: [
      { ...setting("activation", "str", "sigmoid"), choices: ["sigmoid", "relu"], training: true },
      { ...setting("size", "str", 28), training: false },
    ],
  }],
  settings: [setting("recipe", "str", "book"), setting("lr", "float", 0.1), setting("epochs", "int", 1), setting("normalise", "bool", false)],
};
const data = [{ name: "digits", here: true }, { name: "mnist", here: false }, { name: "fashion-mnist", here: true }];
const form = (given = {}) => fields(offers, data, (name) => given[name] ?? null);
const named = (name, given) => form(given).find((field) => field.name === name);

test("a field that the URL does not name has its recipe's value, else its default", () => {
  assert.deepEqual([named("lr").value, named("lr").given], [0.9, false]);
  assert.equal(named("lr", { recipe: "modern" }).value, 0.05);
  assert.equal(named("normalise").value, false);
  assert.equal(named("data").value, "fashion-mnist"); // it need not be downloaded
});

test("only what training can choose is offered, the common settings first", () => {
  assert.equal(named("size"), undefined);
  assert.equal(named("activation").group, "main");
  assert.equal(named("normalise").group, "more");
});

test("only what was given is sent, as numbers and flags", () => {
  const sent = request(form({ lr: "0.5", normalise: "true", activation: "relu" }));
  assert.deepEqual(sent, {
    network: "lenet",
    data: "fashion-mnist",
    settings: { activation: "relu", lr: 0.5, normalise: true },
  });
});

test("what is no number is sent as it was typed: the server says what is wrong", () => {
  assert.equal(request(form({ lr: "fast" })).settings.lr, "fast");
});

test("a lesson is two trainings that differ in one thing, on data that is here", () => {
  const [first, second] = lesson("activation", "mnist");
  assert.deepEqual([first.data, first.settings.activation, second.settings.activation], ["mnist", "sigmoid", "relu"]);
  assert.equal(lessonData("digits", data), "digits");
  assert.equal(lessonData("mnist", data), "digits"); // it would have to be downloaded
  const [small] = lesson("activation", "digits");
  assert.equal(small.settings.batch_size, 16); // there are few examples
});

test("the form shows a lesson's first training", () => {
  const values = lessonValues("rate", null, form({ normalise: "true" }));
  assert.deepEqual([values.lr, values.epochs, values.normalise], ["0.1", "5", null]);
});

test("trainings are told apart by the settings in which they differ, a recipe's included", () => {
  const job = (settings) => ({ network: "lenet", data: "mnist", settings });
  const apart = differences([job({ epochs: 5 }), job({ epochs: 5, lr: 0.1 })], offers);
  assert.deepEqual(apart, [[["lr", 0.9]], [["lr", 0.1]]]);
});
