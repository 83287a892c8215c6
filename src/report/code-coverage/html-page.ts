/** The frame of a page in HTML: light or dark as the reader's system is, and without anything from elsewhere. */

const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c1e21; --faint: #6a7078; --line: #d9dde2;
  --hit: #e3f5e6; --partial: #fff4d0; --missed: #fde3e3; --link: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --text: #e2e4e8; --faint: #979da6; --line: #33383e;
  --hit: #17331e; --partial: #3d3413; --missed: #451d1f; --link: #8ab4f8; } }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
small { color: var(--faint); } h2 { margin-top: 2.5rem; font-size: 1.15rem; } summary { cursor: pointer; margin: 1rem 0; }
table { border-collapse: collapse; } .totals th { text-align: left; } .totals td, .totals th { padding: .15rem .6rem; }
.totals tr { border-bottom: 1px solid var(--line); } .n { text-align: right; font-variant-numeric: tabular-nums; }
.source { width: 100%; font: 12.5px/1.45 ui-monospace, monospace; border: 1px solid var(--line); }
.source td { padding: 0 .5rem; white-space: nowrap; vertical-align: top; } .source td:last-child { width: 100%; }
.source .n { color: var(--faint); } .source pre { margin: 0; font: inherit; white-space: pre-wrap; tab-size: 4; }
.hit { background: var(--hit); } .partial { background: var(--partial); } .missed { background: var(--missed); }
.source tr:target { outline: 2px solid var(--link); } .ways { cursor: help; letter-spacing: 1px; }
.unreached li { margin: .2rem 0; }
`;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as it may stand between tags and in attributes. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each);

export function page(title: string, body: readonly string[]): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title>`;
  return `<!doctype html>\n<html lang="en"><head>${head}<style>${STYLE}</style></head>\n<body>\n${body.join("\n")}\n</body></html>\n`;
}
