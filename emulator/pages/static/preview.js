// The first rows of a table.
import { ask, make, tell, words } from "./common.js";

const preview = document.getElementById("preview");

function cell(value, numeric) {
  if (value === null) return make("td", { class: numeric ? "null number" : "null", text: "null" });
  return make("td", { class: numeric ? "number" : "", text: String(value), title: String(value) });
}

function showRows(rows) {
  if (!rows.length) {
    preview.hidden = true;
    tell(words.no_rows, "", "preview-outcome");
    return;
  }
  const names = Object.keys(rows[0]);
  const numeric = new Set(names.filter((name) => rows.some((row) => typeof row[name] === "number")));
  preview.replaceChildren(make("table", {},
    make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { class: numeric.has(name) ? "number code" : "code", text: name })))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...names.map((name) => cell(row[name], numeric.has(name))))))));
}

export async function loadPreview(codes) {
  const query = new URLSearchParams({ table: preview.dataset.table });
  for (const code of codes) query.append("code", code);
  try {
    showRows(await ask(`/workspace/sources/${preview.dataset.source}/preview?${query}`));
  } catch (error) {
    preview.hidden = true;
    tell(error.message, "bad", "preview-outcome");
  }
}
