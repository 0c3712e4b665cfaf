// Reads a JSON list of MJML texts from standard input and writes the list of what the reference compiler makes of them.
import mjml2html from "mjml";

let input = "";
for await (const piece of process.stdin) input += piece;
const made = [];
for (const text of JSON.parse(input)) {
  const { html } = await mjml2html(text, { fonts: {}, keepComments: true, validationLevel: "skip", minify: false });
  made.push(html);
}
process.stdout.write(JSON.stringify(made));
