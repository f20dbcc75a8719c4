/* The progress of exercises and of the course, on pages that list them: errorspan.js loads this. */
errorspanCourse((shared) => {
  const { ErrorspanElement, ErrorspanProgress, best, blank, dotted, fill, joined } = shared;
  const { held, link, make, outdated, recall, stored, tables, unsaved, unseen, within, wordsFor, write } = shared;

  const GOOD_SCORE = 80;
  const REVIEW_AFTER_DAYS = [1, 3, 7, 21];
  const DONE = ["best", "bestAfter", "revealed", "handed"];

  Object.assign(tables.en, {
    fresh: "Not started",
    started: "In progress, {n} marked",
    handed: "Handed in",
    isDone: "done",
    underway: "in progress, {n} of {total} found",
    afterwards: "{score} after the answers",
    best: "Best: {score}",
    bestAfter: "Best: {score}, first: {first}",
    outdated: "{score}, changed since",
    reviewNow: "review now",
    reviewOn: "review on {date}",
    done: "{n} of {total} done",
    mean: "mean first score {score}",
    reviewNext: "next review on {date}",
    toReview: "To review now:",
    loaded: { one: "Progress of {n} exercise loaded.", other: "Progress of {n} exercises loaded." },
    notLoaded: "This file holds no progress.",
    otherCourse: "This file holds progress of another course. Nothing was loaded.",
    confirmForget: "Press again to delete all progress in this browser.",
    forgotten: "All progress is deleted.",
  });

  ErrorspanProgress.prototype.show = function () {
    const { words } = this;
    const { name, values, due, more } = standing(this.dataset, words);
    const now = due && due <= Date.now();
    this.dataset.state = now ? "due" : name;
    this.toggleAttribute("data-done", DONE.includes(name));
    tellStage(this);
    this.textContent = dotted(words(name, values), ...more, due && words(now ? "reviewNow" : "reviewOn", { date: date(due, words) }));
  };

  /* A module of the path says how much of it is done. */
  function tellStage({ parentNode, words }) {
    const stage = parentNode.closest(".es-module, .es-stage");
    const parts = [...(stage?.querySelectorAll("errorspan-progress") ?? [])];
    const n = parts.filter((part) => part.hasAttribute("data-done")).length;
    const told = stage?.querySelector(".es-of");
    if (!n) return told?.remove();
    const text = words("done", { n, total: parts.length });
    if (told) return fill(told, text);
    const about = stage.querySelector(".es-about") ?? make("p.es-chips.es-about");
    if (!about.parentNode) stage.insertBefore(about, stage.querySelector("ol, ul"));
    about.append(make("span.es-of", text), " ");
  }

  /* A link of the navigation to what is done says so. */
  async function tellNavigation() {
    const states = everything().flatMap(([, all]) => Object.values(all));
    const done = new Set(states.filter(({ attempts, handed }) => attempts.length || handed).map(({ at }) => at));
    for (const link of document.querySelectorAll("nav a[href]")) {
      const told = link.querySelector(".es-done");
      const place = within(link);
      if (!place || !done.has(place)) told?.remove();
      else if (!told) {
        const mark = make("span.es-done");
        link.append(mark);
        const words = await wordsFor(mark);
        fill(mark, unseen(` (${words("isDone")})`));
      }
    }
  }

  class ErrorspanCourse extends ErrorspanElement {
    begin(on) {
      on(this, "click", (event) => this.act(event));
      on(window, "storage pageshow", () => this.show());
      on(this.querySelector("details"), "toggle", () => {
        if (this.asked) this.say();
        this.asked = null;
      });
      if (!this.keeps()) this.querySelector("summary").textContent = this.words("unsaved");
      this.show();
    }

    keeps() {
      const probe = `${stored()}?`;
      try {
        localStorage.setItem(probe, "");
        localStorage.removeItem(probe);
        return true;
      } catch {
        return false;
      }
    }

    show() {
      const { words } = this;
      const parts = [...document.querySelectorAll("errorspan-progress")];
      const all = parts.map((part) => ({ part, ...standing(part.dataset, words) }));
      const done = all.filter(({ first, name }) => first || name === "handed");
      const scores = done.filter(({ first }) => first && !first.revealed).map(({ first }) => first.score);
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      const due = all.filter((each) => (each.due && each.due <= Date.now()) || each.name === "outdated");
      const next = Math.min(...all.filter((each) => each.due > Date.now()).map((each) => each.due));
      const told = dotted(
        words("done", { n: done.length, total: all.length }),
        scores.length && words("mean", { score: words.percent(mean) }),
        !due.length && Number.isFinite(next) && words("reviewNext", { date: date(next, words) }),
      );
      const links = due.map(({ part }) => make("li", link(part.closest("a").href, part.closest("a").querySelector("strong").textContent)));
      const now = make("div", make("p", told), due.length && [make("p", words("toReview")), make("ul", links)]);
      if (now.innerHTML !== this.part("told").innerHTML) fill(this.part("told"), [...now.childNodes]); // or focus is lost
    }

    showAll() {
      for (const part of document.querySelectorAll("errorspan-progress")) part.show();
      this.show();
    }

    store() {
      const content = JSON.stringify({ errorspan: 1, progress: Object.fromEntries(everything()) }, null, 1);
      const href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
      Object.assign(make("a"), { href, download: "errorspan-progress.json" }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60000);
    }

    load() {
      const input = Object.assign(make("input"), { type: "file", accept: ".json,application/json" });
      input.onchange = async () => {
        const listed = [...document.querySelectorAll("errorspan-progress")].map(({ dataset }) => dataset.exercise);
        const told = loaded(await input.files[0].text().catch(String), listed);
        if (!told) return this.say("notLoaded");
        if (told.other) return this.say("otherCourse");
        this.showAll();
        this.say(told.kept ? "loaded" : "unsaved", { n: told.count });
      };
      input.click();
    }

    forget(again) {
      if (!again) return this.say("confirmForget");
      for (const [exercise] of everything()) write(exercise, null);
      this.showAll();
      this.say("forgotten");
    }
  }

  function everything() {
    let names = [];
    try {
      names = Object.keys(localStorage).filter((name) => name.startsWith(stored()));
    } catch {} // storage is forbidden
    const exercises = new Set([...names.map((name) => name.slice(stored().length)), ...unsaved.keys()]);
    return [...exercises].map((exercise) => [exercise, recall(exercise)]);
  }

  /*
   * Take a file's progress in beside what is here, and return of how many exercises and whether all stays; null where
   * it is none. Of another course is what tells of none of the exercises that are listed here.
   */
  function loaded(text, listed) {
    try {
      const { errorspan, progress } = JSON.parse(text);
      const given = Object.entries(progress).map(([exercise, states]) => [exercise, Object.entries(states).map(sound)]);
      if (errorspan !== 1) return null;
      if (given.length && !given.some(([exercise]) => listed.includes(exercise))) return { other: true };
      let kept = true;
      for (const [exercise, states] of given) {
        const [all, known] = [held(exercise), recall(exercise)];
        for (const [digest, state] of states)
          all[digest] = { ...state, ...known[digest], attempts: joined(state.attempts, known[digest]?.attempts ?? []) };
        kept = write(exercise, all) && kept;
      }
      return { count: given.length, kept };
    } catch {
      return null;
    }
  }

  function sound([digest, given]) {
    const state = { ...blank(), ...given };
    const { marks, unsure, kept = [], ruledOut = [], hints, attempts, ended } = state;
    const all = (list, good) => Array.isArray(list) && list.every(good);
    const text = (value) => value === undefined || typeof value === "string";
    const fine =
      all([marks, unsure, kept, ruledOut], (lines) => all(lines, Number.isInteger)) &&
      all(hints, (id) => typeof id === "string") &&
      all(attempts, ({ at, score }) => Number.isFinite(at) && at > 0 && (score === null || (Number.isFinite(score) && score >= 0))) &&
      all(attempts, ({ id, n }) => text(id) && (n === undefined || Number.isInteger(n))) &&
      text(state.last) &&
      text(state.at) &&
      all(Object.values(state.work), ({ kind, fix, ran }) => text(kind) && text(fix) && (ran === undefined || played(ran))) &&
      (ended === null || (["checked", "revealed"].includes(ended) && attempts.length > 0));
    if (!fine) throw new TypeError(digest);
    return [digest, { ...state, work: { ...state.work } }];
  }

  function played({ fix, verdict }) {
    return typeof fix === "string" && ["right", "breaks", "wrong"].includes(verdict);
  }

  /*
   * A good attempt moves on to the next interval, unless it came before the review was due; any other moves back. The
   * one rule that asks a clock: it goes by days, as the student's calendar has them.
   */
  function reviewDue(attempts) {
    let [step, due] = [-1, 0];
    for (const { at, score, revealed } of attempts.filter(({ at }) => at).sort((a, b) => a.at - b.at)) {
      const good = !revealed && score >= GOOD_SCORE;
      if (good && at < due) continue;
      step = good ? Math.min(step + 1, REVIEW_AFTER_DAYS.length - 1) : 0;
      due = new Date(at).setHours(24 * REVIEW_AFTER_DAYS[step], 0, 0, 0);
    }
    return due;
  }

  function date(time, { lang }) {
    return new Date(time).toLocaleDateString(`${lang}-u-nu-latn`, { dateStyle: "medium" });
  }

  function standing(dataset, words) {
    const { attempts, marks, hints, ended, uncovered, handed } = { ...blank(), ...recall(dataset.exercise)[dataset.digest] };
    const [top, [first], earlier] = [best(attempts), attempts, outdated(dataset)];
    const last = attempts.at(-1);
    const told = attempts.findIndex((attempt) => attempt.revealed || attempt.uncovered);
    const looking = ended ? last?.missed > 0 && !last.revealed && !uncovered : last && marks.length;
    const more = [
      looking && last.found >= 0 && words("underway", { n: last.found, total: last.found + last.missed }),
      told >= 0 && last !== attempts[told] && !last.revealed && words("afterwards", { score: words.percent(last.score) }),
    ];
    const known = { first, due: reviewDue(attempts), more };
    if (handed) return { ...known, name: "handed" };
    if (top) {
      const values = { score: words.percent(top.score), first: words.percent(first.score) };
      return { ...known, name: first.score === top.score ? "best" : "bestAfter", values };
    }
    if (first) return { ...known, name: "revealed" };
    if (earlier) return { ...known, name: "outdated", values: { score: words.percent(earlier.score) } };
    return { ...known, name: marks.length || hints.length ? "started" : "fresh", values: { n: marks.length } };
  }

  customElements.define("errorspan-course", ErrorspanCourse);

  const { document$ } = window; // Material's: each page that instant navigation brings
  if (document$) document$.subscribe(tellNavigation);
  else tellNavigation();
  for (const type of ["errorspan-complete", "errorspan-handin"]) document.addEventListener(type, tellNavigation);
});
