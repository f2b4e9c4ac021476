/** Returns the texts on the page that an edge cuts without a sign of it, each with what cuts it. */
() => {
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: own, textContent } = texts.currentNode;
    const said = textContent.trim();
    const seen = own.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!said || !seen || own.closest(".sr-only, option, script, style, noscript")) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const box of range.getClientRects()) {
      const by = box.width >= 1 && cutBy(own, box);
      if (by) found.add(`${said.slice(0, 30)} | ${by}`);
    }
  }
  return [...found];

  function cutBy(own, box) {
    for (let one = own; one && one !== document.documentElement; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.textOverflow === "ellipsis") return "";
      if (style.clipPath === "inset(50%)") return ""; // for screen readers alone
      if (style.position === "fixed") break;
      if (style.overflowX === "visible") continue;
      const edge = one.getBoundingClientRect();
      if (box.right < edge.left + 1 || box.left > edge.right - 1) return ""; // out of sight
      const across = box.left < edge.left - 1 || box.right > edge.right + 1;
      if (across) return style.maskImage === "none" ? one.id || one.className || one.tagName : "";
      const outside = box.top < edge.top - 1 || box.bottom > edge.bottom + 1;
      if (outside && style.overflowY !== "hidden") return ""; // to be scrolled down
      if (box.top < edge.bottom - 2 && box.bottom > edge.bottom + 4) return `${one.className} below`;
    }
    return box.left < -1 || box.right > innerWidth + 1 ? "window" : "";
  }
}
