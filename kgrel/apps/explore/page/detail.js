// What is known of the chosen pair, and the decision about it.

import { ask, attempt, byId, digits, drawing, element, whole } from "./dom.js";

const LABELS = {
  score_low: "5 % quantile", score_high: "95 % quantile", score_std: "spread", entropy: "entropy, nats",
  disagreement: "disagreement, nats", epistemic_std: "spread over seeds", seen_in_text: "contexts",
  known_relation: "listed as", best_relation: "best relation", probability: "probability of being listed",
};

const PAUSE = 80; // milliseconds

export class Detail {
  /**
   * @param {(review, counts) => void} reviewed called when a review was kept.
   * @param {(entity) => void} wanted called with an entity whose predictions are asked for.
   */
  constructor(reviewed, wanted) {
    this.reviewed = reviewed;
    this.wanted = wanted;
    this.place = byId("detail");
    this.row = null;
  }

  /** Show a row of the list, or that there is none. */
  async show(row) {
    this.gone?.abort();
    this.gone = new AbortController();
    const { signal } = this.gone;
    this.row = row;
    this.known = null;
    if (row === null) {
      this.place.replaceChildren(element("p", { class: "empty" }, "Choose a pair to see what is known of it."));
      return;
    }
    this.draw();
    this.place.scrollTop = 0;
    await new Promise((done) => setTimeout(done, PAUSE)); // a held key passes over many pairs
    if (signal.aborted) return;
    const known = await attempt(() => ask("pair", { source: row.source, target: row.target }, { signal }));
    if (signal.aborted || !known) return;
    this.known = known;
    this.draw();
  }

  /** The pair as it stands in the list, and what has come of the rest. */
  draw() {
    const { known, row } = this;
    const end = (side) => known?.[side] ?? { id: row[side], name: row[`${side}_name`] };
    this.place.replaceChildren(
      element("h2", {}, this.entity(end("source")), " – ", this.entity(end("target"))),
      this.decision(),
      section("Prediction", known?.prediction, "", "", prediction),
      section("Sentences", known?.sentences, "--corpus", "No sentence names both.", (found) => this.sentences(found)),
      this.later("paths", "Paths in the graph", "--graph", "No path of two or three edges joins them.", paths),
      this.later("neighbours", "Pairs related most alike", "--index", "The index holds nothing near.", neighbours),
      this.modes(),
    );
  }

  entity(entity) {
    const attributes = { class: "entity", title: `Show the predictions of ${entity.id}`, onclick: () => this.wanted(entity) };
    return element("button", attributes, entity.name, element("small", {}, ` ${entity.id}`));
  }

  review() {
    return this.known?.reviews.find((one) => one.relation === this.row.relation) ?? null;
  }

  decision() {
    const review = this.review();
    const now = review?.decision ?? this.row.decision;
    const button = (decision, label, key) =>
      element("button", { class: decision, "aria-pressed": now === decision, title: key, onclick: () => this.decide(decision) }, label);
    const comment = element("textarea", {
      id: "comment", rows: 2, maxlength: 4000, placeholder: "Comment   c", "aria-label": "Comment", disabled: !this.known,
    });
    comment.value = review?.comment ?? "";
    comment.addEventListener("change", () => this.decide(this.review()?.decision ?? "open"));
    const when = review ? element("small", {}, `reviewed ${review.at.slice(0, 10)}`) : null;
    return element("div", { class: "decision" }, element("span", {}, this.row.relation, " "),
      button("accepted", "Accept", "a"), button("rejected", "Reject", "r"), button("open", "Open", "o"), when, comment);
  }

  /** Keep a decision, with the comment as it stands where it has come, else with the one that is kept already. */
  async decide(decision) {
    const { row, known } = this;
    if (!row) return false;
    const given = { source: row.source, target: row.target, relation: row.relation, decision };
    if (known) given.comment = byId("comment").value;
    const body = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) };
    const answer = await attempt(() => ask("review", {}, body));
    if (!answer) return false;
    const { review } = answer;
    row.decision = review.decision;
    this.reviewed(review, answer.reviews);
    if (known) {
      known.reviews = known.reviews.filter((one) => one.relation !== row.relation);
      if (review.decision !== "open" || review.comment) known.reviews.push(review);
    }
    if (this.row === row) this.place.querySelector(".decision").replaceWith(this.decision());
    return true;
  }

  sentences(found) {
    const list = element("ol", {}, ...found.sentences.map(sentence));
    const more = element("button", { hidden: found.sentences.length >= found.total }, "More sentences");
    const count = element("small", {}, `${whole(found.sentences.length)} of ${whole(found.total)}`);
    more.addEventListener("click", async () => {
      const { row } = this;
      const place = { source: row.source, target: row.target, offset: list.children.length };
      const next = await attempt(() => ask("sentences", place));
      if (!next) return;
      list.append(...next.sentences.map(sentence));
      count.textContent = `${whole(list.children.length)} of ${whole(found.total)}`;
      more.hidden = list.children.length >= found.total;
    });
    return found.total ? element("div", {}, list, count, " ", more) : null;
  }

  /** A part that takes longer is asked for when the others are there. */
  later(question, title, option, none, draw) {
    if (!this.given?.[question]) return section(title, null, option, none, draw);
    const place = section(title, undefined);
    if (!this.known) return place;
    const { signal } = this.gone;
    const pair = { source: this.row.source, target: this.row.target };
    attempt(() => ask(question, pair, { signal })).then((found) => {
      if (found !== undefined) place.replaceWith(section(title, found, option, none, draw));
    });
    return place;
  }

  /** Modes take seconds, so that they are told on demand. */
  modes() {
    if (!this.given?.modes || !this.known) return "";
    const place = element("section", {}, element("h3", {}, "Modes of the relation"));
    const button = element("button", {}, "Look for several relations");
    button.addEventListener("click", async () => {
      button.disabled = true;
      button.textContent = "Sampling …";
      const found = await attempt(() => ask("modes", { source: this.row.source, target: this.row.target }));
      button.disabled = false;
      button.textContent = "Look for several relations";
      if (!found) return;
      const items = found.modes.map((mode) => element("li", {}, `${Math.round(100 * mode.share)} %: ${mode.words.join(" ")}`));
      button.replaceWith(element("ul", {}, ...items));
    });
    place.append(button);
    return place;
  }
}

/** A part that was not given says how to give it; one that is empty says that; one that is undefined is on its way. */
function section(title, found, option, none, draw) {
  const made = element("section", {}, element("h3", {}, title));
  if (found === undefined) made.append(element("p", { class: "empty" }, "…"));
  else if (found === null) made.append(element("p", { class: "empty" }, `Start kgrel explore with ${option} to see them.`));
  else made.append(draw(found) ?? element("p", { class: "empty" }, none));
  return made;
}

/** The values of the prediction, named. */
function prediction(values) {
  const cells = Object.entries(values)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => element("div", {}, element("dt", {}, LABELS[name] ?? name.replaceAll("_", " ")),
      element("dd", {}, typeof value === "number" && !Number.isInteger(value) ? digits(value) : String(value))));
  return element("dl", {}, ...cells);
}

function neighbours(found) {
  const rows = found.map((one) =>
    element("tr", {}, element("td", {}, `${one.source_name} – ${one.target_name}`),
      element("td", {}, one.relation ?? "not listed"), element("td", {}, digits(one.score))));
  const head = element("tr", {}, ...["Pair", "Listed as", "Similarity"].map((name) => element("th", {}, name)));
  return rows.length ? element("table", {}, head, ...rows) : null;
}

function sentence(one) {
  const [before, first, between, second, after] = one.pieces;
  return element("li", {}, before, element("mark", {}, first), between, element("mark", {}, second), after, " ",
    element("small", {}, one.doc_id));
}

const COLUMN = 190;
const LINE = 34;

/** Paths from left to right: a column for each step, the ends in the middle of theirs, the heaviest path on top. */
function paths(found) {
  if (!found.length) return null;
  const columns = [[], [], [], []];
  const nodes = new Map();
  for (const path of found) {
    path.nodes.forEach((node, place) => {
      if (nodes.has(node.id)) return;
      const column = columns[place === path.nodes.length - 1 ? 3 : place];
      nodes.set(node.id, { ...node, column: columns.indexOf(column), line: column.length });
      column.push(node.id);
    });
  }
  const lines = Math.max(...columns.map((column) => column.length));
  for (const node of nodes.values()) {
    node.x = (node.column + 0.5) * COLUMN;
    node.y = (lines * (node.line + 0.5) * LINE) / columns[node.column].length + 8;
  }
  return element("div", { class: "paths" }, sketch(found, nodes, lines));
}

function sketch(found, nodes, lines) {
  const [width, height] = [4 * COLUMN, lines * LINE + 16];
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  const text = found.map((path) => path.nodes.map((node) => node.name).join(" – ")).join("; ");
  svg.append(drawing("title", {}, text));
  const drawn = new Set();
  for (const path of found) {
    path.relations.forEach((relations, step) => {
      const [one, other] = [path.nodes[step], path.nodes[step + 1]].map((node) => nodes.get(node.id));
      if (drawn.has(`${one.id}\n${other.id}`)) return;
      drawn.add(`${one.id}\n${other.id}`);
      svg.append(drawing("line", { x1: one.x, y1: one.y, x2: other.x, y2: other.y }));
      const label = drawing("text", { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 - 3, class: "edge" }, relations.join("|"));
      svg.append(label);
    });
  }
  for (const node of nodes.values()) {
    const short = node.name.length > 18 ? `${node.name.slice(0, 17)}…` : node.name;
    svg.append(drawing("rect", { x: node.x - 66, y: node.y - 12, width: 132, height: 24, rx: 6 }),
      drawing("text", { x: node.x, y: node.y + 4 }, short, drawing("title", {}, `${node.name} (${node.id})`)));
  }
  return svg;
}
