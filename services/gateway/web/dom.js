// Making elements. Text is always set as text: what an agent read or wrote never becomes markup.

export function make(tag, attributes = {}, ...children) {
  const element = tag === "svg" || make.inSvg.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}
make.inSvg = new Set(["polyline", "rect", "line", "text", "title", "g"]);

export const byId = (id) => document.getElementById(id);

export function number(value, digits = 2) {
  return value === null || value === undefined ? "" : value.toFixed(digits);
}

export function callText(call) {
  try {
    const { tool, args } = typeof call === "string" ? JSON.parse(call) : call;
    return `${tool} ${JSON.stringify(args)}`;
  } catch {
    return String(call);
  }
}
