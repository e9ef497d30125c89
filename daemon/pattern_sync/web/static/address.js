/**
 * The daemon's path as seen from this page: a proxy may serve both under a path of its own.
 * @param {string} path from the daemon's root, without a slash in front
 */
export function fromRoot(path) {
  return new URL(path, location.href);
}

/** The pattern that the page's address names after the #; null for none. */
export function readAddress() {
  const name = /^#pattern=(?<name>.+)$/su.exec(location.hash)?.groups?.name;
  try {
    return name === undefined ? null : decodeURIComponent(name);
  } catch {
    return null; // not written by this page
  }
}

/**
 * Put a pattern into the page's address without adding to the browser's history.
 * @param {string | null} patternId
 */
export function writeAddress(patternId) {
  const hash = patternId === null ? "" : `#pattern=${encodeURIComponent(patternId)}`;
  if (location.hash !== hash) history.replaceState(history.state, "", location.pathname + location.search + hash);
}
