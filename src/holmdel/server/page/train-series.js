/** From the states of trainings to series of points and rows of a table. No DOM. */

import { alive } from "/page/train-board.js";

/**
 * What is drawn: the name in an epoch's figures, that in a point within an epoch, what the vertical
 * axis may not leave, and what it spans at least: at chance a curve is flat, and should look so.
 */
export const METRICS = {
  loss: { within: "loss", bounds: [0, Infinity], span: 0.5 },
  train_acc: { within: "accuracy", bounds: [0, 1], span: 0.2 },
  test_acc: { within: null, bounds: [0, 1], span: 0.2 },
};

/**
 * Returns the points of one metric.
 * @param {{history: object[], points: object[]}} training
 * @param {keyof METRICS} metric
 * @returns {{points: number[][], faint: number[][]}} a point an epoch, and those within epochs
 */
export function series(training, metric) {
  const whole = training.history.filter((epoch) => Number.isFinite(epoch[metric]));
  const { within } = METRICS[metric];
  const inside = within ? training.points.filter((point) => Number.isFinite(point[within])) : [];
  return {
    points: whole.map((epoch) => [epoch.epoch, epoch[metric]]),
    faint: inside.map((point) => [point.step, point[within]]),
  };
}

/**
 * @param {{progress: object | null, history: object[]}[]} trainings
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
 * @param {{history: object[]}} training
 * @param {number | null} at an epoch; null for the last
 * @returns {object | null} the figures of an epoch, or the last ones.
 */
export function figures(training, at) {
  if (at === null) return training.history.at(-1) ?? null;
  return training.history.find((epoch) => epoch.epoch === at) ?? null;
}

/**
 * @param {{progress: object | null, status: string}} training
 * @returns {number} how far a training is, 0 to 1.
 */
export function share(training) {
  if (training.status === "finished") return 1;
  const now = training.progress;
  if (!now) return 0;
  return Math.min(1, (now.epoch - 1 + now.batch / Math.max(now.batches, 1)) / now.epochs);
}
