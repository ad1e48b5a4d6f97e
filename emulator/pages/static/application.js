// Opens an application in its frame and waits for it to say that it is installed.
import { tell, words } from "./common.js";

const frame = document.querySelector(".frame");
let finished = false;

window.addEventListener("message", (event) => {
  if (event.source !== frame.contentWindow || event.data !== "BX24.installFinish") return;
  finished = true;
  tell(words.install_done, "good");
});
// A page that is there, or that will never be, and has not said that it is done.
frame.addEventListener("load", () => window.setTimeout(() => {
  if (!finished) tell(words.install_failed, "bad");
}, 500));
document.getElementById("open").submit();
