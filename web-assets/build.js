// Writes newsletter/web/static/editor.js, with what it was made from in its first line, and the licence of what is in it.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

const MADE_FROM = ["completion.js", "editor.js", "package-lock.json"];
const hash = createHash("sha256");
for (const name of MADE_FROM) hash.update(await readFile(name));
const licence = await readFile("node_modules/@codemirror/view/LICENSE", "utf8");

await build({
  entryPoints: ["editor.js"],
  outfile: "../newsletter/web/static/editor.js",
  banner: { js: `/* made from web-assets/ ${hash.digest("hex")} by \`make assets\`; CodeMirror 6 and Lezer:\n${licence}*/` },
  bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8", logLevel: "warning",
});
