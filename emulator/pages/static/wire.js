// The wire log: polls for new exchanges and shows each as it was sent.
import { language, make, numberFormat, words } from "./common.js";

const wireList = document.getElementById("wire-list");
const wireOnly = document.getElementById("wire-only");
const arrows = { portal: "wire_portal", application: "wire_application", oauth: "wire_oauth", event: "wire_event" };
let lastSeen = 0;
let polling = false;

function size(bytes) {
  if (bytes < 1024) return `${bytes} ${words.bytes}`;
  if (bytes < 1048576) return `${numberFormat.format(bytes / 1024)} ${words.kilobytes}`;
  return `${numberFormat.format(bytes / 1048576)} ${words.megabytes}`;
}

function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ${words.milliseconds}` : `${numberFormat.format(ms / 1000)} ${words.seconds}`;
}

function breakable(name) {
  return name.split(/(?<=\.)/).flatMap((part) => [part, make("wbr")]);
}

function plain(text) {
  try { return decodeURIComponent(text.replace(/\+/g, " ")); } catch { return text; }
}

function value(text) {
  return text === "***" ? make("em", { text }) : text;
}

function decodedForm(body) {
  const place = make("pre");
  for (const pair of body.split("&").filter(Boolean)) {
    const [name, ...rest] = pair.split("=");
    place.append(make("b", { text: plain(name) }), make("i", { text: " = " }), value(plain(rest.join("="))), "\n");
  }
  return place;
}

// With spaces, so that a line breaks between values and not inside of them.
function onOneLine(row) {
  return JSON.stringify(row, null, 1).replace(/\n\s*/g, " ").replace(/^([[{]) /, "$1").replace(/ ([\]}])$/, "$1");
}

function prettyJson(body, limit) {
  let text = body;
  try {
    const parsed = JSON.parse(body);
    const table = Array.isArray(parsed) && parsed.every((row) => typeof row === "object");
    text = table ? `[${parsed.map(onOneLine).join(",\n")}]` : JSON.stringify(parsed, null, 2);
  } catch {
    text = body.replace(/\],\s*\[/g, "],\n[");
  }
  const place = make("pre");
  const shown = text.slice(0, limit);
  const parts = shown.split(/(\*\*\*|"(?:[^"\\]|\\.)*"(?=\s*:))/);
  for (const part of parts) {
    if (part === "***") place.append(make("em", { text: part }));
    else place.append(part.endsWith('"') && part.length > 1 && part.startsWith('"') ? make("b", { text: part }) : part);
  }
  if (text.length > limit) place.append(make("i", { text: `\n${words.cut_here}` }));
  return place;
}

function rawPart(first, headers, body) {
  const place = make("pre", {}, first, "\n");
  for (const [name, text] of headers) place.append(make("span", { class: "h", text: `${name}: ${text}\n` }));
  if (body) place.append("\n", body.slice(0, 12000));
  return place;
}

function section(title, pretty, raw, extra) {
  const bar = make("div", { class: "x-bar" }, make("strong", { text: title }), ...extra);
  const toggle = make("button", { type: "button", class: "quiet", text: words.raw });
  const place = make("div", {}, pretty());
  toggle.addEventListener("click", () => {
    const toRaw = toggle.textContent === words.raw;
    toggle.textContent = toRaw ? words.decoded : words.raw;
    place.replaceChildren(toRaw ? raw() : pretty());
  });
  bar.append(toggle);
  return [bar, place];
}

function copyButton(text) {
  const button = make("button", { type: "button", text: words.copy_curl });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", {});
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = words.copied;
    window.setTimeout(() => { button.textContent = words.copy_curl; }, 1500);
  });
  return button;
}

// The command is copied without its secrets; the reader's shell has to know them.
function fillIn(variables) {
  const names = variables.map((name) => make("code", { text: `${name}='…' ` }));
  return make("p", { class: "x-fill" }, `${words.curl_fill} `, ...names);
}

function complaint(entry) {
  const text = words[`reason_${entry.reason}`] || entry.error;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function body(entry) {
  const address = new URL(entry.url, window.location.href);
  const isForm = entry.request_headers.some(([n, v]) => n.toLowerCase() === "content-type" && v.includes("urlencoded"));
  const query = address.search.slice(1);
  const request = () => {
    if (isForm) return decodedForm([query, entry.request_body].filter(Boolean).join("&"));
    return entry.request_body ? prettyJson(entry.request_body, 6000) : decodedForm(query);
  };
  const rawRequest = () => rawPart(`${entry.method} ${address.pathname}${address.search} HTTP/1.1`, entry.request_headers, entry.request_body);
  const place = make("div", { class: "x-body" });
  if (entry.error) place.append(make("p", { class: "x-error", text: complaint(entry) }));
  place.append(...section(words.request, request, rawRequest, [copyButton(entry.curl)]));
  if (entry.curl_variables.length) place.insertBefore(fillIn(entry.curl_variables), place.querySelector(".x-bar + div"));
  if (entry.status !== null) {
    const answer = () => prettyJson(entry.response_body, 2400);
    const rawAnswer = () => rawPart(`HTTP/1.1 ${entry.status}`, entry.response_headers, entry.response_body);
    place.append(...section(words.answer, answer, rawAnswer, []));
  }
  return place;
}

function card(entry) {
  const address = new URL(entry.url, window.location.href);
  const failed = entry.status === null || entry.status >= 400 || /"error"/.test(entry.response_body.slice(0, 60));
  const first = entry.first_byte_ms === null ? "" : ` · ${words.first_byte} ${duration(entry.first_byte_ms)}`;
  const summary = make("summary", {},
    make("span", { class: "x-name" }, ...breakable(entry.action)),
    make("span", { class: failed ? "x-status bad" : "x-status", text: entry.status === null ? "—" : String(entry.status) }),
    make("span", { class: "x-side", text: words[arrows[entry.direction]] }),
    make("span", { class: "x-time", text: `${duration(entry.duration_ms)}${entry.response_size ? " · " + size(entry.response_size) : ""}` }),
    make("span", { class: "x-line", text: `${entry.method} ${address.pathname}`, title: entry.url }),
    make("span", { class: "x-time", text: new Date(entry.started * 1000).toLocaleTimeString(language), title: first }));
  const details = make("details", { class: `x ${entry.direction}`, "data-direction": entry.direction }, summary);
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector(".x-body")) details.append(body(entry));
  });
  return details;
}

function show(entries) {
  const begun = lastSeen > 0;
  for (const entry of entries) {
    lastSeen = entry.id;
    const made = card(entry);
    if (begun) made.classList.add("fresh");
    made.hidden = Boolean(wireOnly.value) && wireOnly.value !== entry.direction;
    wireList.prepend(made);
  }
  while (wireList.children.length > 150) wireList.lastElementChild.remove();
  // The newest call to a connector lies open, unless somebody reads another one.
  const open = wireList.querySelector("details[open]:not([data-auto])");
  const newest = wireList.querySelector(".x.portal");
  if (open || !newest || !entries.length) return;
  for (const other of wireList.querySelectorAll("details[data-auto]")) {
    other.open = false;
    delete other.dataset.auto;
  }
  newest.dataset.auto = "1";
  newest.open = true;
}

async function poll() {
  if (polling) return;
  polling = true;
  try {
    const response = await fetch(`/emulator/wire?after=${lastSeen}`);
    if (response.ok) show(await response.json());
  } catch { /* the portal is down; the next turn may find it again */ } finally {
    polling = false;
  }
}

wireList.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary) delete summary.parentElement.dataset.auto;
});
wireOnly.addEventListener("change", () => {
  for (const made of wireList.children) made.hidden = Boolean(wireOnly.value) && wireOnly.value !== made.dataset.direction;
});
document.getElementById("wire-clear").addEventListener("click", async () => {
  await fetch("/emulator/wire", { method: "DELETE" });
  wireList.replaceChildren();
});
window.addEventListener("asked", poll);
window.setInterval(() => { if (!document.hidden) poll(); }, 1500);
poll();
