/** What settings and runs are called on the page. */

import { choiceName, optionName } from "../core/control.js";
import { orElse, t } from "../core/texts.js";
import { differences, isSmall } from "./plan.js";

/** @import { Networks, Training } from "../types.d.ts" */

const TOLD = ["activation", "pooling", "lr"]; // in any case, where they were given

/**
 * Returns what each training is called: network, data set, and where it differs from the others.
 * @param {Pick<Training, "network" | "data" | "settings">[]} trainings
 * @param {Networks} offers of /v1/networks
 * @returns {string[]}
 */
export function namesOf(trainings, offers) {
  const apart = differences(trainings, offers);
  return trainings.map((training, i) => {
    const always = TOLD.filter((name) => name in training.settings).map((name) => [name, training.settings[name]]);
    const all = new Map(/** @type {any} */ ([...always, ...apart[i]]));
    const settings = [...all].map(([name, value]) =>
      `${optionName(name)} ${choiceName(String(value ?? t("train.all")))}`);
    return [training.network, training.data, ...settings].join(" \u00b7 ");
  });
}

/** @param {string} lesson @param {string} data the data set it runs on @returns {string} what is to be seen in it. */
export function lessonWhy(lesson, data) {
  return orElse(`train.lesson.${lesson}.why${isSmall(data) ? ".small" : ""}`, t(`train.lesson.${lesson}.why`));
}
