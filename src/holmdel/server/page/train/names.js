/** What settings and runs are called on the page. */

import { choiceName, optionName } from "../core/control.js";
import { t } from "../core/texts.js";
import { differences } from "./plan.js";

/** @import { Networks, Training } from "../types.d.ts" */

/**
 * Returns what each training is called: network, data set, and where it differs from the others.
 * @param {Training[]} trainings
 * @param {Networks} offers of /v1/networks
 * @returns {string[]}
 */
export function namesOf(trainings, offers) {
  const apart = differences(trainings, offers);
  return trainings.map((training, i) => {
    const settings = apart[i].map(([name, value]) =>
      `${optionName(name)} ${choiceName(String(value ?? t("train.all")))}`);
    return [training.network, training.data, ...settings].join(" \u00b7 ");
  });
}
