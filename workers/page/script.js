"use strict";
// Without this script the page shows the same, in one order.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const keys = new Map();
      for (const row of body.rows) {
        const cell = row.cells[column];
        keys.set(row, cell.dataset.n === undefined ? cell.textContent : Number(cell.dataset.n));
      }
      const order = (one, other) => {
        const [a, b] = [keys.get(one), keys.get(other)];
        return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
      };
      const rows = [...body.rows].sort((one, other) => (descending ? order(other, one) : order(one, other)));
      body.append(...rows);
    });
  });
}
for (const filter of document.querySelectorAll(".filter")) {
  const input = filter.querySelector("input");
  const shown = filter.querySelector("output");
  const rows = [...filter.parentElement.querySelectorAll("tbody tr")].map((row) => [row, row.textContent.toLowerCase()]);
  filter.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    shown.value = words.length ? `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : "";
  });
}
