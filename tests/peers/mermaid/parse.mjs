// Parses every chart of a Markdown file with the parser that draws it: node parse.mjs FILE. Prints how many there were and of which
// kinds; ends with 1 when one is refused.
import fs from 'node:fs';
import { JSDOM } from 'jsdom';

// The parser cleans titles with a sanitiser that needs a page.
const { window } = new JSDOM('');
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import('mermaid');

const text = fs.readFileSync(process.argv[2], 'utf8');
const charts = [...text.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map((found) => found[1]);
const kinds = [];
for (const chart of charts) {
  try {
    kinds.push((await mermaid.parse(chart)).diagramType);
  } catch (error) {
    console.error(`${error.message}\n${chart}`);
    process.exit(1);
  }
}
console.log(JSON.stringify(kinds));
process.exit(0);
