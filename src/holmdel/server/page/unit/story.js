/** How a unit comes about, in words, numbers and motion: loaded when the first one is pointed at. */

import { explain } from "./explanation.js";
import { explainGradient, explainStep } from "./backward.js";
import { comeIntoSight, passage } from "./passage.js";
import { explainSoftmax } from "./softmax.js";

export const stories = { explain, explainGradient, explainStep, explainSoftmax, comeIntoSight, passage };
