/* The course's progress, as a custom element on the page that lists its exercises: errorspan.js loads this. */
errorspanCourse(({ ErrorspanElement, STORED, blank, dotted, fill, joined, link, make, recall, standing, tables, unsaved, write }) => {
  Object.assign(tables.en, {
    done: "{n} of {total} done",
    mean: "mean first score {score}",
    reviewNext: "next review on {date}",
    toReview: "To review now:",
    loaded: { one: "Progress of {n} exercise loaded.", other: "Progress of {n} exercises loaded." },
    notLoaded: "This file holds no progress.",
    confirmForget: "Press again to delete all progress in this browser.",
    forgotten: "All progress is deleted.",
  });

  class ErrorspanCourse extends ErrorspanElement {
    begin(on) {
      on(this, "click", (event) => this.act(event));
      on(window, "storage", () => this.show());
      this.show();
    }

    show() {
      const { words } = this;
      const parts = [...document.querySelectorAll("errorspan-progress")];
      const all = parts.map((part) => ({ part, ...standing(part.dataset, words) }));
      const done = all.filter(({ first }) => first);
      const scores = done.filter(({ first }) => !first.revealed).map(({ first }) => first.score);
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      const due = all.filter((each) => (each.due && each.due <= Date.now()) || each.name === "outdated");
      const next = Math.min(...all.filter((each) => each.due > Date.now()).map((each) => each.due));
      const told = dotted(
        words("done", { n: done.length, total: all.length }),
        scores.length && words("mean", { score: words.percent(mean) }),
        !due.length && Number.isFinite(next) && words("reviewNext", { date: words.date(next) }),
      );
      const links = due.map(({ part }) => make("li", link(part.closest("a").href, part.closest("a").querySelector("strong").textContent)));
      fill(this.part("told"), make("p", told), due.length && [make("p", words("toReview")), make("ul", links)]);
    }

    showAll() {
      for (const part of document.querySelectorAll("errorspan-progress")) part.show();
      this.show();
    }

    store() {
      this.asked = false;
      const content = JSON.stringify({ errorspan: 1, progress: Object.fromEntries(everything()) }, null, 1);
      const href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
      Object.assign(make("a"), { href, download: "errorspan-progress.json" }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60000);
    }

    load() {
      this.asked = false;
      const input = Object.assign(make("input"), { type: "file", accept: ".json,application/json" });
      input.onchange = async () => {
        const told = loaded(await input.files[0].text());
        if (told === null) return this.say("notLoaded");
        this.showAll();
        this.say("loaded", { n: told });
      };
      input.click();
    }

    forget() {
      this.asked = !this.asked;
      if (this.asked) return this.say("confirmForget");
      for (const [exercise] of everything()) write(exercise, null);
      this.showAll();
      this.say("forgotten");
    }
  }

  function everything() {
    let names = [];
    try {
      names = Object.keys(localStorage).filter((name) => name.startsWith(STORED));
    } catch {} // storage is forbidden
    const exercises = new Set([...names.map((name) => name.slice(STORED.length)), ...unsaved.keys()]);
    return [...exercises].map((exercise) => [exercise, recall(exercise)]);
  }

  /* Take a file's progress in beside what is here, and return of how many exercises; null where it is none. */
  function loaded(text) {
    try {
      const { errorspan, progress } = JSON.parse(text);
      const given = Object.entries(progress).map(([exercise, states]) => [exercise, Object.entries(states).map(sound)]);
      if (errorspan !== 1) return null;
      for (const [exercise, states] of given) {
        const all = recall(exercise);
        for (const [digest, state] of states)
          all[digest] = { ...state, ...all[digest], attempts: joined(state.attempts, all[digest]?.attempts ?? []) };
        write(exercise, all);
      }
      return given.length;
    } catch {
      return null;
    }
  }

  function sound([digest, given]) {
    const state = { ...blank(), ...given };
    const lists = [state.marks, state.unsure, state.hints, state.attempts];
    const scored = ({ at, score }) => at > 0 && (score === null || score >= 0);
    if (!lists.every(Array.isArray) || !state.attempts.every(scored)) throw new TypeError(digest);
    return [digest, { ...state, work: { ...state.work } }];
  }

  customElements.define("errorspan-course", ErrorspanCourse);
});
