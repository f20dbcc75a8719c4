/*
 * The exercise and its progress, as two custom elements over HTML that is readable without them.
 *
 *   <errorspan-exercise data-exercise data-digest data-key data-run [data-level] [data-errors-known]>
 *   <errorspan-progress data-exercise data-digest>
 *
 * What is wrong with the code comes late, in a script beside the page that calls errorspanKey(id, key).
 * Events, both bubbling, with counts only: errorspan-check at every check; errorspan-complete when the answers are
 * shown for the first time, by a check or on demand.
 */
(() => {
  "use strict";
  if (customElements.get("errorspan-exercise")) return;

  const HINT_COST = 5;
  const PAGE_OF_LINES = 10;
  const SITE = document.currentScript?.src ? new URL(".", document.currentScript.src).pathname : "/";

  const STRINGS = {
    en: {
      legend: "Lines of code",
      task: "Some lines of this code are wrong. Mark them: click or tap a line, drag over several, or drag along their numbers on a touch screen.",
      keys: "Keyboard: the arrow keys, Home and End move from line to line, Space marks, Shift with an arrow key marks along the way.",
      rule: "Score = (errors found ÷ all errors) × (errors found ÷ (errors found + false alarms)). An error that covers several lines counts once, whichever of them you mark; each marked line outside all errors is a false alarm. Each hint takes 5 points off.",
      known: "Show the number of errors",
      line: "Line",
      check: "Check",
      hint: "Hint (−5 points)",
      reset: "Reset",
      reveal: "Show the answers",
      again: "Try again",
      errors: { one: "{n} error", other: "{n} errors" },
      marked: { one: "{n} line marked", other: "{n} lines marked" },
      sweptOn: "Lines {from} to {to} marked.",
      sweptOff: "Lines {from} to {to} no longer marked.",
      cleared: "All marks removed.",
      restarted: "New attempt. All marks removed.",
      nothing: "Mark at least one line first.",
      confirm: "Press again to show the answers. This attempt will then have no score.",
      noKey: "The answers could not be loaded. Try again, or reload the page.",
      stale: "This exercise has changed since the page was opened. Reload the page.",
      changed: "This exercise has changed since you last solved it ({score}).",
      unsaved: "This browser does not let the page save your progress.",
      hintGiven: "Hint {n}: ",
      noHints: "No more hints",
      score: "Score: {score}",
      revealed: "Answers shown, no score",
      found: "Found",
      missed: "Missed",
      shown: "Shown",
      alarm: "False alarm",
      alarms: { one: "{n} false alarm", other: "{n} false alarms" },
      hints: { one: "{n} hint", other: "{n} hints" },
      foundOf: "{n} of {total} found",
      missedOf: "{n} missed",
      formula: "({found} ÷ {total}) × ({found} ÷ ({found} + {alarms})) = {raw}",
      formulaHints: ", less {points} points for hints",
      atLine: "line {from}",
      atLines: "lines {from} to {to}",
      noError: "No error here",
      before: "Before",
      after: "After",
      high: "High severity",
      medium: "Medium severity",
      low: "Low severity",
      value: "What to take away",
      failure: "How it came about",
      run: "See it in the run",
      attempts: "Your attempts",
      fresh: "Not started",
      started: "Started",
      best: "Best: {score}",
      bestAfter: "Best: {score}, first: {first}",
      outdated: "{score}, changed since",
    },
  };

  const ICONS = {
    found: "M6.5 11.6 2.9 8l1.2-1.2 2.4 2.4 5.4-5.4L13.1 5z",
    missed: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2m0 1.7a4.3 4.3 0 1 1 0 8.6 4.3 4.3 0 0 1 0-8.6",
    alarm: "m4.5 3.3 3.5 3.5 3.5-3.5 1.2 1.2L9.2 8l3.5 3.5-1.2 1.2L8 9.2l-3.5 3.5-1.2-1.2L6.8 8 3.3 4.5z",
    shown:
      "M8 3.5C4.5 3.5 2 8 2 8s2.5 4.5 6 4.5S14 8 14 8s-2.5-4.5-6-4.5M8 11a3 3 0 1 1 0-6 3 3 0 0 1 0 6m0-1.7a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6",
    hint: "M8 1.8a4.2 4.2 0 0 0-2.3 7.7v1.7h4.6V9.5A4.2 4.2 0 0 0 8 1.8M6 12.4h4v1.4H6z",
    started: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2m0 1.7v8.6a4.3 4.3 0 0 1 0-8.6",
    outdated:
      "M8 2.5a5.5 5.5 0 1 0 5.5 5.5h-1.7A3.8 3.8 0 1 1 8 4.2c1 0 2 .4 2.7 1.1L8.9 7.1h4.6V2.5l-1.6 1.6A5.5 5.5 0 0 0 8 2.5",
  };

  class ErrorspanExercise extends HTMLElement {
    connectedCallback() {
      this.connected = new AbortController();
      whenParsed(() => this.begin(), this.connected.signal);
    }

    disconnectedCallback() {
      this.connected.abort();
    }

    begin() {
      const { exercise, digest, level, errorsKnown } = this.dataset;
      this.words = wordsFor(this);
      this.rows = [...this.querySelectorAll(".es-row")];
      this.boxes = this.rows.map((row) => row.querySelector(".es-mark"));
      this.state = {
        marks: [],
        hints: [],
        attempts: [],
        ended: null,
        known: errorsKnown !== undefined || level === "beginner",
      };
      Object.assign(this.state, recall(exercise)[digest]);
      this.translate();
      this.listen();
      this.restore();
    }

    listen() {
      const { signal } = this.connected;
      const on = (target, type, listener) => target.addEventListener(type, listener, { signal });
      const code = this.part("code");
      on(this.part("form"), "submit", (event) => event.preventDefault());
      on(code, "click", (event) => this.clicked(event));
      on(code, "change", () => this.marksChanged());
      on(code, "keydown", (event) => this.keyPressed(event));
      on(code, "focusin", (event) => this.boxes.includes(event.target) && this.moveTabStop(event.target));
      on(code, "pointerdown", (event) => this.dragStarted(event));
      on(code, "selectstart", (event) => this.drag && event.preventDefault());
      on(document, "pointermove", (event) => this.dragged(event));
      on(document, "pointerup", (event) => {
        this.dragged(event);
        this.dragEnded();
      });
      on(document, "pointercancel", () => this.dragEnded());
      on(this.part("buttons"), "click", (event) => this[event.target.closest("[data-action]")?.dataset.action]?.());
      on(this.part("known"), "change", (event) => this.showNumber(event.target.checked));
    }

    restore() {
      this.clearResult();
      this.marks = new Set(this.state.marks);
      this.part("known").querySelector("input").checked = this.state.known;
      this.moveTabStop(this.boxes[0]);
      if (this.state.known) this.showNumber(true, false);
      if (this.state.hints.length) this.withKey((key) => this.showHints(key));
      if (this.state.ended) this.withKey((key) => this.showResult(key));
      const earlier = this.state.attempts.length ? null : outdated(this.dataset);
      if (earlier) this.say("changed", { score: this.words.percent(earlier.score) });
    }

    /* Marking */

    get marks() {
      return new Set(this.boxes.flatMap((box, index) => (box.checked ? [index + 1] : [])));
    }

    set marks(lines) {
      this.boxes.forEach((box, index) => {
        box.checked = lines.has(index + 1);
      });
      this.countMarks();
    }

    countMarks() {
      this.part("count").textContent = this.words("marked", { n: this.marks.size });
    }

    marksChanged() {
      this.countMarks();
      this.save();
    }

    clicked(event) {
      const line = this.lineOf(event.target);
      if (this.state.ended || this.drag?.moved) {
        if (line) event.preventDefault();
      } else if (line && event.target !== this.boxes[line - 1] && event.shiftKey) {
        event.preventDefault();
        this.startSweep(this.anchor ?? line, true);
        this.sweep(line);
        this.endSweep();
      } else if (line && event.target === this.boxes[line - 1]) {
        this.anchor = line;
        this.extending = false;
      }
    }

    keyPressed(event) {
      const from = this.boxes.indexOf(event.target) + 1;
      const to =
        from && !event.ctrlKey && !event.altKey && !event.metaKey && target(event.key, from, this.boxes.length);
      if (!to) return;
      event.preventDefault();
      if (event.shiftKey && !this.state.ended) {
        if (!this.extending) this.startSweep(from, true);
        this.extending = true;
        this.sweep(to);
        this.endSweep();
      } else {
        this.extending = false;
      }
      this.boxes[to - 1].focus();
    }

    dragStarted(event) {
      this.drag = null;
      const line = this.lineOf(event.target);
      const draggable = event.pointerType === "mouse" ? event.button === 0 : event.target.closest?.(".es-gutter");
      if (!line || !draggable || event.shiftKey || this.state.ended) return;
      this.drag = { pointer: event.pointerId, at: line, moved: false };
      this.startSweep(line, !this.boxes[line - 1].checked);
    }

    dragged(event) {
      if (this.drag?.pointer !== event.pointerId || this.drag.over) return;
      const line = this.lineAt(event.clientY);
      if (line !== this.drag.at || this.drag.moved) this.scrollAlong(event.clientY);
      if (line === this.drag.at) return;
      Object.assign(this.drag, { at: line, moved: true });
      this.sweep(line);
    }

    dragEnded() {
      if (!this.drag || this.drag.over) return;
      this.drag.over = true;
      setTimeout(() => {
        this.drag = null;
      }); // after the click that follows
      if (!this.drag.moved) return;
      this.boxes[this.drag.at - 1].focus({ preventScroll: true });
      this.endSweep();
    }

    /* A sweep sets all lines from where it began to where it is, and gives back those that it leaves. */
    startSweep(line, value) {
      this.swept = { from: line, value, before: this.marks };
      this.extending = false;
    }

    sweep(line) {
      const { from, value, before } = this.swept;
      const [first, last] = [Math.min(from, line), Math.max(from, line)];
      Object.assign(this.swept, { first, last });
      this.marks = new Set(
        this.boxes.map((_, index) => index + 1).filter((at) => (first <= at && at <= last ? value : before.has(at))),
      );
    }

    endSweep() {
      const { first, last, value } = this.swept;
      this.anchor = this.swept.from;
      this.say(value ? "sweptOn" : "sweptOff", { from: first, to: last });
      this.save();
    }

    moveTabStop(box) {
      for (const other of this.boxes) other.tabIndex = other === box ? 0 : -1;
    }

    lineOf(node) {
      const row = node?.closest?.(".es-row");
      return this.rows.indexOf(row) + 1;
    }

    lineAt(y) {
      return this.rows.findIndex((row) => y < row.getBoundingClientRect().bottom) + 1 || this.rows.length;
    }

    scrollAlong(y) {
      const [top, bottom] = [this.rows[0], this.rows.at(-1)].map((row) => row.getBoundingClientRect());
      if (y > this.part("actions").getBoundingClientRect().top && bottom.bottom > y) scrollBy(0, bottom.height);
      if (y < 3 * top.height && top.top < y) scrollBy(0, -top.height);
    }

    /* The buttons */

    check() {
      if (this.state.ended) return;
      if (!this.marks.size) return this.say("nothing");
      this.withKey((key) => {
        const { found, missed, alarms, score } = grade(key, this.marks, this.state.hints.length);
        const counts = {
          found: found.length,
          missed: missed.length,
          alarms: alarms.length,
          hints: this.state.hints.length,
          score,
        };
        this.end("checked", counts);
        this.showResult(key, true);
        this.tell("errorspan-check", counts);
        this.tellFirst(counts);
      });
    }

    hint() {
      if (this.state.ended) return;
      this.withKey((key) => {
        const left = key.errors.filter((error) => !this.state.hints.includes(error.id));
        const next = left.find((error) => !linesOf(error).some((line) => this.marks.has(line))) ?? left[0];
        if (!next) return;
        this.state.hints.push(next.id);
        this.save();
        this.showHints(key);
        this.sayNode(
          make(
            "span",
            { className: "es-vh" },
            this.words("hintGiven", { n: this.state.hints.length }),
            html("span", next.hint),
          ),
        );
      });
    }

    reset() {
      const again = this.state.ended;
      if (again) Object.assign(this.state, { ended: null, hints: [] });
      this.marks = new Set();
      this.save();
      this.clearResult();
      this.say(again ? "restarted" : "cleared");
      if (again) this.boxes[0].focus();
    }

    reveal() {
      if (this.state.ended) return;
      if (!this.asked) {
        this.asked = true;
        return this.say("confirm");
      }
      this.withKey((key) => {
        const counts = { found: 0, missed: 0, alarms: 0, hints: this.state.hints.length, score: null };
        this.end("revealed", counts);
        this.showResult(key, true);
        this.tellFirst(counts);
      });
    }

    end(how, counts) {
      this.state.ended = how;
      this.state.attempts.push({ at: Date.now(), ...counts, revealed: how === "revealed" });
      this.save();
      this.sayNode();
    }

    tell(type, counts) {
      const { exercise, digest } = this.dataset;
      const detail = {
        exercise,
        digest,
        attempt: this.state.attempts.length,
        revealed: this.state.ended === "revealed",
        ...counts,
      };
      this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
    }

    tellFirst(counts) {
      if (this.state.attempts.length === 1) this.tell("errorspan-complete", counts);
    }

    showNumber(shown, chosen = true) {
      const output = this.part("known").querySelector("output");
      this.state.known = shown;
      if (chosen) this.save();
      output.textContent = "";
      if (shown)
        this.withKey((key) => {
          output.textContent = this.words("errors", { n: key.errors.length });
        });
    }

    /* What is shown */

    showHints(key) {
      const given = this.state.hints.map((id) => key.errors.find((error) => error.id === id)).filter(Boolean);
      const list = this.part("hints");
      list.replaceChildren(...given.map((error) => html("li", error.hint)).reverse());
      list.hidden = !given.length || Boolean(this.state.ended);
      const button = this.button("hint");
      if (given.length === key.errors.length) {
        button.setAttribute("aria-disabled", "true");
        button.textContent = this.words("noHints");
      }
    }

    showResult(key, focus = false) {
      this.direction = getComputedStyle(this).direction; // before any change, or it would cost a layout
      this.clearResult();
      this.dataset.state = this.state.ended;
      const graded = grade(key, this.marks, this.state.hints.length);
      const verdicts = new Map(key.errors.map((error) => [error, this.verdict(error, graded)]));
      for (const [error, verdict] of verdicts) this.showSpan(error, verdict);
      if (this.state.ended === "checked") this.showAlarms(graded.alarms);
      for (const box of this.boxes) box.setAttribute("aria-disabled", "true");
      const heading = this.showSummary(verdicts, graded);
      this.button("reset").textContent = this.words("again");
      for (const action of ["check", "hint", "reveal"]) this.button(action).hidden = true;
      this.part("hints").hidden = true;
      if (focus) heading.focus();
    }

    verdict(error, { found }) {
      if (this.state.ended === "revealed") return "shown";
      return found.includes(error) ? "found" : "missed";
    }

    showSpan(error, verdict) {
      for (const [line, start, end] of error.segments) {
        const row = this.rows[line - 1];
        const span = make("span", { className: "error-span" });
        Object.assign(span.dataset, { errorId: error.id, concept: error.concept, verdict });
        if (end > start) wrap(row.querySelector(".es-text"), start, end, span);
        this.judgeRow(row, row.dataset.verdict === "missed" ? "missed" : verdict);
      }
      this.noteAfter(error.segments.at(-1)[0], this.explanation(error, verdict));
    }

    showAlarms(lines) {
      for (const line of lines) this.judgeRow(this.rows[line - 1], "alarm");
      for (const [from, to] of runs(lines)) {
        this.noteAfter(
          to,
          make(
            "div",
            { className: "es-note es-remark" },
            this.badge("alarm"),
            this.words("noError"),
            ", ",
            this.place(from, to),
            ".",
          ),
        );
      }
    }

    judgeRow(row, verdict) {
      row.querySelector(".es-verdict")?.remove();
      row.dataset.verdict = verdict;
      const word = make("span", { className: "es-vh" }, `${this.words(verdict)}: `);
      row.querySelector(".es-gutter").append(make("span", { className: "es-verdict" }, icon(verdict), word));
    }

    noteAfter(line, note) {
      note.dir = this.direction;
      this.rows[line - 1].parentNode.append(note);
    }

    explanation(error, verdict) {
      const { words } = this;
      const lines = linesOf(error);
      return make(
        "article",
        { className: "es-note", id: this.noteId(error), tabIndex: -1, verdict },
        make(
          "h3",
          { className: "es-note-title" },
          this.badge(verdict),
          make("span", {}, error.concept),
          " ",
          make("span", { className: "es-meta" }, `${this.place(lines[0], lines.at(-1))} · ${words(error.severity)}`),
        ),
        html("div", error.description),
        make(
          "div",
          { className: "es-diff highlight", dir: "ltr" },
          side(error.before, "before", words("before")),
          side(error.after, "after", words("after")),
        ),
        make("h4", {}, words("value")),
        html("div", error.value),
        ...(error.failure ? [make("h4", {}, words("failure")), html("div", error.failure)] : []),
        make("p", {}, make("a", { href: error.url }, words("run"))),
      );
    }

    showSummary(verdicts, graded) {
      const { words, state } = this;
      const scored = state.ended === "checked";
      const score = words.percent(graded.score);
      const heading = make(
        "h2",
        { className: "es-score", tabIndex: -1 },
        scored ? words("score", { score }) : words("revealed"),
      );
      const total = verdicts.size;
      const found = graded.found.length;
      const tally = !scored
        ? []
        : [
            this.badge("found", words("foundOf", { n: found, total })),
            this.badge("missed", words("missedOf", { n: graded.missed.length })),
            this.badge("alarm", words("alarms", { n: graded.alarms.length })),
            ...(state.hints.length ? [this.badge("hint", words("hints", { n: state.hints.length }))] : []),
          ];
      const points = state.hints.length * HINT_COST;
      const formula =
        words("formula", { found, total, alarms: graded.alarms.length, raw: words.percent(graded.raw) }) +
        (points ? words("formulaHints", { points }) : "");
      const links = [...verdicts]
        .sort(([a], [b]) => a.segments[0][0] - b.segments[0][0])
        .map(([error, verdict]) => {
          const lines = linesOf(error);
          const link = make("a", { href: `#${this.noteId(error)}` }, error.concept);
          const place = make("span", { className: "es-meta" }, this.place(lines[0], lines.at(-1)));
          return make("li", {}, this.badge(verdict), make("span", {}, link, " ", place));
        });
      const result = this.part("result");
      result.replaceChildren(
        heading,
        ...(scored
          ? [make("p", { className: "es-tally" }, ...tally), make("p", { className: "es-small" }, formula)]
          : []),
        make("ul", { className: "es-list" }, ...links),
        ...(state.attempts.length > 1 ? [this.history()] : []),
      );
      result.hidden = false;
      return heading;
    }

    history() {
      const { words } = this;
      const told = (attempt) =>
        attempt.revealed
          ? words("revealed")
          : [
              words("score", { score: words.percent(attempt.score) }),
              words("foundOf", { n: attempt.found, total: attempt.found + attempt.missed }),
              words("alarms", { n: attempt.alarms }),
              ...(attempt.hints ? [words("hints", { n: attempt.hints })] : []),
            ].join(" · ");
      return make(
        "div",
        { className: "es-history" },
        make("h3", {}, words("attempts")),
        make("ol", {}, ...this.state.attempts.map((attempt) => make("li", {}, told(attempt)))),
      );
    }

    clearResult() {
      delete this.dataset.state;
      this.asked = false;
      for (const note of this.querySelectorAll(".es-note, .es-verdict")) note.remove();
      for (const span of this.querySelectorAll(".error-span")) span.replaceWith(...span.childNodes);
      for (const row of this.rows) delete row.dataset.verdict;
      for (const box of this.boxes) box.removeAttribute("aria-disabled");
      this.part("result").hidden = true;
      this.part("hints").hidden = !this.state.hints.length;
      for (const action of ["check", "hint", "reveal"]) this.button(action).hidden = false;
      this.button("reset").textContent = this.words("reset");
      if (!this.state.hints.length) {
        this.button("hint").removeAttribute("aria-disabled");
        this.button("hint").textContent = this.words("hint");
      }
    }

    badge(verdict, text = this.words(verdict)) {
      const badge = make("span", { className: "es-badge" }, icon(verdict), text);
      badge.dataset.verdict = verdict;
      return badge;
    }

    place(from, to) {
      return this.words(from === to ? "atLine" : "atLines", { from, to });
    }

    noteId(error) {
      return `es-${this.dataset.exercise}-error-${error.id}`;
    }

    say(name, values) {
      this.sayNode(make("span", {}, this.words(name, values)));
    }

    sayNode(...nodes) {
      this.part("status").replaceChildren(...nodes);
    }

    save() {
      this.asked = false;
      this.state.marks = [...this.marks];
      if (remember(this.dataset, this.state) || this.warned) return;
      this.warned = true;
      this.say("unsaved");
    }

    async withKey(use) {
      const { signal } = this.connected;
      try {
        const key = await loadKey(this.dataset);
        if (signal.aborted) return;
        if (key.digest === this.dataset.digest) use(key);
        else this.say("stale");
      } catch (error) {
        if (!(error instanceof MissingKey)) throw error;
        this.say("noKey");
      }
    }

    translate() {
      if (this.words.lang === "en") return;
      for (const part of this.querySelectorAll("[data-text]")) part.textContent = this.words(part.dataset.text);
    }

    part(name) {
      return this.querySelector(`.es-${name}`);
    }

    button(action) {
      return this.querySelector(`[data-action="${action}"]`);
    }
  }

  class ErrorspanProgress extends HTMLElement {
    connectedCallback() {
      this.connected = new AbortController();
      const { signal } = this.connected;
      for (const type of ["errorspan-check", "errorspan-complete"])
        document.addEventListener(type, () => this.show(), { signal });
      addEventListener("storage", () => this.show(), { signal });
      this.show();
    }

    disconnectedCallback() {
      this.connected.abort();
    }

    show() {
      const words = wordsFor(this);
      const { name, sign, values } = progress(this.dataset, words);
      this.dataset.state = name;
      this.replaceChildren(icon(sign), make("span", {}, words(name, values)));
    }
  }

  /* Grading */

  function grade(key, marks, hints) {
    const wrong = new Set(key.errors.flatMap(linesOf));
    const found = key.errors.filter((error) => linesOf(error).some((line) => marks.has(line)));
    const missed = key.errors.filter((error) => !found.includes(error));
    const alarms = [...marks].filter((line) => !wrong.has(line));
    const raw =
      found.length && Math.round((100 * found.length ** 2) / (key.errors.length * (found.length + alarms.length)));
    return { found, missed, alarms, raw, score: Math.max(0, raw - HINT_COST * hints) };
  }

  function linesOf(error) {
    return error.segments.map(([line]) => line);
  }

  function runs(lines) {
    return lines.reduce((all, line) => {
      if (all.at(-1)?.[1] === line - 1) all.at(-1)[1] = line;
      else all.push([line, line]);
      return all;
    }, []);
  }

  function target(name, from, last) {
    const to = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + PAGE_OF_LINES,
      PageUp: from - PAGE_OF_LINES,
      Home: 1,
      End: last,
    }[name];
    return to === undefined ? 0 : Math.min(Math.max(to, 1), last);
  }

  /* The key */

  class MissingKey extends Error {}

  const keys = new Map();
  const loading = new Map();

  window.errorspanKey = (id, key) => keys.set(id, key);

  function loadKey({ exercise, digest, key }) {
    if (keys.get(exercise)?.digest === digest) return Promise.resolve(keys.get(exercise));
    const src = `${new URL(key, document.baseURI)}?${digest}`;
    if (!loading.has(src))
      loading.set(
        src,
        fetchKey(exercise, src).finally(() => loading.delete(src)),
      );
    return loading.get(src);
  }

  async function fetchKey(exercise, src) {
    const script = make("script", { src });
    await new Promise((settled) => {
      script.onload = script.onerror = settled;
      document.head.append(script);
    });
    script.remove();
    if (!keys.has(exercise)) throw new MissingKey(src);
    return keys.get(exercise);
  }

  /* Progress, by exercise and then by the digest of what was graded */

  const unsaved = new Map();

  function recall(exercise) {
    try {
      return JSON.parse(localStorage.getItem(place(exercise))) ?? unsaved.get(exercise) ?? {};
    } catch {
      return unsaved.get(exercise) ?? {};
    }
  }

  function remember({ exercise, digest }, state) {
    const all = recall(exercise);
    const known = new Map(
      [...(all[digest]?.attempts ?? []), ...state.attempts].map((attempt) => [attempt.at, attempt]),
    );
    state.attempts = [...known.values()].sort((a, b) => a.at - b.at);
    all[digest] = state;
    unsaved.set(exercise, all);
    try {
      localStorage.setItem(place(exercise), JSON.stringify(all));
      return true;
    } catch {
      return false;
    }
  }

  function place(exercise) {
    return `${SITE}errorspan:${exercise}`;
  }

  function best(attempts = []) {
    return attempts
      .filter((attempt) => !attempt.revealed)
      .reduce((top, attempt) => (attempt.score > (top?.score ?? -1) ? attempt : top), null);
  }

  function outdated({ exercise, digest }) {
    return best(
      Object.entries(recall(exercise))
        .filter(([other]) => other !== digest)
        .flatMap(([, state]) => state.attempts),
    );
  }

  function progress(dataset, words) {
    const state = recall(dataset.exercise)[dataset.digest];
    const top = best(state?.attempts);
    const earlier = outdated(dataset);
    if (top) {
      const first = state.attempts[0];
      const values = {
        score: words.percent(top.score),
        first: first.revealed ? words("revealed") : words.percent(first.score),
      };
      return { name: first.score === top.score ? "best" : "bestAfter", sign: "found", values };
    }
    if (state?.attempts.length) return { name: "revealed", sign: "shown" };
    if (earlier) return { name: "outdated", sign: "outdated", values: { score: words.percent(earlier.score) } };
    return state?.marks.length || state?.hints.length
      ? { name: "started", sign: "started" }
      : { name: "fresh", sign: "missed" };
  }

  /* Words */

  function wordsFor(element) {
    const asked = element.closest("[lang]")?.lang.toLowerCase() ?? "en";
    const lang = [asked, asked.split("-")[0]].find((name) => name in STRINGS) ?? "en";
    const plural = new Intl.PluralRules(lang);
    const words = (name, values = {}) => {
      const entry = STRINGS[lang][name] ?? STRINGS.en[name];
      const text = typeof entry === "string" ? entry : (entry[plural.select(values.n)] ?? entry.other);
      return text.replace(/\{(\w+)\}/g, (_, value) => values[value]);
    };
    const number = new Intl.NumberFormat(lang, { style: "percent" });
    return Object.assign(words, { lang, percent: (score) => number.format(score / 100) });
  }

  /* HTML */

  function make(tag, { verdict, ...properties } = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    if (verdict) element.dataset.verdict = verdict;
    element.append(...children);
    return element;
  }

  function html(tag, markup) {
    return make(tag, { innerHTML: markup });
  }

  function icon(name) {
    const holder = html(
      "span",
      `<svg class="es-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`,
    );
    return holder.firstChild;
  }

  function side(lines, name, word) {
    const codes = lines.map((line) => html("code", line));
    return make("div", { className: `es-side es-${name}` }, make("span", { className: "es-word" }, word), ...codes);
  }

  function wrap(code, start, end, wrapper) {
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let at = 0, open = false; texts.nextNode(); at += texts.currentNode.length) {
      const text = texts.currentNode;
      if (!open && start < at + text.length) {
        range.setStart(text, start - at);
        open = true;
      }
      if (end <= at + text.length) {
        range.setEnd(text, end - at);
        break;
      }
    }
    wrapper.append(range.extractContents());
    range.insertNode(wrapper);
    for (const empty of code.querySelectorAll("span:empty")) empty.remove();
  }

  function whenParsed(start, signal) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true, signal });
    else start();
  }

  customElements.define("errorspan-exercise", ErrorspanExercise);
  customElements.define("errorspan-progress", ErrorspanProgress);
})();
