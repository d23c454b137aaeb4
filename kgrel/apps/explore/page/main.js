// The page: search, filters and keys, between the list and what is known of the chosen pair.

import { ask, attempt, byId, element, whole } from "./dom.js";
import { Detail } from "./detail.js";
import { PredictionList } from "./list.js";

const FILTERS = ["relation", "types", "least", "most", "in_text", "known", "review", "order"];
let about = null;
let scope = { entity: null, ranked: null }; // whose predictions are shown, and against which type it is ranked

const detail = new Detail(
  (review, counts) => {
    list.reviewed(review);
    showReviewed(counts);
  },
  (entity) => look(entity),
);
const list = new PredictionList((row) => detail.show(row));

async function start() {
  about = await attempt(() => ask("about"));
  if (!about) return;
  detail.given = about.given;
  byId("name").textContent = about.name;
  document.title = `kgrel: ${about.name}`;
  fill("relation", about.relations.map((relation) => relation.name));
  fill("types", about.pair_types);
  showReviewed(about.reviews);
  await refresh();
  const left = Object.entries(about.left_out).map(([reason, count]) => `${whole(count)} ${reason}`);
  if (left.length) byId("count").title = `Rows of the list that are not shown: ${left.join(", ")}`;
}

function fill(id, names) {
  byId(id).append(...names.map((name) => element("option", { value: name }, name)));
}

function showReviewed(counts) {
  byId("reviewed").textContent = `${whole(counts.accepted)} accepted, ${whole(counts.rejected)} rejected`;
}

/** Show the list as the filters and the entity say. */
function refresh() {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, byId(name).value]));
  byId("empty").textContent = emptyText(filters);
  showScope();
  return list.show({ ...filters, entity: scope.entity?.id, ranked: scope.ranked });
}

function emptyText(filters) {
  const { order, ...narrowing } = filters;
  if (Object.values(narrowing).some(Boolean)) return "No prediction passes these filters. Clear some of them.";
  if (scope.entity) return `${scope.entity.name} is in no prediction of this list. Rank it against a type above.`;
  return "There are no predictions. Search an entity to rank it, or start kgrel explore with --predictions.";
}

/** The line that says whose predictions are shown, and offers rankings. */
function showScope() {
  const place = byId("scope");
  place.hidden = scope.entity === null;
  if (scope.entity === null) return;
  const { entity, ranked } = scope;
  const button = (label, type) =>
    element("button", { "aria-pressed": ranked === type, onclick: () => look(entity, type) }, label);
  place.replaceChildren(
    element("b", {}, entity.name), element("small", {}, ` ${entity.id} · ${whole(entity.contexts)} contexts`),
    button("in this list", null), " or ranked against all of ", ...about.types.map((type) => button(type, type)),
    element("button", { onclick: () => look(null), title: "Esc" }, "All entities"),
  );
}

/** Show the predictions of one entity, or of all. */
function look(entity, ranked = null) {
  scope = { entity, ranked };
  byId("search").value = "";
  hideMatches();
  return refresh();
}

// Search: matches as one types, arrows to move, Enter to take.

let searched = null;

byId("search").addEventListener("input", async (event) => {
  searched?.abort();
  searched = new AbortController();
  const { signal } = searched;
  const text = event.target.value.trim();
  if (!text) return hideMatches();
  const found = await attempt(() => ask("entities", { q: text }, { signal }));
  if (!found || signal.aborted) return undefined;
  const items = found.map((entity) => {
    const item = element("li", { role: "option" }, element("b", {}, entity.name), ` ${entity.type} `,
      element("small", {}, `${entity.id} · ${whole(entity.contexts)} contexts`));
    item.addEventListener("mousedown", (press) => {
      press.preventDefault();
      look(entity);
    });
    item.entity = entity;
    return item;
  });
  items[0]?.setAttribute("aria-selected", "true");
  byId("matches").replaceChildren(...(items.length ? items : [element("li", { class: "empty" }, `No entity is called “${text}”.`)]));
  showMatches(true);
  return undefined;
});

byId("search").addEventListener("keydown", (event) => {
  const items = [...byId("matches").querySelectorAll("[role=option]")];
  const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Enter" && items[at]) {
    event.preventDefault();
    look(items[at].entity);
    byId("list").focus();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length) {
    event.preventDefault();
    const next = (at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
    items[at]?.removeAttribute("aria-selected");
    items[next].setAttribute("aria-selected", "true");
    items[next].scrollIntoView({ block: "nearest" });
  }
});

byId("search").addEventListener("blur", hideMatches);

function hideMatches() {
  showMatches(false);
}

function showMatches(shown) {
  byId("matches").hidden = !shown;
  byId("matches").parentElement.setAttribute("aria-expanded", String(shown));
}

// Filters.

byId("filters").addEventListener("change", refresh);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () => setTimeout(refresh)); // after the fields were cleared

// Keys.

const KEYS = {
  j: () => list.step(1),
  k: () => list.step(-1),
  ArrowDown: () => list.step(1),
  ArrowUp: () => list.step(-1),
  PageDown: () => list.step(10),
  PageUp: () => list.step(-10),
  a: () => decide("accepted"),
  r: () => decide("rejected"),
  o: () => decide("open"),
  c: () => byId("comment")?.focus(),
  u: () => {
    byId("order").value = byId("order").value === "uncertain" ? "score" : "uncertain";
    return refresh();
  },
  "/": () => byId("search").focus(),
  "?": () => byId("help").showModal(),
  Escape: () => scope.entity && look(null),
};

/** Decide and go on to the next pair. */
async function decide(decision) {
  if ((await detail.decide(decision)) && decision !== "open") await list.step(1);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const typing = event.target.matches("input, select, textarea");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

byId("help-button").addEventListener("click", KEYS["?"]);

start();
