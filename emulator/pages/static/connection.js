// The form of a new connection.
import { ask, busily, tell, words } from "./common.js";

const form = document.getElementById("connection");

for (const input of form.querySelectorAll("[data-secret]")) {
  if (/token|pass|secret|key/i.test(input.dataset.secret)) input.type = "password";
}

function connection() {
  const settings = {};
  for (const input of form.elements) {
    if (input.name && input.name.startsWith("setting:")) settings[input.name.slice(8)] = input.value;
  }
  return { connectorId: Number(form.dataset.connector), title: form.elements.title.value, settings };
}

document.getElementById("check").addEventListener("click", (event) => busily(event.target, async () => {
  tell(words.checking);
  await ask("/workspace/check", connection());
  tell(words.check_ok, "good");
}));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  busily(event.submitter, async () => {
    tell(words.checking);
    const made = await ask("/workspace/sources", connection());
    window.location.href = `/connections/${made.id}/tables`;
  });
});
