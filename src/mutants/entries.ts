/** test/mutants/*.json: which test proves an entry of the contract, and what has to be switched off for that test to fail. */
import { readdirSync } from "node:fs";
import { readText, root } from "../docs/files.ts";

/** A place of a source in which one text is replaced by another. */
export interface Mutation {
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** An entry that a test of behaviour proves. */
export interface Behaviour {
  readonly id: string;
  /** The file of the test, from the root of the repository. */
  readonly file: string;
  /** Its full name, or a part of it that no other test of the file has. */
  readonly test: string;
  readonly mutation: Mutation;
}

/** An entry that a rule with another id enforces: a name of Driver Verifier's for the same mistake, or the bug check that it leads to. */
export interface Alias {
  readonly id: string;
  readonly rule: string;
  /** Part of the names of those tests of the rule that are about this entry; left out: all. */
  readonly test?: string;
}

const read = <T>(folder: string): T[] =>
  readdirSync(`${root}test/mutants/${folder}`)
    .toSorted()
    .flatMap((name) => JSON.parse(readText(`test/mutants/${folder}/${name}`)) as T[]);

export const behaviours = (): Behaviour[] => read<Behaviour>("behaviours");
export const aliases = (): Alias[] => read<Alias>("aliases");

/** The part of a full name of a test that `breaks` gives it for that rule; undefined: it is no such test. */
export function claimOf(id: string, name: string): string | undefined {
  const at = ` ${name}`.indexOf(` ${id}: `);
  const claim = name.slice(at + id.length + 2);
  return at < 0 || claim.startsWith("allowed: ") ? undefined : claim;
}
