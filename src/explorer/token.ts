/**
 * Tokens: a run as a short text that can be pasted. It has the scenario and each choice that was not made as if nobody interfered: its number among
 * the choices of the run, what was picked, and a hash of where that was, by which it is found again when the driver has changed.
 */
import { InputError } from "../cdriver/errors.ts";

const VERSION = "1";

export interface Deviation {
  /** Number of the choice in the run, from 0 on. */
  readonly index: number;
  readonly picked: number;
  /** Three characters. */
  readonly site: string;
}

export interface Token {
  readonly scenario: string;
  /** Undefined: as the scenario has it. */
  readonly processors?: number;
  readonly deviations: readonly Deviation[];
  /** Lines before whose accesses to memory threads could be switched, such as "adapter.c:120": the choices are counted with those. */
  readonly points?: readonly string[];
}

/** Such as "1/traffic-and-unbind/5c.1.a7f_60.2.09c". */
export function tokenText({ scenario, processors, deviations, points = [] }: Token): string {
  const where = processors === undefined ? scenario : `${scenario}@${processors}`;
  const picks = deviations.map(({ index, picked, site }) => `${index.toString(36)}.${picked.toString(36)}.${site}`);
  return [VERSION, where, picks.join("_"), ...(points.length === 0 ? [] : [points.join(",")])].join("/");
}

/** Throws InputError. */
export function parseToken(text: string): Token {
  const [version = "", where = "", picks = "", lines = "", ...more] = text.trim().split("/");
  if (version !== VERSION || where === "" || more.length > 0) throw notAToken(text);
  const [scenario = "", processors] = where.split("@");
  const deviations = picks === "" ? [] : picks.split("_").map((each) => parseDeviation(each, text));
  if (deviations.some(({ index }, place) => place > 0 && index <= (deviations[place - 1]?.index ?? 0))) throw notAToken(text);
  const points = lines === "" ? [] : lines.split(",");
  if (points.some((each) => !/^[^:]+:\d+$/.test(each))) throw notAToken(text);
  return {
    scenario,
    deviations,
    ...(processors === undefined ? {} : { processors: Number(processors) }),
    ...(points.length === 0 ? {} : { points }),
  };
}

function parseDeviation(part: string, text: string): Deviation {
  const found = /^([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]{3})$/.exec(part);
  if (found === null) throw notAToken(text);
  const [, index = "", picked = "", site = ""] = found;
  return { index: Number.parseInt(index, 36), picked: Number.parseInt(picked, 36), site };
}

const notAToken = (text: string): InputError =>
  new InputError(
    `'${text}' is no token: a token looks like 1/traffic-and-unbind/5c.1.a7f, and stands in the report of a failure.`,
  );
