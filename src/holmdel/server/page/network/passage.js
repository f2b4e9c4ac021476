/** Calm movements from one place to another; none where the system asks for little motion. */

const TIME = 420; // ms
const EASE = "cubic-bezier(.2, .7, .2, 1)";

/** @returns {boolean} whether the system asks for little motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {HTMLElement} stage @returns {Map<string, DOMRect>} where each layer's maps are, by name. */
export function placesOf(stage) {
  const frames = [...stage.querySelectorAll(".layer")];
  return new Map(frames.map((node) => [node.getAttribute("data-layer") ?? "", boxOf(node)]));
}

const boxOf = (node) => (node.querySelector(".maps-frame") ?? node).getBoundingClientRect();

/**
 * Moves layers from where they were to where they are; those that are new fade in.
 * @param {HTMLElement} stage @param {Map<string, DOMRect>} before of `placesOf`
 */
export function moveFrom(stage, before) {
  if (still()) return;
  for (const node of stage.querySelectorAll(".layer")) {
    const old = before.get(node.getAttribute("data-layer") ?? "");
    const frame = node.querySelector(".maps-frame");
    const now = boxOf(node);
    if (old && frame && now.width) frame.animate([{ transform: moved(old, now), transformOrigin: "0 0" }, { transform: "none", transformOrigin: "0 0" }], { duration: TIME, easing: EASE });
    const fading = old ? node.querySelector("figcaption") : node;
    fading?.animate([{ opacity: 0 }, { opacity: 1 }], { duration: TIME, easing: "ease-in" });
  }
  stage.querySelector(".edges")?.animate([{ opacity: 0 }, { opacity: 0, offset: 0.6 }, { opacity: 1 }], { duration: 1.5 * TIME });
}

/** What puts a box that is at `now` over one at `old`. */
export function moved(old, now) {
  return `translate(${old.left - now.left}px, ${old.top - now.top}px) scale(${old.width / now.width}, ${old.height / now.height})`;
}
