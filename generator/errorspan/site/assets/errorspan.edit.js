/* An editor in place of the box in which a correction is written: errorspan.answers.js loads this, and CodeMirror, on first use.

   The box stays, unseen, and holds the text: what reads and keeps it knows of no editor. */
errorspanAnswers(({ ErrorspanExercise, inDirection, make, tables }) => {
  Object.assign(tables.en, {
    keysOf: "Tab indents. To leave by keyboard, press Escape, then Tab.",
  });

  const STYLE = {
    "&": { border: "1px solid var(--_edge)", borderRadius: "var(--_radius)", background: "var(--_raised)", color: "var(--_ink)", font: "0.8667em/1.6 var(--_mono)" },
    "&.cm-focused": { outline: "2px solid var(--_accent)", outlineOffset: "2px" },
    ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit" },
    ".cm-content": { padding: "0.5em 0", caretColor: "var(--_ink)" },
    ".cm-line": { padding: "0 0.75em" },
    ".cm-matchingBracket.cm-matchingBracket": { background: "none", boxShadow: "0 2px var(--_accent)" },
    "@media (pointer: coarse)": { "&": { fontSize: "16px" } },
  };
  const COLOURS = { keyword: "keyword", string: "string", comment: "comment", number: "number", atom: "constant", bool: "constant", null: "constant", "definition(variableName)": "function" };
  let shared;

  ErrorspanExercise.prototype.mount = function (text) {
    if (text.editor || !this.editor) return;
    shared ??= extensions();
    const { EditorState, EditorView, fixed, languageOf } = shared;
    const { words } = this;
    const [label, host, root] = [text.closest("label"), make("div.es-editor"), make("div")];
    const told = make("p.es-small", words("keysOf"));
    const changed = EditorView.updateListener.of(({ docChanged, selectionSet, state, view }) => {
      if (view.quiet) return;
      if (docChanged) text.value = state.doc.toString();
      if (docChanged || selectionSet) text.setSelectionRange(state.selection.main.from, state.selection.main.to);
      if (docChanged) this.noteWork(text);
    });
    const named = { "aria-label": words("fix"), "aria-description": words("keysOf"), dir: "ltr", spellcheck: "false", autocapitalize: "off" };
    const parts = [fixed, unitOf(text.value), languageOf(this.editor.of), EditorView.contentAttributes.of(named), changed];
    const had = document.activeElement === text;
    const { selectionStart: anchor, selectionEnd: head } = text;
    host.attachShadow({ mode: "open" }).append(inDirection("ltr", root));
    label.after(host, told);
    const view = new EditorView({ root: host.shadowRoot, parent: root, state: EditorState.create({ doc: text.value, selection: { anchor, head }, extensions: parts }) });
    host.field = text;
    text.editor = view;
    text.hidden = true;
    text.focus = () => view.focus();
    text.read = () => {
      view.quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text.value }, selection: { anchor: text.selectionStart, head: text.selectionEnd } });
      view.quiet = false;
    };
    label.addEventListener("click", () => view.focus());
    if (had) view.focus();
  };

  function unitOf(text) {
    const { indentUnit } = window.errorspanEditor("@codemirror/language");
    const [found = "    "] = text.match(/^(\t|  (?: {2})?)(?=\S)/m) ?? [];
    return indentUnit.of(found);
  }

  function extensions() {
    const [{ EditorState }, { EditorView, keymap }, language, commands, { tags }] = ["state", "view", "language", "commands"]
      .map((name) => `@codemirror/${name}`)
      .concat("@lezer/highlight")
      .map(window.errorspanEditor);
    const { HighlightStyle, StreamLanguage, bracketMatching, syntaxHighlighting } = language;
    const { defaultKeymap, history, historyKeymap, indentWithTab } = commands;
    const coloured = Object.entries(COLOURS).map(([name, colour]) => {
      const [, outer, inner] = /^(?:(\w+)\()?(\w+)/.exec(name);
      return { tag: outer ? tags[outer](tags[inner]) : tags[name], color: `var(--md-code-hl-${colour}-color, inherit)` };
    });
    const leave = { key: "Escape", run: (view) => (view.setTabFocusMode(true), true) };
    const back = EditorView.domEventHandlers({ blur: (_, view) => void view.setTabFocusMode(false) });
    const fixed = [
      history(),
      bracketMatching(),
      syntaxHighlighting(HighlightStyle.define(coloured)),
      keymap.of([leave, ...defaultKeymap, ...historyKeymap, indentWithTab]),
      back,
      EditorState.tabSize.of(4),
      EditorView.lineWrapping,
      EditorView.theme(STYLE),
    ];
    const modes = { ".py": ["python", "python"], ".js": ["javascript", "javascript"], ".ts": ["javascript", "typescript"], ".sql": ["sql", "pgSQL"], ".go": ["go", "go"] };
    const languageOf = (of) => (modes[of] ? StreamLanguage.define(window.errorspanEditor(modes[of][0])[modes[of][1]]) : []);
    return { EditorState, EditorView, fixed, languageOf };
  }
});
