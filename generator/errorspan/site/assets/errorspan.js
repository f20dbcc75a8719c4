/* The exercise. Its contract: docs/authors/events.md */
(() => {
  "use strict";
  if (customElements.get("errorspan-exercise")) return;

  const HINT_COST = 5;
  const HERE = document.currentScript?.src || location.href;
  const [, ROOT] = /(.*\/)assets\/errorspan\/errorspan\.js/.exec(HERE) ?? [];
  const LANGUAGES = ["ar", "de"];

  const tables = {
    en: {
      errors: { one: "{n} error", other: "{n} errors" },
      marked: { one: "{n} line marked", other: "{n} lines marked" },
      doubted: "{n} unsure",
      doubt: "Unsure: {place}.",
      unsure: "unsure",
      sweptOn: "Marked: {place}.",
      sweptOff: "No longer marked: {place}.",
      cleared: "All marks removed.",
      hintsStay: "All marks removed. The hints stay, and count.",
      restarted: "New attempt. All marks removed.",
      resumed: "New attempt. The right marks stay.",
      othersCleared: "All other marks removed.",
      confirmed: "found, stays marked",
      stays: "{place}: found, stays marked.",
      close: "Close",
      nothing: "Mark at least one line first.",
      confirm: "Press again to show the answers. This attempt then has no score.",
      noKey: "The answers could not be loaded. Try again, or reload the page.",
      stale: "This exercise has changed. Reload the page.",
      changed: "This exercise has changed since your last score ({score}).",
      unsaved: "This browser does not save your progress.",
      hintGiven: "Hint {n} of {total}: ",
      noHints: "No more hints.",
      score: "Score: {score}",
      percent: "{n}%",
      comma: ", ",
      revealed: "Answers shown, no score",
      found: "Found",
      missed: "Missed",
      shown: "Shown",
      alarm: "False alarm",
      alarms: { one: "{n} false alarm", other: "{n} false alarms" },
      hints: { one: "{n} hint", other: "{n} hints" },
      foundOf: "{n} of {total} found",
      missedOf: "{n} missed",
      formulaHints: ", less {points} points for hints",
      sureWrong: "Sure, but no error there: {places}.",
      unsureRight: "Unsure, but right: {places}.",
      calibration: "When you were sure, {right} of {sure} marks were right; when unsure, {luck} of {unsure}.",
      atLine: "line {from}",
      atLines: "lines {from} to {to}",
      noError: "No error here",
      kind: "What kind of mistake is it? (optional)",
      fix: "How would you put it right? (optional)",
      explain: "Compare with the answer",
      explainAll: "Show all answers",
      look: "Keep looking",
      uncover: "Show what you missed",
      kindIs: "Kind of mistake",
      kindRight: "You named it.",
      kindWrong: "You chose: {kind}.",
      namedOf: "{n} of {total} named",
      mendedOf: "{n} of {total} put right, compared with the answers",
      mendedByTests: "{n} of {total} put right, {ran} of them tried by tests",
      claimed: "{n} by your own account",
      shownOf: "{n} of {total} shown to be wrong by an input",
      attempts: "Your attempts",
    },
  };

  class ErrorspanElement extends HTMLElement {
    async connectedCallback() {
      this.connected = new AbortController();
      const { signal } = this.connected;
      this.words = await wordsFor(this);
      if (signal.aborted) return;
      for (const part of this.querySelectorAll("[data-text]")) {
        const text = this.words(part.dataset.text);
        if (text) part.textContent = text;
      }
      this.begin((target, types, listener) => {
        for (const type of types.split(" ")) target.addEventListener(type, listener, { signal });
      });
    }

    disconnectedCallback() {
      this.connected.abort();
    }

    /* A double click presses a button once. */
    act({ target, detail }) {
      const button = target.closest("[data-action]");
      if (!button || detail > 1 || this.pending) return;
      const { action } = button.dataset;
      const again = this.asked === action;
      this.asked = again || action;
      this[action](again, button);
    }

    say(name, values) {
      const region = this.part("status");
      region.textContent = name ? this.words(name, values) : "";
      region.tabIndex = -1;
    }

    part(name) {
      return this.querySelector(`.es-${name}`);
    }
  }

  class ErrorspanExercise extends ErrorspanElement {
    async begin(on) {
      if ("exam" in this.dataset) {
        if (!ErrorspanExercise.exam) await load(beside("exam"));
        Object.assign(this, ErrorspanExercise.exam);
      }
      this.rows = [...this.querySelectorAll(".es-row")];
      this.boxes = [...this.querySelectorAll(".es-mark")];
      const [form, code] = [this.part("form"), this.part("code")];
      on(form, "submit", (event) => event.preventDefault());
      on(form, "click", (event) => this.act(event));
      on(code, "click", (event) => this.clicked(event));
      on(form, "change", (event) => this.changed(event.target));
      on(form, "input", ({ target }) => target.type === "textarea" && this.noteWork(target));
      on(form, "focusin", ({ target }) => this.written?.(target));
      on(code, "keydown", (event) => this.keyPressed(event));
      on(code, "focusin", (event) => this.boxes.includes(event.target) && this.moveTabStop(event.target));
      on(code, "pointerdown", (event) => {
        this.chosen = chosenText();
        this.dragStarted(event);
      });
      on(code, "selectstart", (event) => this.sweep?.moved && event.preventDefault());
      on(document, "pointermove", (event) => this.dragged(event));
      on(document, "pointerup pointercancel", () => this.dragEnded());
      on(window, "storage pageshow", () => this.restore());
      on(window, "pagehide", () => (form.autocomplete = "on")); // or WebKit empties the form on the way back
      this.moveTabStop(this.first);
      this.pending = this.state = null;
      this.restore();
    }

    /* What another tab did is shown here, so neither overwrites the other. */
    restore() {
      const { exercise, digest, level } = this.dataset;
      const state = { ...blank(), guided: level === "beginner", ...recall(exercise)[digest] };
      const { marks, unsure, hints, guided, attempts } = state;
      if (!attempts.length) state.ended = null;
      if (JSON.stringify(state) === JSON.stringify(this.state)) return;
      this.state = state;
      const refocus = this.focused();
      this.clearResult();
      this.doubts = new Set(unsure);
      this.marks = new Set(marks);
      this.guide(guided);
      if (hints.length || state.ended)
        this.withKey((key) => {
          this.showHints(key);
          if (!this.state.ended) return;
          this.showResult(key);
          refocus();
        });
      if (!state.ended) refocus();
      const earlier = !attempts.length && outdated(this.dataset);
      if (earlier) this.say("changed", { score: this.words.percent(earlier.score) });
    }

    /* Return what gives back the focus, and what was being written. */
    focused() {
      const old = document.activeElement.field ?? document.activeElement; // what an editor stands for
      const { value, selectionStart, selectionEnd } = old;
      const home = this.contains(old) && old.closest(".es-note, .es-result");
      return () => {
        if (!home) return;
        if (!this.state.ended) return this.first.focus();
        const part = this.querySelector(`[data-error="${home.dataset.error}"]`) ?? this.part("result");
        const text = old.type === "textarea" && part.querySelector("textarea");
        (text || part.querySelector("[tabindex]")).focus({ preventScroll: true });
        if (!text || !document.hasFocus()) return;
        text.value = value;
        text.setSelectionRange(selectionStart, selectionEnd);
        text.read?.();
        this.noteWork(text);
      };
    }

    /* Marking */

    get closed() {
      return this.pending || this.state.ended;
    }

    get marks() {
      return new Set(this.boxes.flatMap((box, index) => (box.checked ? [index + 1] : [])));
    }

    set marks(lines) {
      const { kept = [], ruledOut = [] } = this.state;
      this.boxes.forEach((box, index) => {
        const [stays, out] = [kept, ruledOut].map((lines) => lines.includes(index + 1));
        box.checked = (lines.has(index + 1) || stays) && !box.disabled;
        box.indeterminate = box.checked && this.doubts.has(index + 1);
        const told = (stays && "confirmed") || (box.indeterminate && "unsure") || (out && "noError");
        box.ariaDescription = told ? this.words(told) : null;
        this.rows[index].toggleAttribute("data-kept", stays);
        this.rows[index].toggleAttribute("data-out", out);
        this.rows[index].toggleAttribute("data-mark", box.checked);
        this.rows[index].toggleAttribute("data-unsure", box.indeterminate);
      });
      this.countMarks();
    }

    countMarks() {
      const { marks, total } = this;
      const n = this.boxes.filter((box) => box.indeterminate).length;
      const told = [this.words("marked", { n: marks.size }), total && this.words("errors", { n: total })];
      this.part("count").textContent = dotted(...told, n && this.words("doubted", { n }));
    }

    changed(control) {
      if (this.boxes.includes(control)) this.turn(control, this.lineOf(control));
      else if (control.closest(".es-guided")) this.guide(control.checked, true);
      else this.noteWork(control);
    }

    turn(box, line) {
      const place = this.place(line, line);
      if (this.state.kept?.includes(line)) {
        this.marks = this.marks;
        return this.say("stays", { place });
      }
      this.say();
      if (box.checked) {
        this.doubts.delete(line);
      } else if (this.doubts.has(line)) {
        this.say("sweptOff", { place });
      } else {
        this.doubts.add(line);
        box.checked = true;
        this.say("doubt", { place });
      }
      this.marks = this.marks;
      this.save();
    }

    clicked(event) {
      const { target, shiftKey, detail, pointerType } = event;
      const line = this.lineOf(target);
      if (!line) return;
      const idle = this.closed || (this.sweep?.moved && (detail || this.sweep.pointer >= 0));
      const before = this.chosen;
      this.chosen = chosenText();
      const chose = detail && this.chosen && this.chosen !== before;
      const tappedAgain = pointerType === "touch" && this.sweep?.from === line;
      if (this.boxes.includes(target) && !idle) {
        this.sweep = { from: line };
      } else if (idle || shiftKey || (detail > 1 && !tappedAgain) || chose) {
        event.preventDefault(); // it ends a drag, or this press chose text
        if (idle || !shiftKey) return;
        this.startSweep(this.sweep?.from ?? line, true);
        this.sweepTo(line);
        this.endSweep();
      }
    }

    keyPressed(event) {
      const from = this.boxes.indexOf(event.target) + 1;
      const to =
        from && !event.ctrlKey && !event.altKey && !event.metaKey && this.markable(target(event.key, from, this.boxes.length), from);
      if (!to) return;
      event.preventDefault();
      if (event.shiftKey && !this.closed) {
        if (!this.sweep?.keys) this.startSweep(from, true, { keys: true });
        this.sweepTo(to);
        this.endSweep();
      } else {
        this.sweep = { from: to };
      }
      this.boxes[to - 1].focus();
    }

    /* Blank lines have no box: the next one that has is meant, onward from where the key came. */
    markable(line, from) {
      const lines = this.boxes.flatMap((box, index) => (box.disabled ? [] : [index + 1]));
      const [before, after] = [lines.findLast((one) => one <= line), lines.find((one) => one >= line)];
      return (line && (line < from ? (before ?? after) : (after ?? before))) || 0;
    }

    get first() {
      return this.boxes.find((box) => !box.disabled);
    }

    dragStarted({ target, pointerType, pointerId: pointer, button, shiftKey }) {
      const line = this.lineOf(target);
      const draggable = pointerType === "mouse" ? !button : target.closest(".es-gutter");
      if (!line || !draggable || shiftKey || this.closed) return;
      this.startSweep(line, !this.boxes[line - 1].checked, { pointer, at: line });
    }

    dragged({ pointerId, clientY }) {
      const { sweep } = this;
      if (sweep?.pointer !== pointerId) return;
      const line = this.lineAt(clientY);
      if (line !== sweep.at || sweep.moved) this.scrollAlong(clientY);
      if (line === sweep.at) return;
      sweep.moved = true;
      this.sweepTo(line);
    }

    dragEnded() {
      const { sweep } = this;
      if (sweep?.pointer === undefined) return;
      delete sweep.pointer;
      if (!sweep.moved) return;
      setTimeout(() => (sweep.moved = false)); // after the click that follows
      const within = this.markable(sweep.at, sweep.at + (sweep.from < sweep.at ? 1 : -1));
      this.boxes[within - 1].focus({ preventScroll: true });
      this.endSweep();
    }

    /* A sweep sets the lines from its start to here; those that it leaves are as before. */
    startSweep(from, value, how) {
      this.sweep = { from, value, before: this.marks, ...how };
    }

    sweepTo(line) {
      const { from, value, before } = this.sweep;
      this.sweep.at = line;
      getSelection().empty();
      const within = (at) => (at - from) * (at - line) <= 0;
      this.marks = new Set(this.boxes.map((_, at) => at + 1).filter((at) => (within(at) ? value : before.has(at))));
    }

    endSweep() {
      const { from, at, value } = this.sweep;
      this.say(value ? "sweptOn" : "sweptOff", { place: this.place(Math.min(from, at), Math.max(from, at)) });
      this.save();
    }

    moveTabStop(box) {
      for (const other of this.boxes) other.tabIndex = other === box ? 0 : -1;
    }

    lineOf(node) {
      return this.rows.indexOf(node?.closest?.(".es-row")) + 1;
    }

    lineAt(y) {
      return this.rows.findIndex((row) => y < row.getBoundingClientRect().bottom) + 1 || this.rows.length;
    }

    scrollAlong(y) {
      const { top, bottom } = this.part("code").getBoundingClientRect();
      if (y > this.part("actions").getBoundingClientRect().top && bottom > y) scrollBy(0, 24);
      if (y < 72 && top < y) scrollBy(0, -24);
    }

    /* Buttons */

    check() {
      if (!this.marks.size) return this.say("nothing");
      this.open((key) => {
        const { hints } = this.state;
        const { found, missed, alarms, score } = grade(key, this.marks, hints.length);
        const counts = { found: found.length, missed: missed.length, alarms: alarms.length, hints: hints.length, score };
        this.end(key, "checked", counts, { missedErrors: missed.map(({ id }) => id) });
      });
    }

    hint() {
      this.open((key) => {
        const { hints } = this.state;
        const left = ({ id }) => !hints.includes(id);
        const next = grade(key, this.marks).missed.find(left) ?? this.unconfirmed(key).find(left);
        if (!next) return this.say("noHints");
        hints.push(next.id);
        this.save();
        this.showHints(key);
        this.say();
        const region = this.part("hinted");
        region.tabIndex = -1;
        fill(region, this.words("hintGiven", { n: hints.length, total: key.errors.length }), html("bdi", next.hint));
        if (region.scrollHeight > region.clientHeight) region.tabIndex = 0;
      });
    }

    close() {
      fill(this.part("hinted"));
      this.part("hint").focus();
    }

    unconfirmed(key) {
      const { found } = grade(key, new Set(this.state.kept));
      return key.errors.filter((error) => !found.includes(error));
    }

    reset(_, __, said = this.state.kept?.length ? "othersCleared" : this.state.hints.length ? "hintsStay" : "cleared", marks = []) {
      this.marks = new Set(marks);
      this.save();
      this.clearResult();
      this.say(said);
    }

    again() {
      Object.assign(this.state, { hints: [], work: {}, kept: [], ruledOut: [] });
      this.restart("restarted");
    }

    /* What was missed is told on demand only, so a student can look again. */
    look() {
      this.withKey((key) => {
        const { hits, alarms } = grade(key, this.marks);
        Object.assign(this.state, { kept: hits, ruledOut: [...(this.state.ruledOut ?? []), ...alarms] });
        this.restart("resumed", [...this.marks].filter((line) => !alarms.includes(line)));
      });
    }

    restart(said, marks) {
      Object.assign(this.state, { ended: null, uncovered: false });
      this.reset(0, 0, said, marks);
      this.first.focus();
    }

    uncover() {
      this.state.uncovered = this.attempt.uncovered = true;
      this.update(".es-score");
    }

    reveal(again) {
      if (!again) return this.say("confirm");
      const counts = { found: 0, missed: 0, alarms: 0, hints: this.state.hints.length, score: null };
      this.open((key) => this.end(key, "revealed", counts));
    }

    end(key, ended, counts, errors) {
      const revealed = ended === "revealed";
      const { exercise, digest } = this.dataset;
      const { state } = this;
      const known = joined(recall(exercise)[digest]?.attempts ?? [], state.attempts);
      const attempt = { id: Math.random().toString(36).slice(2, 10), n: (known.at(-1)?.n ?? 0) + 1, at: Date.now(), ...counts, revealed };
      Object.assign(state, { ended, attempts: [...known, attempt], last: attempt.id });
      this.say();
      this.show(key, ".es-score");
      const detail = { exercise, digest, attempt: this.state.attempts.length, revealed, ...counts, ...errors };
      const tell = (type) => this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
      if (!revealed) tell("errorspan-check");
      if (detail.attempt === 1) tell("errorspan-complete");
    }

    guide(guided, chosen) {
      const tell = (n) => {
        this.total = this.state.guided && Number(n);
        this.part("total").textContent = this.total ? this.words("errors", { n }) : "";
        this.countMarks();
      };
      this.state.guided = this.part("guided").firstElementChild.checked = guided;
      this.toggleAttribute("data-guided", guided);
      if (chosen) this.save();
      if (!guided || this.dataset.errors) tell(this.dataset.errors);
      else this.withKey((key) => tell(key.errors.length));
    }

    noteWork(control) {
      const { error } = control.closest(".es-note").dataset;
      if (control.type === "checkbox") return this.tick(control, error);
      this.workOn(error)[control.type === "radio" ? "kind" : "fix"] = control.value;
      this.save();
      this.judge?.(error);
    }

    workOn(id) {
      return (this.state.work[id] ??= {});
    }

    explain(_, button) {
      const { dataset, firstChild } = button.closest(".es-note");
      this.workOn(dataset.error).shown = true;
      getSelection().empty(); // a caret of the old answer, from where a screen reader would read on
      this.update(`#${firstChild.id}`);
    }

    explainAll() {
      for (const { dataset } of this.querySelectorAll("[data-error]")) this.workOn(dataset.error).shown = true;
      this.update(".es-score");
    }

    update(focus) {
      this.withKey((key) => this.show(key, focus));
    }

    show(key, focus) {
      const works = key.errors.map(({ id, pattern }) => ({ pattern, ...this.workOn(id) }));
      const named = works.filter(({ shown, kind }) => shown && kind);
      const right = named.filter(({ kind, pattern }) => kind === pattern);
      Object.assign(this.attempt, { named: right.length, tried: named.length, ...this.mended(key) });
      this.save();
      this.showResult(key);
      this.querySelector(focus).focus();
    }

    /* Results */

    showHints(key) {
      const given = this.state.hints.map((id) => key.errors.find((error) => error.id === id)).filter(Boolean);
      fill(this.part("hints"), given.map((error) => make("li", prose(error.hint)))).hidden = false;
      this.part("hint").ariaDisabled = this.unconfirmed(key).every((error) => given.includes(error));
    }

    showResult(key) {
      this.clearResult();
      this.running = key.run;
      this.editor = key.editor;
      this.kinds = key.kinds ?? {};
      this.dataset.state = this.state.ended;
      const graded = grade(key, this.marks);
      const verdicts = new Map(key.errors.map((error) => [error, this.verdict(error, graded)]).filter(([, verdict]) => verdict));
      for (const [error, verdict] of verdicts) this.showSpan(error, verdict);
      if (this.state.ended === "checked") this.showAlarms(graded.alarms, key);
      for (const stretch of key.undecided ?? []) this.showUndecided(stretch);
      for (const box of this.boxes) box.ariaDisabled = "true";
      this.showSummary(verdicts, graded);
    }

    verdict(error, { found }) {
      if (this.state.ended === "revealed") return "shown";
      return found.includes(error) ? "found" : this.state.uncovered && "missed";
    }

    /* The attempt whose marks stand here: one from elsewhere may have come after it. */
    get attempt() {
      const { attempts, last } = this.state;
      return attempts.find(({ id }) => id && id === last) ?? attempts.at(-1);
    }

    isOpen(error) {
      return this.state.ended === "revealed" || this.state.work[error.id]?.shown;
    }

    showSpan(error, verdict) {
      const wrong = error.segments.map(([line, start, end]) => {
        const row = this.rows[line - 1];
        const span = make("span.error-span");
        Object.assign(span.dataset, { errorId: error.id, concept: error.concept, verdict });
        if (end > start) wrap(row.querySelector(".es-text"), start, end, span);
        this.judgeRow(row, row.dataset.verdict === "missed" ? "missed" : verdict);
        return span.textContent;
      });
      const open = this.isOpen(error);
      const told = [this.badge(verdict), unseen(": "), this.titleOf(error), !open && unseen(`: ${wrong.join(" ")}`)];
      const title = Object.assign(make("h3.es-note-title", ...told), { id: this.titleId(error), tabIndex: -1 });
      const note = make("article.es-note", title, open ? this.explanation(error) : this.task(error, verdict));
      Object.assign(note.dataset, { error: error.id, verdict });
      this.noteAfter(error.segments.at(-1)[0], note);
      const text = window.errorspanEditor && note.querySelector(".es-mend textarea");
      if (text) this.mount?.(text);
    }

    titleOf(error) {
      const lines = linesOf(error);
      const place = this.place(lines[0], lines.at(-1));
      return this.isOpen(error) ? [make("bdi", error.concept), " ", make("span.es-meta", place)] : [make("span", place)];
    }

    showAlarms(lines, key) {
      for (const line of lines) this.judgeRow(this.rows[line - 1], "alarm");
      for (const [from, to] of runs(lines)) {
        const told = `${this.words.list([this.words("noError"), this.place(from, to)])}.`;
        this.noteAfter(to, make("div.es-note.es-remark", this.badge("alarm"), told, this.reasons(key, [from, to])));
      }
    }

    judgeRow(row, verdict) {
      row.querySelector(".es-verdict")?.remove();
      row.dataset.verdict = verdict;
      row.querySelector(".es-gutter").append(make("span.es-verdict", unseen(`${this.words(verdict)}: `)));
    }

    noteAfter(line, note) {
      note.dir = this.closest("[dir]")?.dir ?? "ltr";
      this.rows[line - 1].parentNode.append(note);
    }

    task(error, verdict) {
      const { words } = this;
      const wrong = textOf(codes(error.before));
      const work = this.state.work[error.id] ?? {};
      const kinds = (verdict === "found" && error.kinds) || [];
      const choices = kinds.map((kind) => {
        const name = `${this.titleId(error)}-kind`;
        const input = Object.assign(make("input"), { type: "radio", name, value: kind, checked: kind === work.kind });
        return make("label.es-choice", input, make("bdi", kind));
      });
      const text = Object.assign(make("textarea"), { value: work.fix ?? wrong, dir: "ltr", spellcheck: false });
      text.rows = wrong.split("\n").length + 1;
      return [
        this.trial?.(error),
        choices.length && make("fieldset.es-kinds", make("legend", words("kind")), choices),
        make("label.es-mend", make("span", words("fix")), text),
        this.bench?.(error),
        make("p", button("explain", words)),
      ];
    }

    showSummary(verdicts, graded) {
      const { words, state } = this;
      const [[, told], ...tally] = this.tally(this.attempt);
      const heading = Object.assign(make("h2.es-score", told), { tabIndex: -1 });
      const items = [...verdicts].map(([error, verdict]) => {
        const [name, ...place] = this.titleOf(error);
        return make("li", this.badge(verdict), make("span", link(`#${this.titleId(error)}`, name), place));
      });
      const untold = verdicts.size < graded.found.length + graded.missed.length;
      const closed = [...verdicts.keys()].some((error) => !this.isOpen(error));
      const actions = untold ? ["look", "uncover"] : closed && ["explainAll"];
      fill(
        this.part("result"),
        heading,
        state.ended === "checked" && this.account(graded, tally),
        items.length && make("ul.es-list", items),
        actions && make("p.es-buttons", actions.map((action) => button(action, words))),
        !actions && this.ending([...verdicts.keys()].sort((a, b) => graded.found.includes(a) - graded.found.includes(b))),
        state.attempts.length > 1 && this.history(),
      );
    }

    account({ found, missed, hits, alarms, raw }, tally) {
      const { words, doubts } = this;
      const sure = hits.length + alarms.length - [...hits, ...alarms].filter((line) => doubts.has(line)).length;
      const total = found.length + missed.length;
      const points = this.attempt.hints * HINT_COST;
      const n = found.length;
      const formula = `(${n} ÷ ${total}) × (${n} ÷ (${n} + ${alarms.length})) = ${words.percent(raw)}`;
      const right = hits.filter((line) => doubts.has(line));
      const wrong = alarms.filter((line) => !doubts.has(line));
      const places = (lines) => words.list(runs(lines).map(([from, to]) => this.place(from, to)));
      return [
        make("p.es-tally", tally.map((counted) => this.badge(...counted))),
        make("p.es-small", inDirection("ltr", make("bdi", formula)), points && words("formulaHints", { points })),
        wrong.length && make("p.es-small", words("sureWrong", { places: places(wrong) })),
        right.length && make("p.es-small", words("unsureRight", { places: places(right) })),
        doubts.size > 0 &&
          make(
            "p.es-small",
            words("calibration", { sure, right: hits.length - right.length, unsure: hits.length + alarms.length - sure, luck: right.length }),
          ),
      ];
    }

    tally({ revealed, score, found, missed, alarms, hints, named, tried, mended, mends, ran, claimed, shown, probed }) {
      const { words } = this;
      if (revealed) return [["shown", words("revealed")]];
      return [
        ["score", words("score", { score: words.percent(score) })],
        found >= 0 && [found && "found", words("foundOf", { n: found, total: found + missed })],
        [missed && "missed", words("missedOf", { n: missed })],
        [alarms && "alarm", words("alarms", { n: alarms })],
        hints && ["hint", words("hints", { n: hints })],
        tried && ["kind", words("namedOf", { n: named, total: tried })],
        probed && ["fix", words("shownOf", { n: shown, total: probed })],
        mends && [
          "fix",
          words.list([words(ran ? "mendedByTests" : "mendedOf", { n: mended, total: mends, ran }), ...(claimed ? [words("claimed", { n: claimed })] : [])]),
        ],
      ].filter(Boolean);
    }

    history() {
      const items = this.state.attempts.map((attempt) => make("li", dotted(...this.tally(attempt).map(([, text]) => text))));
      return make("div.es-history", make("h3", this.words("attempts")), make("ol", items));
    }

    badge(verdict, text = this.words(verdict)) {
      const badge = make("span.es-badge", text);
      if (verdict) badge.dataset.verdict = verdict;
      return badge;
    }

    clearResult() {
      delete this.dataset.state;
      this.asked = this.sweep = null;
      for (const note of this.querySelectorAll(".es-note, .es-verdict")) note.remove();
      for (const span of this.querySelectorAll(".error-span")) span.replaceWith(...span.childNodes);
      for (const row of this.rows) delete row.dataset.verdict;
      for (const box of this.boxes) box.ariaDisabled = null;
      fill(this.part("result"));
      const fresh = !this.state.hints.length;
      this.part("hints").hidden = fresh;
      if (fresh) this.part("hint").ariaDisabled = null;
      fill(this.part("hinted"));
    }

    place(from, to) {
      return this.words(from === to ? "atLine" : "atLines", { from, to });
    }

    titleId(error) {
      return `es-${this.dataset.exercise}-error-${error.id}`;
    }

    save() {
      const { marks } = this;
      this.asked = null;
      this.doubts = new Set([...this.doubts].filter((line) => marks.has(line)));
      Object.assign(this.state, { marks: [...marks], unsure: [...this.doubts], at: within(location) });
      if (remember(this.dataset, this.state) || this.warned) return;
      this.warned = true;
      this.say("unsaved");
    }

    /* Until the key is here, marks stand and no button is heard. */
    async open(use) {
      if (this.closed) return;
      const form = this.part("form");
      this.sweep = null;
      form.ariaBusy = this.pending = true;
      await this.withKey((key) => this.state.ended || use(key));
      form.ariaBusy = this.pending = false;
    }

    async withKey(use) {
      const { signal } = this.connected;
      const key = await loadKey(this.dataset);
      if (signal.aborted) return;
      if (key?.digest === this.dataset.digest) use(key);
      else this.say(key ? "stale" : "noKey");
    }
  }

  class ErrorspanProgress extends ErrorspanElement {
    async begin(on) {
      if (!this.show) await load(beside("course"));
      on(document, "errorspan-check errorspan-complete errorspan-handin", () => this.show());
      on(window, "storage pageshow", () => this.show());
      this.show?.();
    }
  }

  function grade(key, marks, hints = 0) {
    const wrong = new Set(key.errors.flatMap(linesOf));
    const found = key.errors.filter((error) => linesOf(error).some((line) => marks.has(line)));
    const missed = key.errors.filter((error) => !found.includes(error));
    const aside = new Set((key.undecided ?? []).flatMap(linesOf));
    const hits = [...marks].filter((line) => wrong.has(line));
    const alarms = [...marks].filter((line) => !wrong.has(line) && !aside.has(line));
    const raw =
      found.length && Math.round((100 * found.length ** 2) / (key.errors.length * (found.length + alarms.length)));
    return { found, missed, hits, alarms, raw, score: Math.max(0, raw - HINT_COST * hints) };
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
      PageDown: from + 10,
      PageUp: from - 10,
      Home: 1,
      End: last,
    }[name];
    return to === undefined ? 0 : Math.min(Math.max(to, 1), last);
  }

  function codes(lines) {
    return lines.map((code) => html("code", code));
  }

  function textOf(codes) {
    return codes.map((code) => code.textContent).join("\n");
  }

  /* The key */

  const keys = new Map();
  const loading = {};

  window.errorspanKey = (id, key) => keys.set(id, key);

  async function loadKey({ exercise, digest, key }) {
    const answers = ErrorspanExercise.prototype;
    await Promise.all([
      keys.get(exercise)?.digest === digest || load(`${new URL(key, document.baseURI)}?${digest}`),
      answers.explanation || load(beside("answers")),
    ]);
    const known = answers.explanation && keys.get(exercise);
    if (known?.run && !answers.bench) await load(beside("run"));
    return known;
  }

  function load(src) {
    loading[src] ??= new Promise((settled) => {
      const script = Object.assign(make("script"), { src });
      script.onload = script.onerror = () => {
        script.remove();
        delete loading[src];
        settled();
      };
      document.head.append(script);
    });
    return loading[src];
  }

  function beside(name) {
    return new URL(`errorspan.${name}.js`, HERE).href;
  }

  /* Progress, by exercise and by the digest of what was graded */

  const unsaved = new Map();

  /* Where progress stands: below the site's path, or below a name that several sites of one origin share. */
  function stored() {
    return `${document.querySelector("[data-shared]")?.dataset.shared ?? new URL(".", HERE).pathname}errorspan:`;
  }

  /* Where a page stands in its site. */
  function within({ href }) {
    return ROOT && href.startsWith(ROOT) ? href.slice(ROOT.length).replace(/(index\.html)?([?#].*)?$/, "") : undefined;
  }

  function blank() {
    return { marks: [], unsure: [], hints: [], work: {}, attempts: [], ended: null };
  }

  function held(exercise) {
    try {
      return unsaved.get(exercise) ?? JSON.parse(localStorage.getItem(stored() + exercise)) ?? {};
    } catch {
      return {};
    }
  }

  /* What can be read of it: another version, or another program, may have written there, and no page ends for that. */
  function recall(exercise) {
    return Object.fromEntries(Object.entries(held(exercise)).filter(([, state]) => readable(state)));
  }

  function readable(state) {
    const every = (name, good) => state[name] === undefined || (Array.isArray(state[name]) && state[name].every(good));
    return (
      Array.isArray(state?.attempts) &&
      every("attempts", (one) => one && Number(one.score) >= 0) &&
      ["marks", "unsure"].every((name) => every(name, Number.isInteger)) &&
      every("hints", (id) => typeof id === "string") &&
      Object.values(state.work ?? {}).every(Boolean)
    );
  }

  function write(exercise, all) {
    try {
      unsaved.delete(exercise);
      if (all) localStorage.setItem(stored() + exercise, JSON.stringify(all));
      else localStorage.removeItem(stored() + exercise);
      return true;
    } catch {
      if (all) unsaved.set(exercise, all);
      return false;
    }
  }

  function remember({ exercise, digest }, state) {
    state.attempts = joined(recall(exercise)[digest]?.attempts ?? [], state.attempts);
    return write(exercise, { ...held(exercise), [digest]: state });
  }

  /* Unite attempts, in the order in which they were made: clocks do not tell it. Older ones have no number. */
  function joined(...lists) {
    const numbered = lists.flatMap((attempts) => attempts.map((one, index) => ({ id: `${one.at}`, n: index + 1, ...one })));
    const known = new Map(numbered.map((attempt) => [attempt.id, attempt]));
    return [...known.values()].sort((a, b) => a.n - b.n || (a.id < b.id ? -1 : 1));
  }

  /* Of the attempts that were made before the answers were shown. */
  function best(attempts) {
    const told = attempts.findIndex(({ revealed, uncovered }) => revealed || uncovered);
    const own = told < 0 ? attempts : attempts.slice(0, told + 1);
    return own.filter((attempt) => !attempt.revealed).sort((a, b) => b.score - a.score)[0];
  }

  function outdated({ exercise, digest }) {
    return best(
      Object.entries(recall(exercise))
        .filter(([other]) => other !== digest)
        .flatMap(([, state]) => state.attempts),
    );
  }

  window.errorspanWords = (lang, table) => {
    tables[lang] = table;
  };

  async function wordsFor(element) {
    const asked = element.closest("[lang]")?.lang.toLowerCase().split("-")[0];
    if (LANGUAGES.includes(asked) && !tables[asked]) await load(beside(asked));
    const lang = tables[asked] ? asked : "en";
    if (lang !== asked) Object.assign(element, { lang, dir: "ltr" });
    const plural = new Intl.PluralRules(lang);
    const words = (name, values = {}) => {
      const entry = [tables[lang], tables.en].find((table) => Object.hasOwn(table, name))?.[name];
      const text = entry?.other ? (entry[plural.select(values.n)] ?? entry.other) : entry;
      return text?.replace(/\{(\w+)\}/g, (_, value) => values[value]);
    };
    const percent = (score) => words("percent", { n: Math.round(score) });
    const list = (items) => items.join(words("comma"));
    return Object.assign(words, { lang, percent, list });
  }

  window.errorspanCourse = (define) =>
    define({ ErrorspanElement, ErrorspanProgress, best, blank, dotted, fill, held, joined, link, make, outdated, recall, stored, tables, unsaved, unseen, within, wordsFor, write });

  window.errorspanExam = (define) => define({ ErrorspanExercise, blank, make, recall, tables });

  window.errorspanAnswers = (define) =>
    define({ ErrorspanExercise, HERE, beside, button, codes, fill, inDirection, linesOf, link, load, make, prose, tables, textOf, wrap });

  function make(name, ...children) {
    const [tag, ...classes] = name.split(".");
    const element = document.createElement(tag);
    if (classes.length) element.className = classes.join(" ");
    return fill(element, ...children);
  }

  function fill(element, ...children) {
    element.replaceChildren(...children.flat().filter(Boolean));
    return element;
  }

  function html(name, markup) {
    return Object.assign(make(name), { innerHTML: markup });
  }

  function prose(markup) {
    return inDirection("auto", html("div", markup));
  }

  function inDirection(dir, element) {
    return Object.assign(element, { dir });
  }

  function link(href, ...children) {
    return Object.assign(make("a", ...children), { href });
  }

  function unseen(text) {
    return make("span.es-vh", text);
  }

  function button(action, words) {
    const made = Object.assign(make("button.es-button", words(action)), { type: "button" });
    made.dataset.action = action;
    return made;
  }

  function chosenText() {
    const { anchorOffset, focusOffset } = getSelection();
    const text = `${getSelection()}`;
    return text && [anchorOffset, focusOffset, text].join();
  }

  function dotted(...parts) {
    return parts.filter(Boolean).join(" · ");
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

  customElements.define("errorspan-exercise", ErrorspanExercise);
  customElements.define("errorspan-progress", ErrorspanProgress);

  /* The navigation tells what is done, on pages that tell nothing else of it too. */
  try {
    if (Object.keys(localStorage).some((name) => name.startsWith(stored()))) load(beside("course"));
  } catch {} // storage is forbidden
})();
