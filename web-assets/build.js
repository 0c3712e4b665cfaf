// Writes what newsletter/web/static/ has of packages from npm. Each file tells in its first line what it was made from, and
// the licence of what is in it.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const STATIC = "../newsletter/web/static";
const MADE_FROM = ["build.js", "charts.js", "completion.js", "editor.js", "package-lock.json"];
const hash = createHash("sha256");
for (const name of MADE_FROM) hash.update(await readFile(name));
const made = hash.digest("hex");

async function head(what, folder) {
  const licence = await readFile(`node_modules/${folder}/LICENSE`, "utf8");
  return `/* made from web-assets/ ${made} by \`make assets\`; ${what}:\n${licence.trim()}\n*/`;
}

async function bundled(name, what, folder) {
  await build({
    entryPoints: [name], outfile: `${STATIC}/${name}`, banner: { js: await head(what, folder), css: await head(what, folder) },
    bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8", logLevel: "warning",
  });
}

// What its makers have made ready for browsers is theirs to the byte behind our head.
async function taken(name, file, what, folder) {
  const theirs = await readFile(`node_modules/${folder}/${file}`, "utf8");
  await writeFile(`${STATIC}/${name}`, `${await head(what, folder)}\n${theirs.trimEnd()}\n`);
}

await bundled("editor.js", "CodeMirror 6 and Lezer", "@codemirror/view");
await bundled("charts.js", "uPlot 1.6.32", "uplot"); // and charts.css, which it asks for
await taken("htmx.js", "dist/htmx.min.js", "htmx 2.0.6", "htmx.org");
await taken("sortable.js", "Sortable.min.js", "SortableJS 1.15.6", "sortablejs");
