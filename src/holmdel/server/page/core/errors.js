/** What the server's sentences are in Chinese; those that are not known stay as they are. No DOM. */

import { language, t } from "./texts.js";

const SENTENCES = [
  ["trainings", /^(\d+) trainings may run at once/],
  ["no-training", /^there is no training '([^']*)'/],
  ["no-model", /^there is no model '([^']*)'/],
  ["no-setting", /^there is no setting '([^']*)'/],
  ["no-data", /^there is no data set '([^']*)'/],
  ["no-layer", /^there is no layer '([^']*)'/],
  ["dead", /^the (?:run|start) is dead: after (\d+) batches/],
  ["ran-away", /^the loss became (\S+) in epoch (\d+), batch (\d+)/],
  ["no-fit", /^a window of (\d+) does not fit into (\d+) pixels/],
  ["no-take", /^layer (\d+), (\S+), does not take what comes to it: (\S+);/],
  ["many-weights", /^the layers up to (\d+), (\S+), have ([\d,]+) weights; expected up to ([\d,]+)/],
  ["no-maps", /^layer (\d+), (\S+), takes maps/],
  ["no-vector", /^layer (\d+), (\S+), takes a vector/],
  ["layer-number", /^'(.+)' was given as a layer; expected a (\w+) of (\d+) to (\d+)/],
  ["size", /^an input size was given as '(.*)'; expected CxHxW/],
  ["server-file", /^pattern '(.*?)' (?:of the template )?names a file of the server/],
  ["list", /^pattern 'list:|^codes of pattern|^line \d+ of codes/],
  ["pattern", /^pattern '(.*?)'/],
  ["form-match", /matches (\d+) % of the form/],
  ["reference", /is not the reference that|the reference of .* cannot be read/],
  ["template", /^(\S+\.toml)\b/],
  ["beside", /beside the image; expected template and reference/],
  ["given", /^(.+) was given as (.+?); expected (.+)$/],
  ["too-large-pixels", /has (\d+) x (\d+) pixels, and at most ([\d,]+) are allowed/],
  ["too-large", /^the body is larger than ([\d,]+) bytes/],
  ["no-image", /^(?:-|the file|the image|.+) (?:is no image|cannot be read|is not an image)/],
  ["pages", /^the file has more than (\d+) pages/],
  ["busy", /try again later$/],
  ["stopping", /^the server is stopping/],
  ["ended", /^training (\d+) cannot (?:go a step|go back): it has ended/],
  ["memory", /^batch_size is (\d+), with which a step/],
  ["slow", /^the request took longer than (\S+) seconds/],
  ["sample", /^image (\d+) of (\S+) was asked for/],
  ["gone", /^no data set of the classes/],
];

/**
 * @param {string} sentence of the server, in English
 * @returns {string} it in the page's language.
 */
export function told(sentence) {
  if (language() === "en") return sentence;
  for (const [key, pattern] of /** @type {[string, RegExp][]} */ (SENTENCES)) {
    const found = pattern.exec(sentence);
    if (found) return t(`error.${key}`, { 1: found[1], 2: found[2], 3: found[3], 4: found[4] });
  }
  return t("error.other", { sentence });
}
