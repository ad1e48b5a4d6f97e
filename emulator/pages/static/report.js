// A report: what is asked, kept in the address, and what comes back as a chart and a table.
import { drawChart, drawLegend } from "./chart.js";
import { ask, busily, language, linkLanguages, make, numberFormat, tell, words } from "./common.js";

const asked = document.getElementById("report");
const filters = document.getElementById("filters");
const result = document.getElementById("result");
const numbers = document.getElementById("numbers");
const parts = asked.elements;
const plainNames = ["dimension", "grain", "breakdown", "function", "measure", "from", "to", "time"];

const typeOf = (select) => (select.selectedOptions[0] ? select.selectedOptions[0].dataset.type : "");
const isDate = (type) => type === "date" || type === "datetime";

function firstField(test) {
  return [...parts.dimension.options].find((option) => test(option.dataset.type));
}

function addFilter(given) {
  const row = document.getElementById("filter").content.firstElementChild.cloneNode(true);
  const part = (name) => row.querySelector(`[data-part=${name}]`);
  for (const [name, value] of Object.entries(given || {})) part(name).value = value;
  const adjust = () => { part("values").hidden = part("operator").value === "IS_NULL"; };
  part("operator").addEventListener("change", adjust);
  part("remove").addEventListener("click", () => row.remove());
  adjust();
  filters.append(row);
  return row;
}

function filterParts(row) {
  return Object.fromEntries(["field", "type", "operator", "values"].map((name) => [name, row.querySelector(`[data-part=${name}]`).value]));
}

function asGroup(row) {
  const { field, type, operator, values } = filterParts(row);
  const list = values.split(",").map((value) => value.trim()).filter((value) => value !== "");
  if (!list.length && operator !== "IS_NULL") return null;
  return [{ fieldName: field, type, operator, values: list }];
}

function question() {
  const dated = isDate(typeOf(parts.dimension));
  const range = {};
  if (parts.from.value) range.startDate = parts.from.value;
  if (parts.to.value) range.endDate = parts.to.value;
  return {
    dimension: parts.dimension.value,
    grain: dated ? parts.grain.value : "",
    breakdown: parts.breakdown.value === parts.dimension.value ? "" : parts.breakdown.value,
    function: parts.function.value,
    measure: parts.function.value === "count" ? "" : parts.measure.value,
    dateRange: range,
    timeColumn: parts.time.value,
    dimensionsFilters: [...filters.children].map(asGroup).filter(Boolean),
  };
}

function remember() {
  const query = new URLSearchParams();
  for (const name of plainNames) if (parts[name].value || name === "grain") query.set(name, parts[name].value);
  for (const row of filters.children) query.append("filter", JSON.stringify(filterParts(row)));
  window.history.replaceState(null, "", `?${query}`);
  linkLanguages();
}

function recall() {
  const query = new URLSearchParams(window.location.search);
  for (const name of plainNames) if (query.has(name)) parts[name].value = query.get(name);
  for (const text of query.getAll("filter")) {
    try { addFilter(JSON.parse(text)); } catch { /* an address typed by hand */ }
  }
  if (query.has("dimension")) return;
  const date = firstField(isDate);
  if (date) parts.dimension.value = date.value;
  const text = firstField((type) => type === "string");
  if (text && date) parts.breakdown.value = text.value;
}

function adjust() {
  const show = (name, on) => { asked.querySelector(`[data-for=${name}]`).hidden = !on; };
  show("dates", isDate(typeOf(parts.dimension)));
  show("measure", parts.function.value !== "count");
  show("period", parts.time.options.length > 0);
}

function label(value, dated, grain) {
  if (value === null || value === "") return words.empty_value;
  if (!dated || (grain !== "month" && grain !== "day")) return String(value);
  const day = new Date(`${value}${grain === "month" ? "-01" : ""}T00:00:00`);
  if (Number.isNaN(day.getTime())) return String(value);
  const style = grain === "month" ? { month: "short", year: "numeric" } : { day: "numeric", month: "short", year: "numeric" };
  return day.toLocaleDateString(language, style);
}

function showNumbers(labels, series, answer, title) {
  const format = (value) => (value === null ? "" : numberFormat.format(value));
  const split = series.length > 1 || parts.breakdown.value;
  const head = make("tr", {}, make("th", { text: title }), ...(split ? series : []).map((one) => make("th", { class: "number", text: one.label })), make("th", { class: "number total", text: words.total }));
  const rows = labels.map((name, index) => make("tr", {}, make("td", { text: name }),
    ...(split ? series : []).map((one) => make("td", { class: "number", text: format(one.values[index]) })),
    make("td", { class: "number total" }, make("strong", { text: format(answer.totals[index]) }))));
  numbers.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
  markHidden();
}

// Tells the style whether columns lie beneath the total.
function markHidden() {
  numbers.classList.toggle("hides", numbers.scrollLeft + numbers.clientWidth < numbers.scrollWidth - 1);
}

function show(answer, sent) {
  const dated = isDate(typeOf(parts.dimension));
  const labels = answer.groups.map((group) => label(group, dated, sent.grain));
  const series = answer.series.map((one) => ({
    ...one,
    label: one.name === "…" ? words.others : sent.breakdown ? label(one.name, false, "") : words[sent.function],
  }));
  const found = labels.length > 0;
  result.hidden = !found;
  tell(found ? `${words.rows_read}: ${numberFormat.format(answer.rows)} · ${numberFormat.format(answer.seconds)} ${words.seconds}` : words.nothing_found, found ? "good" : "");
  if (!found) return;
  const cut = document.getElementById("cut");
  cut.hidden = !answer.more;
  cut.textContent = `${words.groups_shown}: ${numberFormat.format(labels.length)} / ${numberFormat.format(labels.length + answer.more)}. ${words.groups_advice}`;
  const chart = document.getElementById("chart");
  drawChart(chart, `${parts.function.selectedOptions[0].text}, ${sent.dimension}`, labels, series, sent.function === "count" || sent.function === "sum");
  drawLegend(document.getElementById("legend"), chart, series);
  showNumbers(labels, series, answer, sent.dimension);
}

function run() {
  remember();
  return busily(asked.querySelector("[type=submit]"), async () => {
    tell(words.running);
    result.classList.add("stale");
    const sent = question();
    try {
      show(await ask(`/workspace/datasets/${asked.dataset.dataset}/report`, sent), sent);
    } catch (error) {
      result.hidden = true; // what was there answers another question
      throw error;
    } finally {
      result.classList.remove("stale");
    }
  });
}

numbers.addEventListener("scroll", markHidden);
window.addEventListener("resize", markHidden);
document.getElementById("add-filter").addEventListener("click", () => {
  const text = firstField((type) => type === "string");
  addFilter(text && { field: text.value }).querySelector("input").focus();
});
asked.addEventListener("change", adjust);
asked.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
recall();
adjust();
if (parts.dimension.value) run();
