// What may stand at a place of schedule.yaml, by the JSON Schema that the desk makes from its own checker.

let schema;

export function schemaCompletion(address) {
  return async (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const key = /^(\s*)([\w-]*)$/.exec(before);
    const value = /^(\s*)([\w-]+):\s+([\w-]*)$/.exec(before);
    if (!(key && (key[2] || context.explicit)) && !value) return null;
    schema ??= await fetch(address).then((answer) => answer.json());
    const path = pathAbove(context.state.doc, line.number, (key ?? value)[1].length);
    const place = path.reduce(inner, schema);
    if (value) return values(inner(place, value[2]), context.pos - value[3].length);
    return keys(place, context.pos - key[2].length);
  };
}

// The keys that a line is inside of, by their indentation.
function pathAbove(doc, number, indent) {
  const path = [];
  for (let above = number - 1; above > 0 && indent > 0; above--) {
    const found = /^(\s*)([\w-]+):/.exec(doc.line(above).text);
    if (found && found[1].length < indent) {
      indent = found[1].length;
      path.unshift(found[2]);
    }
  }
  return path;
}

function inner(form, key) {
  const found = plain(form);
  return plain(found?.properties?.[key] ?? found?.additionalProperties);
}

function plain(form) {
  let found = form;
  if (found?.anyOf) found = { ...found, ...found.anyOf.find((each) => each.type !== "null") };
  if (found?.$ref) found = { ...schema.$defs[found.$ref.split("/").pop()], ...found, $ref: undefined };
  return found;
}

function keys(form, from) {
  const options = Object.entries(form?.properties ?? {}).map(([label, each]) => ({
    label, type: "property", info: each.description, apply: `${label}: `,
  }));
  return options.length ? { from, options, validFor: /^[\w-]*$/ } : null;
}

function values(form, from) {
  const options = (form?.enum ?? (form?.type === "boolean" ? [true, false] : [])).map((each) => ({
    label: String(each), type: "enum",
  }));
  return options.length ? { from, options, validFor: /^[\w-]*$/ } : null;
}
