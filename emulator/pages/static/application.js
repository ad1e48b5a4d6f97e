// Opens an application in its frame and waits for it to say that it is installed.
import { tell, words } from "./common.js";

window.addEventListener("message", (event) => {
  const frame = document.querySelector(".frame");
  if (event.source === frame.contentWindow && event.data === "BX24.installFinish") tell(words.install_done, "good");
});
document.getElementById("open").submit();
