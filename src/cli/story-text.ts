/** Entries of a run as text: one line each, and the machine as it was then. */
import type { Story, StoryEntry, StoryThread } from "../explorer/story.ts";
import { type Colors, clip, plural, printable, wrap } from "../report/index.ts";

export interface StoryLook {
  readonly colors: Colors;
  readonly width: number;
}

const IRQLS: Readonly<Record<number, string>> = { 0: "PASSIVE", 1: "APC", 2: "DISPATCH", 31: "HIGH" };
const irqlText = (irql: number): string => IRQLS[irql] ?? `level ${irql}`;

/** One line: step, thread, level, what happened, where. */
export function entryLines({ step, thread, irql, text, location }: StoryEntry, { colors, width }: StoryLook): string[] {
  const place = location === undefined ? "" : `  ${baseName(location.file)}:${location.line}`;
  const who = thread === 0 ? "" : `thread ${thread}${irql === 0 ? "" : ` ${irqlText(irql)}`}`;
  const head = `${String(step).padStart(6)}  ${who.padEnd(20)}  `;
  return [`${colors.dim(head)}${clip(printable(text.replaceAll("\n", " ")), Math.max(20, width - head.length - place.length))}${colors.dim(printable(place))}`];
}

const baseName = (file: string): string => file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);

/** The threads, each with its level, its locks and what it is in. */
export function machineLines({ threads }: StoryEntry, { colors, width }: StoryLook): string[] {
  return threads.flatMap((thread) => {
    const head = `${thread.isCurrent ? ">" : " "} ${threadText(thread)}`;
    const frames = thread.frames.map((frame) => `      ${clip(printable(frame), width - 6)}`);
    return [thread.isCurrent ? colors.bold(printable(head)) : printable(head), ...frames.map((line) => colors.dim(line))];
  });
}

const threadText = ({ number, name, irql, locks }: StoryThread): string =>
  `thread ${number}: ${name}, ${irqlText(irql)}${locks === 0 ? "" : `, holds ${plural(locks, "lock")}`}`;

/** What the run did differently, and where it could not follow its token. */
export function deviationLines({ deviations, divergence }: Story, { colors, width }: StoryLook): string[] {
  const lines = deviations.flatMap(({ label }, index) => wrap(`${index + 1}. ${printable(label)}`, width - 4).map((line) => `    ${line}`));
  const head = deviations.length === 0 ? "  Nobody interfered." : "  What was different from a run in which nobody interferes:";
  const diverged =
    divergence === undefined ? [] : wrap(`The run does not follow its token any more: ${printable(divergence)}. The driver or the tool has changed since.`, width - 2);
  return [head, ...lines, ...diverged.map((line) => `  ${colors.yellow(line)}`)];
}
