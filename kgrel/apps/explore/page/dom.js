// Small means: elements, requests, numbers. Texts are set as text, never as HTML.

/** An element with attributes and children; a string among the children becomes text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The same for drawings. */
export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);

/** The answer to a question; what the server refuses is an Error with its sentence. */
export async function ask(path, parameters = {}, options = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  let response;
  try {
    response = await fetch(`api/${path}${query ? `?${query}` : ""}`, options);
  } catch {
    if (options.signal?.aborted) throw new DOMException("", "AbortError");
    throw new Error("kgrel does not answer; is it still running?");
  }
  const answer = await response.json().catch(() => undefined); // cut short, or no JSON
  if (options.signal?.aborted) throw new DOMException("", "AbortError");
  if (!response.ok || answer === undefined) throw new Error(answer?.error ?? `kgrel failed (${response.status}); see its terminal`);
  return answer;
}

/** Three digits, or nothing for what is missing. */
export const digits = (value, count = 3) => (value === null || value === undefined ? "" : value.toFixed(count));

export const whole = (value) => value.toLocaleString("en");

let begun = 0;
let saidBy = 0;

/** Run what may fail, and say at the foot of the page why it did; what was given up for something newer is silent.
 *  The message goes when something succeeds that began after it was shown: an earlier success knows nothing of it. */
export async function attempt(work) {
  const number = ++begun;
  try {
    const answer = await work();
    if (number > saidBy) byId("status").textContent = "";
    return answer;
  } catch (error) {
    if (error.name !== "AbortError") {
      saidBy = begun;
      byId("status").textContent = error.message;
    }
    return undefined;
  }
}
