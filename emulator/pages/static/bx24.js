// A stand-in for the script that a portal offers to the pages of applications: what installation needs.
"use strict";

window.BX24 = {
  init(callback) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => callback());
    else callback();
  },
  ready(callback) { this.init(callback); },
  installFinish() { window.parent.postMessage("BX24.installFinish", "*"); },
  fitWindow() {},
  resizeWindow() {},
  getLang() { return new URLSearchParams(window.location.search).get("LANG") || "en"; },
  getDomain() { return new URLSearchParams(window.location.search).get("DOMAIN") || ""; },
};
