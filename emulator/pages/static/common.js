// What every page uses: words, requests to the portal, small pieces of the document.
export const words = JSON.parse(document.getElementById("words").textContent);
export const language = document.documentElement.lang;
export const numberFormat = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });

export async function ask(path, value, method) {
  const options = { method: method || (value === undefined ? "GET" : "POST") };
  if (value !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(value);
  }
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({ error: `HTTP ${response.status}` }));
  window.dispatchEvent(new Event("asked"));
  if (!response.ok) {
    const reason = words[`reason_${answer.reason}`];
    const known = reason ? `${words.unavailable}: ${reason}` : words[`refused_${answer.reason}`];
    throw new Error(known || answer.error || String(response.status));
  }
  return answer;
}

export function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "text") element.textContent = value;
    else if (typeof value === "boolean") element[name] = value;
    else if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function tell(text, mood, id = "outcome") {
  const place = document.getElementById(id);
  place.textContent = text;
  place.className = `outcome ${mood || ""}`;
  place.hidden = !text;
}

export async function busily(button, work) {
  const focused = button && document.activeElement === button;
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    tell(error.message, "bad");
  } finally {
    if (button) button.disabled = false;
    // A button that is disabled loses the focus, and the keyboard would start from the top again.
    if (focused && document.activeElement === document.body) button.focus();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (!button || !window.confirm(words.sure)) return;
  ask(button.dataset.remove, undefined, "DELETE")
    .then(() => window.location.reload())
    .catch((error) => window.alert(error.message));
});

// A report keeps its question in the address, so the address of the other language changes with it.
export function linkLanguages() {
  for (const link of document.querySelectorAll("[data-lang]")) {
    const address = new URL(window.location.href);
    address.searchParams.set("lang", link.dataset.lang);
    link.href = address.pathname + address.search;
  }
}
linkLanguages();
