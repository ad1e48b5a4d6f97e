// A dataset: made from a table's description, or its fields shown and hidden later.
import { ask, busily, make, words } from "./common.js";
import { loadPreview } from "./preview.js";

const making = document.getElementById("dataset");
const visible = document.getElementById("visible");

function dimmed(box) {
  box.closest("tr").classList.toggle("off", !box.checked);
}

function fieldRow(column, canRename) {
  const box = make("input", { type: "checkbox", "aria-label": `${words.field_show} ${column.externalCode}`, checked: true });
  box.addEventListener("change", () => dimmed(box));
  const name = make("input", { class: "code", pattern: "[A-Z][A-Z0-9_]*", maxlength: "32", required: true, disabled: !canRename, "aria-label": `${words.field_name} ${column.externalCode}` });
  name.value = column.name;
  const row = make("tr", {}, make("td", {}, box), make("td", {}, name),
    make("td", { title: column.title }, make("span", { class: "code faint", text: column.externalCode })),
    make("td", {}, make("span", { class: "type", text: column.type })));
  row.column = () => ({ externalCode: column.externalCode, type: column.type, name: name.value, visible: box.checked });
  return row;
}

let codes = [];

async function describe() {
  const described = await ask(`/workspace/sources/${making.dataset.source}/description?table=${encodeURIComponent(making.dataset.table)}`);
  codes = described.columns.map((column) => column.externalCode);
  making.elements.name.value = described.name;
  making.querySelector("tbody").replaceChildren(...described.columns.map((column) => fieldRow(column, described.canRename)));
}

if (making) {
  busily(making.querySelector("[type=submit]"), describe).then(() => loadPreview(codes));
  making.addEventListener("submit", (event) => {
    event.preventDefault();
    busily(event.submitter, async () => {
      const made = await ask("/workspace/datasets", {
        sourceId: Number(making.dataset.source),
        externalCode: making.dataset.table,
        externalName: making.dataset.title,
        name: making.elements.name.value,
        fields: [...making.querySelectorAll("tbody tr")].map((row) => row.column()),
      });
      window.location.href = `/datasets/${made.id}/report`;
    });
  });
}

if (visible) {
  for (const box of visible.querySelectorAll("input")) dimmed(box);
  visible.addEventListener("change", (event) => busily(null, async () => {
    const box = event.target;
    dimmed(box);
    await ask(`/workspace/datasets/${visible.dataset.dataset}/fields`, { fields: [{ id: Number(box.dataset.field), visible: box.checked }] });
  }));
  loadPreview([...visible.querySelectorAll("td.faint")].map((cell) => cell.textContent));
}
