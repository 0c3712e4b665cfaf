// The editor of schedule.yaml and of templates: CodeMirror in the place of the page's textarea, which stays the field that
// is posted.
// Faults come from the desk itself, a moment after the last key, so that there is one checker and not two.

import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { xml } from "@codemirror/lang-xml";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { schemaCompletion } from "./completion.js";

const PAUSE = 400;

const LOOK = EditorView.theme({
  "&": { color: "var(--body)", backgroundColor: "var(--panel)", height: "min(70vh, 640px)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: "13px/20px var(--mono)" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--meta)", backgroundColor: "var(--panel)", borderRight: "1px solid var(--rule)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--page)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--rule)",
  },
  ".cm-lintRange-error": {
    backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "4px",
  },
  ".cm-lint-marker-error": { content: "none", color: "var(--bad)", width: "14px" },
  ".cm-lint-marker-error::before": { content: "'✕'", fontWeight: "bold" },
  ".cm-tooltip": {
    color: "var(--body)", backgroundColor: "var(--panel)", border: "1px solid var(--edge)", borderRadius: "6px",
    font: "14px/20px var(--sans)", maxWidth: "min(560px, 90vw)", overflow: "hidden",
  },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)", padding: "6px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "13px/20px var(--mono)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    color: "var(--on-ink)", backgroundColor: "var(--ink)",
  },
  ".cm-panels": { color: "var(--body)", backgroundColor: "var(--page)", borderColor: "var(--rule)" },
  ".cm-textfield": { color: "var(--ink)", backgroundColor: "var(--panel)", border: "1px solid var(--edge)" },
  ".cm-button": { color: "var(--ink)", background: "var(--panel)", border: "1px solid var(--edge)" },
});

const COLOURS = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--ink)", fontWeight: "600" },
  { tag: tags.comment, color: "var(--meta)", fontStyle: "italic" },
  { tag: [tags.tagName, tags.angleBracket], color: "var(--ink)", fontWeight: "600" },
  { tag: [tags.attributeName, tags.definition(tags.keyword)], color: "var(--accent)" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--body)" },
]);

const form = document.querySelector("form.typed");
const field = form.querySelector("textarea");
const shows = form.querySelector("[data-show]"); // the button that shows the mail, where the text makes one
const { schema } = form.dataset;
const language = schema ? [yaml(), autocompletion({ override: [schemaCompletion(schema)] })]
  : /\.mjml$/.test(form.elements.name?.value ?? "") ? [xml({ autoCloseTags: false })] : [];

// In a shadow tree the editor's styles are adopted sheets, which the page's policy allows without an exception; in the
// page itself they would be style elements.
const place = document.createElement("div");
place.className = "editor";
const shadow = place.attachShadow({ mode: "open" });

const view = new EditorView({
  parent: shadow,
  root: shadow,
  state: EditorState.create({
    doc: field.value,
    extensions: [
      lineNumbers(), lintGutter(), history(), drawSelection(), highlightActiveLine(), highlightSelectionMatches(),
      search({ top: true }), language, indentUnit.of("  "), syntaxHighlighting(COLOURS), LOOK,
      // Tab leaves the editor as it leaves any field; two spaces are typed, or come with the line before.
      keymap.of([...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap]),
      EditorView.contentAttributes.of({
        "aria-label": form.querySelector("label").textContent.trim(), spellcheck: "false", tabindex: "0",
      }),
      EditorView.updateListener.of((update) => update.docChanged && changed()),
    ],
  }),
});

field.hidden = true;
field.after(place);

let timer = 0;
let asked = 0;

function changed() {
  field.value = view.state.doc.toString();
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

async function check() {
  const mine = ++asked;
  const text = field.value;
  try {
    const body = new FormData(form);
    body.set("text", text);
    const answer = await fetch(form.dataset.check, { method: "POST", body, headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status === 401 ? "You are logged out." : "The desk did not check it.");
    const found = await answer.json();
    if (mine !== asked || text !== field.value) return;
    show(found);
    if (shows && !found.problems.length && asked > 1) form.requestSubmit(shows);
  } catch (error) {
    if (mine === asked) say(`${error.message} “Check” tries again.`);
  }
}

function show({ problems, warnings, runs }) {
  const here = problems.filter((problem) => problem.here);
  view.dispatch(setDiagnostics(view.state, here.map(diagnostic)));
  const found = document.getElementById("found");
  if (problems.length) {
    found.replaceChildren(
      element("h2", "part", problems.length === 1 ? "1 fault" : `${problems.length} faults`),
      ...problems.map((problem) => {
        const path = problem.path ? [element("b", "", problem.path), ": "] : [];
        const where = element("span", "place", `${problem.file}, line ${problem.line}, column ${problem.column}`);
        const line = element("p", "finding blocking");
        const words = element("span", "");
        words.append(...path, `${problem.message} `, where);
        line.append(words);
        return line;
      }),
    );
    return;
  }
  const passed = element("p", "finding passed");
  passed.append(element("b", "", "Valid."), element("span", "", " Nothing is written yet."));
  if (!runs) return found.replaceChildren(passed);
  found.replaceChildren(
    passed,
    ...warnings.map((warning) => element("p", "finding warning", warning)),
    element("h2", "part", "The next ten runs, as they would be"),
    table(["Newsletter", "Local time", "UTC", "Note"], runs.map((run) => [run.title, run.local, run.utc, run.note])),
  );
}

function diagnostic(problem) {
  const line = view.state.doc.line(Math.min(Math.max(problem.line, 1), view.state.doc.lines));
  const from = Math.min(line.from + problem.column - 1, line.to);
  const words = /^\S+/.exec(line.text.slice(from - line.from));
  const to = words ? from + words[0].length : line.to;
  const message = problem.path ? `${problem.path}: ${problem.message}` : problem.message;
  return { from: from === to ? line.from : from, to, severity: "error", message };
}

function say(words) {
  document.getElementById("found").replaceChildren(element("p", "notice", words));
}

function table(heads, rows) {
  const made = element("table", "list cards runs");
  const head = made.createTHead().insertRow();
  for (const name of heads) {
    const cell = element("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = made.createTBody();
  for (const [first, ...others] of rows) {
    const row = body.insertRow();
    const cell = element("th", "", first);
    cell.scope = "row";
    row.append(cell);
    others.forEach((text, place) => {
      const each = element("td", "", text);
      each.dataset.name = heads[place + 1];
      row.append(each);
    });
  }
  return made;
}

function element(name, classes, text = "") {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.textContent = text;
  return made;
}

check();
