// What a query is made of, as far as the window has to know: how a term is written, and which one is being typed. What a
// query means is the engine's business (docs/finding.md).

/** The operators, in the order offered. */
export const OPERATORS = ["tag:", "kind:", "field:", "before:", "after:", "-"] as const;

export type Operator = (typeof OPERATORS)[number];

/** An operator and its value as they are written: in quotation marks where the value would end too early. */
export function term(operator: "tag:" | "kind:", value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they end a value as white space does.
  const isBare = !/[\s"=\u0000-\u001f\u007f-\u009f]/u.test(value);
  return operator + (isBare ? value : `"${value.replaceAll('"', '""')}"`);
}

/** The term at the end that is still being typed; empty after white space. */
export function lastTerm(query: string): string {
  return /(?:"[^"]*"?|[^\s"])*$/u.exec(query)?.[0] ?? "";
}

/** The query with `text` in the place of the term being typed. */
export function complete(query: string, text: string): string {
  return query.slice(0, query.length - lastTerm(query).length) + text;
}

/** Whether operators may be offered: nothing is typed yet, or one of them has begun. */
export function wantsHints(query: string): boolean {
  const last = lastTerm(query).replace(/^-/, "");
  return (
    query.trim() === "" || OPERATORS.some((operator) => operator !== "-" && last.toLowerCase().startsWith(operator))
  );
}
