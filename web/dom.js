// Elements from data: h("p", {class: "hint"}, "text", child). Text is never parsed as HTML.

/** Makes an element. Properties that begin with "on" are listeners; false, null and undefined are left out. */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts children in an element's place for them, and leaves it alone where nothing has changed. */
export function fill(element, ...children) {
  const fresh = h("div", {}, ...children);
  if (element.innerHTML !== fresh.innerHTML) element.replaceChildren(...fresh.childNodes);
  return element;
}

let spoken = 0;

/** Tells screen readers something, at most once in four seconds unless it is urgent. */
export function announce(text, urgent = false) {
  if (!urgent && Date.now() - spoken < 4000) return;
  spoken = Date.now();
  document.getElementById("announcer").textContent = text;
}

/** Seconds in words: "2 min 5 s". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A file's size in words. */
export function size(bytes) {
  if (bytes < 1e4) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
