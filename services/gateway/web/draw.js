// What the events of a run look like.
import { ENDED } from "./api.js";
import { chart } from "./chart.js";
import { byId, callText, make, number } from "./dom.js";

// The view of one run, drawn from its events alone.
export class RunView {
  constructor(onAnswer) {
    this.onAnswer = onAnswer;
    this.points = [];
    this.cards = new Map();
    this.turn = 0;
    for (const id of ["approvals", "plan", "turns", "diff", "checks", "artifacts", "chart"]) byId(id).replaceChildren();
  }

  event({ type, data }) {
    this[type]?.(data);
  }

  run({ state, goal, result, reason }) {
    byId("run-goal").textContent = goal;
    byId("run-state").textContent = state + (result ? `: ${result.outcome}` : "");
    byId("run-state").className = `state ${state}`;
    byId("run-reason").textContent = reason ?? result?.summary ?? "";
    if (ENDED.includes(state)) byId("approvals").replaceChildren();
  }

  card(turn) {
    if (!this.cards.has(turn)) {
      const card = make("article", { class: "card", "aria-label": `turn ${turn}` }, make("strong", {}, `Turn ${turn} `));
      this.cards.set(turn, card);
      byId("turns").append(card);
    }
    return this.cards.get(turn);
  }

  candidates({ turn, schedule, control, candidates, chosen }) {
    this.turn = turn;
    const card = this.card(turn);
    card.replaceChildren(make("strong", {}, `Turn ${turn} `),
      make("span", { class: "soft" }, `K = ${schedule?.k ?? candidates.length}, ${schedule?.why ?? "fixed"}, risk ${number(control.risk)}`));
    const head = ["", "call", "log p", "energy", "p", "expert"].map((name, at) =>
      make("th", { scope: "col", class: at > 1 && at < 5 ? "number" : "" }, name));
    const rows = candidates.map((one, at) => make("tr",
      { class: `${at === chosen ? "chosen" : ""} ${one.vetoed ? "vetoed" : ""}` },
      make("td", {}, at === chosen ? "chosen" : one.vetoed ? "vetoed" : ""),
      make("td", {}, make("code", {}, callText(one.text))),
      ...[one.logprob, one.energy, one.p].map((value) => make("td", { class: "number" }, number(value))),
      make("td", {}, one.expert ?? "")));
    card.append(make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows))));
    this.points = this.points.filter((point) => point.turn !== turn);
    this.points.push({ turn, risk: control.risk, k: schedule?.k ?? candidates.length });
    byId("chart").replaceChildren(chart(this.points));
  }

  step({ content, window, verdict, obs, ok, kept, ms }) {
    const card = this.card(this.turn || this.cards.size + 1);
    if (!card.querySelector("table")) card.append(make("code", {}, callText(content)));
    if (verdict && !verdict.allow) card.append(make("p", { class: "not-ok" }, `denied (${verdict.rule}): ${verdict.reason}`));
    const said = obs ? [obs.stdout, obs.stderr].filter(Boolean).join("\n") : "";
    const total = Object.values(ms ?? {}).reduce((sum, part) => sum + part, 0);
    card.append(make("p", {}, make("span", { class: ok ? "ok" : "not-ok" }, ok ? kept ? "ok, kept; looking for a better way" : "ok" : "failed"),
      make("span", { class: "soft" }, ` ${number(total, 0)} ms`)));
    if (said) card.append(make("pre", { tabindex: 0, "aria-label": "observation" }, said));
    if (ok) this.plan(content, window, kept);
  }

  plan(content, window, kept) {
    let call;
    try {
      call = JSON.parse(content);
    } catch {
      return;
    }
    if (call.tool !== "plan") return;
    const set = call.args.op === "set";  // after a rollback the window may be another plan's
    const steps = set ? call.args.steps : window?.steps ?? [];
    const over = set ? 0 : (window?.index ?? 0) + (kept ? 0 : 1);
    byId("plan").replaceChildren(...steps.map((step, at) => make("li", { class: at < over ? "ok" : "" }, step)));
  }

  approval({ approval, call, reason, state }) {
    document.getElementById(`approval-${approval}`)?.remove();
    if (state !== "asked") return;
    const box = make("div", { class: "card approval", id: `approval-${approval}`, role: "group", "aria-label": "approval wanted" },
      make("p", {}, `May the agent do this? ${reason}`), make("pre", {}, callText(call)),
      make("button", { type: "button", class: "allow", onclick: () => this.onAnswer(approval, true) }, "Allow"), " ",
      make("button", { type: "button", class: "deny", onclick: () => this.onAnswer(approval, false) }, "Deny"));
    byId("approvals").append(box);
    box.querySelector("button").focus();
  }

  diff({ files, cut }) {
    const shown = files.map(({ path, kind, diff }) => make("details", { class: "card", open: files.length < 6 ? "" : null },
      make("summary", {}, `${kind}: ${path}`),
      make("pre", { tabindex: 0 }, diff.split("\n").map((line) => make("span",
        { class: line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "" }, line + "\n")))));
    byId("diff").replaceChildren(...(shown.length ? shown : [make("p", { class: "soft" }, "no file differs")]));
    if (cut) byId("diff").append(make("p", { class: "soft" }, "there is more than is shown"));
  }

  rollback({ to }) {
    byId("turns").append(make("p", { class: "card" }, `rolled back to ${to ?? "the start"}`));
  }

  checks({ results }) {
    byId("checks").replaceChildren(...results.map(({ step, ok, detail }) =>
      make("li", { class: ok ? "ok" : "not-ok" }, `${ok ? "holds" : "does not hold"}: ${step} ${detail}`)));
  }
}
