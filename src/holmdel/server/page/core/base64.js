/** Bytes as base64 text. No DOM. */

/**
 * @param {string} text base64.
 * @returns {Uint8Array<ArrayBuffer>} its bytes.
 */
export function decode(text) {
  const native = /** @type {typeof Uint8Array & {fromBase64?: typeof decode}} */ (Uint8Array);
  return native.fromBase64?.(text) ?? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** @param {string} dataUrl @returns {Blob} its PNG. */
export function pngOf(dataUrl) {
  return new Blob([decode(dataUrl.split(",")[1])], { type: "image/png" });
}

/** @param {ArrayLike<number>} bytes @returns {string} as base64url, for an address. */
export function toBase64Url(bytes) {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>|null} the bytes of base64url; null where it is none. */
export function fromBase64Url(text) {
  try {
    return decode(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
}
