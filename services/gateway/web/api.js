// Requests to the gateway. Every refusal becomes an Error with the server's own words.

const RUNS = "/v1/agent/runs";

async function ask(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  if (response.ok) return response.status === 204 ? null : response.json();
  let message = `the gateway answered ${response.status}`;
  try {
    message = (await response.json()).error.message;
  } catch { /* no body of ours */ }
  const error = new Error(message);
  error.status = response.status;
  throw error;
}

function post(path, body = {}) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export const runs = (before) => ask(`${RUNS}?limit=20${before ? `&before=${before}` : ""}`);
export const detail = (id) => ask(`${RUNS}/${id}`);
export const start = (body) => post(RUNS, body);
export const answer = (id, approval, allow) => post(`${RUNS}/${id}/approvals/${approval}`, { allow });
export const cancel = (id) => post(`${RUNS}/${id}/cancel`);
export const rollback = (id, to) => post(`${RUNS}/${id}/rollback`, { to });
export const artifacts = (id) => ask(`${RUNS}/${id}/artifacts`);
export const fileAddress = (id, path) => `${RUNS}/${id}/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`;

export async function signIn(token) {
  return ask("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
}

export const ENDED = ["done", "failed", "cancelled", "lost"];

// Follows a run. The browser comes back by itself with the id of the last event that it has seen.
export function follow(id, onEvent, onTrouble) {
  const source = new EventSource(`${RUNS}/${id}/events`);
  let last = 0, ended = false;
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.id <= last) return;
    last = event.id;
    if (event.type === "run") ended = ENDED.includes(event.data.state);
    onEvent(event);
  };
  source.onopen = () => onTrouble("");
  source.onerror = () => {
    if (ended) source.close(); // the server has said all there is
    onTrouble(source.readyState === EventSource.CLOSED ? "" : "connection lost, trying again");
  };
  return () => source.close();
}
