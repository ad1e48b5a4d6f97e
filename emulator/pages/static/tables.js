// The tables of a connection; the connector does the searching.
import { ask, make, tell, words } from "./common.js";

const list = document.getElementById("tables");
const search = document.getElementById("search");
let turn = 0;
let waiting = 0;

async function load() {
  const mine = ++turn;
  const source = list.dataset.source;
  try {
    const tables = await ask(`/workspace/sources/${source}/tables?search=${encodeURIComponent(search.value.trim())}`);
    if (mine !== turn) return;
    tell(tables.length ? "" : words.tables_none);
    list.replaceChildren(...tables.map((table) => make("li", {}, make("a", {
      href: `/connections/${source}/dataset?table=${encodeURIComponent(table.id)}&title=${encodeURIComponent(table.title)}`,
    }, make("strong", { text: table.title }), make("span", { class: "code", text: table.code })))));
    list.hidden = !tables.length;
  } catch (error) {
    if (mine === turn) tell(error.message, "bad");
  }
}

search.addEventListener("input", () => {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(load, 250);
});
load();
