// The list of predictions: only the rows that can be seen are in the page, and only their blocks are asked for.

import { ask, attempt, byId, digits, element, whole } from "./dom.js";

const HEIGHT = 44; // pixels of a row, as in style.css
const BLOCK = 200; // rows that are asked for at once
const SPARE = 8; // rows beyond the edges
const REST = 60; // milliseconds without scrolling after which rows are asked for
const MARKS = { accepted: "✓", rejected: "✗", open: "" };

export class PredictionList {
  /** @param {(row) => void} chosen called with the row that is chosen, or null. */
  constructor(chosen) {
    this.chosen = chosen;
    this.frame = byId("list");
    this.rows = byId("rows");
    this.parameters = {};
    this.forget();
    this.frame.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.frame);
    this.rows.addEventListener("click", (event) => {
      const row = event.target.closest("[data-at]");
      if (row) this.choose(Number(row.dataset.at));
    });
  }

  forget() {
    this.gone?.abort();
    this.gone = new AbortController();
    this.blocks = new Map();
    this.total = 0;
    this.at = -1;
  }

  /** Show another view, from its top. */
  async show(parameters) {
    this.forget();
    this.parameters = parameters;
    this.frame.scrollTop = 0;
    this.rows.replaceChildren();
    byId("count").textContent = "…";
    byId("empty").hidden = true;
    await this.load(0);
    if (this.total) await this.choose(0);
    else this.chosen(null);
  }

  /** Ask for a block of rows, once. */
  load(block) {
    if (!this.blocks.has(block)) this.blocks.set(block, this.fetch(block));
    return this.blocks.get(block);
  }

  async fetch(block) {
    const { signal } = this.gone;
    const place = { offset: block * BLOCK, limit: BLOCK };
    const answer = await attempt(() => ask("predictions", { ...this.parameters, ...place }, { signal }));
    if (signal.aborted) return;
    if (!answer) {
      this.blocks.delete(block);
      if (!this.total) byId("count").textContent = "";
      return;
    }
    this.blocks.set(block, answer.rows);
    this.total = answer.total;
    this.rows.style.height = `${this.total * HEIGHT}px`;
    byId("count").textContent = `${whole(this.total)} ${this.total === 1 ? "prediction" : "predictions"}`;
    byId("empty").hidden = this.total > 0;
    this.draw();
  }

  /** The row at a place, if it has come. */
  row(at) {
    const rows = this.blocks.get(Math.floor(at / BLOCK));
    return Array.isArray(rows) ? (rows[at % BLOCK] ?? null) : null;
  }

  draw() {
    const first = Math.max(0, Math.floor(this.frame.scrollTop / HEIGHT) - SPARE);
    const seen = Math.ceil(this.frame.clientHeight / HEIGHT) + 2 * SPARE;
    const last = Math.min(this.total, first + seen);
    const drawn = [];
    const missing = new Set();
    for (let at = first; at < last; at += 1) {
      if (this.row(at)) drawn.push(this.drawRow(at, this.row(at)));
      else {
        drawn.push(this.drawGap(at));
        missing.add(Math.floor(at / BLOCK));
      }
    }
    this.rows.replaceChildren(...drawn);
    clearTimeout(this.soon); // what scrolls past is never asked for
    if (missing.size) this.soon = setTimeout(() => [...missing].forEach((block) => this.load(block)), REST);
  }

  /** The place of a row that has not come yet. */
  drawGap(at) {
    const made = element("div", { class: "row gap" }, element("span"), element("span", {}, "…"));
    made.style.top = `${at * HEIGHT}px`;
    return made;
  }

  drawRow(at, row) {
    const facts = [
      row.known ? `listed: ${row.known}` : null,
      row.contexts ? `${whole(row.contexts)} ${row.contexts === 1 ? "context" : "contexts"}` : "never together in text",
      row.commented ? "commented" : null,
    ];
    const made = element(
      "div",
      {
        class: `row ${row.decision}${at === this.at ? " chosen" : ""}`, "data-at": at, role: "option",
        id: `row-${at}`, "aria-selected": at === this.at, "aria-setsize": this.total, "aria-posinset": at + 1,
      },
      element("span", { class: "mark", title: row.decision }, MARKS[row.decision]),
      element("span", { class: "pair" }, element("b", {}, row.source_name), " – ", element("b", {}, row.target_name),
        element("small", {}, facts.filter(Boolean).join(" · "))),
      element("span", { class: "relation" }, row.relation),
      scoreBar(row),
    );
    made.style.top = `${at * HEIGHT}px`;
    return made;
  }

  /** Choose the row at a place and bring it into view. */
  async choose(at) {
    if (at < 0 || at >= this.total) return;
    const { signal } = this.gone;
    this.at = at;
    const top = at * HEIGHT;
    if (top < this.frame.scrollTop) this.frame.scrollTop = top;
    const below = top + HEIGHT - this.frame.clientHeight;
    if (below > this.frame.scrollTop) this.frame.scrollTop = below;
    if (!this.row(at)) await this.load(Math.floor(at / BLOCK));
    if (signal.aborted || this.at !== at) return;
    this.frame.setAttribute("aria-activedescendant", `row-${at}`);
    this.draw();
    this.chosen(this.row(at));
  }

  step(by) {
    return this.choose(Math.min(this.total - 1, Math.max(0, this.at + by)));
  }

  /** Take a review into the rows that have come; the view keeps its rows until it is asked for again. */
  reviewed(review) {
    const ends = [review.first, review.second];
    for (const row of [...this.blocks.values()].filter(Array.isArray).flat()) {
      if (ends.includes(row.source) && ends.includes(row.target) && row.relation === review.relation) {
        row.decision = review.decision;
        row.commented = review.comment !== "";
      }
    }
    this.draw();
  }
}

/** The score as a bar with its spread, and as a number. */
function scoreBar(row) {
  const bar = element("span", { class: `bar${row.predicted ? " predicted" : ""}` }, element("i"), element("u"));
  const share = (value) => `${100 * Math.min(1, Math.max(0, value))}%`;
  bar.children[0].style.width = share(row.score);
  if (row.score_std !== null) {
    bar.children[1].style.left = share(row.score - row.score_std);
    bar.children[1].style.width = share(Math.min(1, row.score + row.score_std) - Math.max(0, row.score - row.score_std));
  }
  const spread = row.score_std === null ? "" : `, spread ${digits(row.score_std)}`;
  const title = `score ${digits(row.score)}${spread}; ${row.predicted ? "above" : "below"} the threshold`;
  return element("span", { class: "score", title }, bar, digits(row.score));
}
