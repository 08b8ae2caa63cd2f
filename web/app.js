// Which view is shown: by the part of the address behind #. Where keys are asked for, the login comes first.
import { ApiError, ask } from "/web/api.js";
import { h } from "/web/dom.js";
import { films } from "/web/films.js";
import { make } from "/web/make.js";
import { shared } from "/web/shared.js";
import { trouble, watch } from "/web/watch.js";

const main = document.getElementById("main");
const logout = document.getElementById("logout");
let leave = null;

function login(reason) {
  const key = h("input", { id: "key", type: "password", autocomplete: "current-password", required: true, "aria-describedby": "login-problem" });
  const problem = h("p", { id: "login-problem", class: "problem", role: "alert" }, reason);
  const form = h("form", { class: "fields" }, h("div", {}, h("label", { for: "key" }, "Key"), key,
    h("span", { class: "hint" }, "Begins with plk_. Whoever runs this server makes one with picturelock keys.")), problem,
    h("button", { class: "main" }, "Log in"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask("POST", "/api/session", { json: { key: key.value.trim() } });
      route();
    } catch (error) {
      problem.textContent = error.message;
      key.focus();
    }
  });
  main.replaceChildren(h("h1", {}, "Log in"), form);
  key.focus();
}

let routes = 0;

async function route() {
  const number = ++routes;
  const keep = (ends) => { // somebody may have gone on while a view was being made
    if (number === routes) leave = ends;
    else ends?.();
  };
  leave?.();
  leave = null;
  trouble("");
  document.title = "Picturelock";
  const [, view = "", id = "", token = ""] = location.hash.slice(1).split("/");
  document.querySelector("header nav").hidden = view === "shared"; // a guest has no list, and makes nothing
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === (location.hash || "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    if (view === "shared") {
      keep(await shared(main, id, token));
      return;
    }
    const session = await ask("GET", "/api/session").catch((error) => {
      if (error.status === 404 || error.status === 405) return null;
      throw error;
    });
    logout.hidden = !session || session.owner === "local";
    if (number !== routes) return;
    if (view === "new") keep(await make(main, id));
    else if (view === "job") keep(watch(main, id));
    else keep(films(main));
    if (document.activeElement === document.body) main.focus({ preventScroll: true });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) login("");
    else {
      trouble(error.message);
      setTimeout(() => number === routes && leave === null && route(), 3000);
    }
  }
}

logout.addEventListener("click", async () => {
  await ask("DELETE", "/api/session");
  route();
});
window.addEventListener("hashchange", route);
route();
