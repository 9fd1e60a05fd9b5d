// The page: a form, the list of runs, and the view of one of them.
import * as api from "./api.js";
import { byId, make } from "./dom.js";
import { RunView } from "./draw.js";

let shown = null; // id of the run in view
let leave = () => {};
let oldest = null;

function say(text) {
  byId("status").textContent = text;
}

// Runs an action; a refusal is said, and a missing token asked for.
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error.status === 401) byId("sign-in").hidden = false;
    say(error.message);
    return undefined;
  }
}

async function listRuns(before) {
  const answer = await attempt(() => api.runs(before));
  if (!answer) return;
  const items = answer.runs.map(({ id, goal, state }) => make("li", {},
    make("button", { type: "button", "data-run": id, "aria-current": String(id === shown), onclick: () => show(id) },
      make("span", { class: `state ${state}` }, state), ` ${goal}`)));
  if (before) byId("runs").append(...items);
  else byId("runs").replaceChildren(...items);
  oldest = answer.runs.at(-1)?.id ?? oldest;
  byId("older").hidden = !answer.more;
}

async function afterwards(id) {
  const [detail, files] = [await attempt(() => api.detail(id)), await attempt(() => api.artifacts(id))];
  if (id !== shown || !detail) return;
  const ended = api.ENDED.includes(detail.state);
  byId("cancel").disabled = ended;
  byId("rollback").disabled = byId("snapshot").disabled = !ended;
  byId("snapshot").replaceChildren(make("option", { value: "" }, "the start"),
    ...detail.snapshots.map((name) => make("option", { value: name }, name)));
  byId("artifacts").replaceChildren(...(files?.files ?? []).map(({ path, bytes }) =>
    make("li", {}, make("a", { href: api.fileAddress(id, path), download: "" }, path), bytes === null ? "" : ` ${bytes} bytes`)));
}

function show(id) {
  leave();
  shown = id;
  if (location.hash !== `#${id}`) history.replaceState(null, "", `#${id}`);
  byId("empty").hidden = true;
  byId("view").hidden = false;
  for (const button of document.querySelectorAll("#runs button")) {
    button.setAttribute("aria-current", String(button.dataset.run === id));
  }
  const view = new RunView((approval, allow) => attempt(() => api.answer(id, approval, allow)));
  afterwards(id);
  leave = api.follow(id, (event) => {
    view.event(event);
    if (event.type === "run") listRuns();
    if (event.type === "run" || event.type === "rollback") afterwards(id);
  }, say);
}

function addFile() {
  const at = byId("files").children.length + 1;
  byId("files").append(make("div", { class: "file" },
    make("label", {}, `Path of file ${at}`, make("input", { class: "path", maxlength: 400 })),
    make("label", {}, `Text of file ${at}`, make("textarea", { class: "text", rows: 3 }))));
  byId("files").lastElementChild.querySelector("input").focus();
}

async function start() {
  const files = {};
  for (const box of document.querySelectorAll(".file")) {
    const path = box.querySelector(".path").value.trim();
    if (path) files[path] = box.querySelector(".text").value;
  }
  const body = { goal: byId("goal").value, files, approve: byId("approve").value, seed: Number(byId("seed").value) || 0 };
  byId("start").disabled = true;
  const answer = await attempt(() => api.start(body));
  byId("start").disabled = false;
  if (!answer) return;
  say("");
  await listRuns();
  show(answer.id);
  byId("run").focus();
}

byId("new-run").addEventListener("submit", (event) => { event.preventDefault(); start(); });
byId("goal").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("new-run").requestSubmit();
});
byId("add-file").addEventListener("click", addFile);
byId("older").addEventListener("click", () => listRuns(oldest));
byId("cancel").addEventListener("click", () => attempt(() => api.cancel(shown)));
byId("rollback").addEventListener("click", async () => {
  const to = byId("snapshot").value || null;
  const answer = await attempt(() => api.rollback(shown, to));
  if (answer) {
    say(`rolled back to ${to ?? "the start"}`);
    show(shown);
  }
});
byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await attempt(() => api.signIn(byId("token").value))) {
    byId("sign-in").hidden = true;
    byId("token").value = "";
    say("");
    listRuns();
  }
});
listRuns().then(() => { if (/^#\d{8}-/.test(location.hash)) show(location.hash.slice(1)); });
