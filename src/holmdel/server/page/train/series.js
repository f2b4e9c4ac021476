/** From the states of trainings to series of points and rows of a table. No DOM. */

import { alive } from "./store.js";

/** @import { Metric, Training } from "../types.d.ts" */

const guessed = (classes) => 1 / classes;

/**
 * What is drawn: the name in an epoch's figures, that in a point within an epoch, if any, what the vertical
 * axis may not leave, what it spans at least (at chance a curve is flat, and should look so), what it spans
 * before there is a curve, and what guessing among some classes gives.
 * @type {Record<Metric, {within: string, bounds: number[], span: number, first: number[], chance: (classes: number) => number}>}
 */
export const METRICS = {
  loss: { within: "loss", bounds: [0, Infinity], span: 0.5, first: [0, 2.5], chance: Math.log },
  train_acc: { within: "accuracy", bounds: [0, 1], span: 0.2, first: [0, 1], chance: guessed },
  test_acc: { within: "", bounds: [0, 1], span: 0.2, first: [0, 1], chance: guessed },
};

/** The names of METRICS, in the order in which they are shown. */
export const NAMES = /** @type {Metric[]} */ (Object.keys(METRICS));

/**
 * @param {string[]} names of data sets
 * @param {{name: string, classes: string[]}[]} data those there are
 * @returns {number | null} how many classes they all have; null where they differ, or that is not known.
 */
export function classesOf(names, data) {
  const counts = new Set(names.map((name) => data.find((one) => one.name === name)?.classes.length));
  const [count] = counts;
  return counts.size === 1 && count ? count : null;
}

/**
 * Returns the points of one metric.
 * @param {Pick<Training, "history" | "points">} training
 * @param {Metric} metric
 * @returns {{points: number[][], faint: number[][]}} a point an epoch, and those within epochs
 */
export function series(training, metric) {
  const whole = training.history.filter((epoch) => Number.isFinite(epoch[metric]));
  const { within } = METRICS[metric];
  const inside = training.points.filter((point) => Number.isFinite(point[within]));
  return {
    points: whole.map((epoch) => [epoch.epoch, epoch[metric]]),
    faint: inside.map((point) => [point.step, point[within]]),
  };
}

/**
 * @param {Pick<Training, "status" | "progress" | "history" | "points">[]} trainings
 * @returns {number} how many epochs the horizontal axis spans.
 */
export function epochsOf(trainings) {
  const spans = trainings.map((training) => {
    if (alive(training)) return training.progress?.epochs ?? 1;
    return Math.max(training.history.length, Math.ceil(training.points.at(-1)?.step ?? 1));
  });
  return Math.max(1, ...spans);
}

/**
 * @param {Pick<Training, "history">} training
 * @param {number | null} at an epoch; null for the last
 * @returns {Record<string, number> | null} the figures of an epoch, or the last ones.
 */
export function figures(training, at) {
  if (at === null) return training.history.at(-1) ?? null;
  return training.history.find((epoch) => epoch.epoch === at) ?? null;
}

/**
 * @param {Pick<Training, "progress" | "status">} training
 * @returns {number} how far a training is, 0 to 1.
 */
export function share(training) {
  if (training.status === "finished") return 1;
  const now = training.progress;
  if (!now) return 0;
  return Math.min(1, (now.epoch - 1 + now.batch / Math.max(now.batches, 1)) / now.epochs);
}
