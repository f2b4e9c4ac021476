/** What settings and runs are called on the page. */

import { differences } from "/page/train-plan.js";

/**
 * Returns a text, or something else where there is none.
 * @param {(key: string) => string} t
 * @param {string} key
 * @param {string} other
 */
export function orElse(t, key, other) {
  const text = t(key);
  return text === key ? other : text;
}

/**
 * Returns what each training is called: network, data set, and where it differs from the others.
 * @param {object[]} trainings
 * @param {object} offers of /v1/networks
 * @param {(key: string) => string} t
 * @returns {string[]}
 */
export function namesOf(trainings, offers, t) {
  const apart = differences(trainings, offers);
  return trainings.map((training, i) => {
    const settings = apart[i].map(([name, value]) =>
      `${orElse(t, `train.f.${name}`, name)} ${orElse(t, `train.${value}`, String(value ?? t("train.all")))}`);
    return [training.network, training.data, ...settings].join(" \u00b7 ");
  });
}
