/** The examples: what each shows, and which rule those with a planted mistake break. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Example {
  /** Relative to the folder of the examples. */
  readonly file: string;
  readonly shows: string;
  /** The planted mistake breaks this rule; undefined: the driver is right. */
  readonly breaks?: string;
}

const known: readonly Example[] = [
  { file: "c/pending-protocol.c", shows: "opens, closes and unbinds with everything pending" },
  {
    file: "c/pending-protocol-forgets.c",
    shows: "never completes the unbind",
    breaks: "unbind-pending-must-complete",
  },
  { file: "c/port-miniport.c", shows: "allocates, activates, deactivates and frees a port" },
  { file: "c/port-miniport-frees-active.c", shows: "frees a port that is still active", breaks: "port-free-deactivate-first" },
  { file: "typescript/pending-protocol.ts", shows: "the protocol driver in TypeScript" },
  {
    file: "typescript/pending-protocol-forgets.ts",
    shows: "never completes the unbind",
    breaks: "unbind-pending-must-complete",
  },
  { file: "typescript/port-miniport.ts", shows: "the miniport driver in TypeScript" },
  {
    file: "typescript/port-miniport-frees-active.ts",
    shows: "frees a port that is still active",
    breaks: "port-free-deactivate-first",
  },
];

const FOLDERS = ["c", "typescript"];

export const examplesFolder = fileURLToPath(new URL("../../examples", import.meta.url));

/** Every driver in the folder, in the order of the table, then by name. A driver that the table does not know has to be right. */
export function examplesIn(folder: string): Example[] {
  const files = FOLDERS.filter((each) => existsSync(`${folder}/${each}`)).flatMap((each) =>
    readdirSync(`${folder}/${each}`)
      .filter((name) => /\.(c|ts)$/.test(name))
      .toSorted()
      .map((name) => `${each}/${name}`),
  );
  const inTable = known.filter(({ file }) => files.includes(file));
  const others = files.filter((file) => !known.some((example) => example.file === file));
  return [...inTable, ...others.map((file) => ({ file, shows: "" }))];
}
