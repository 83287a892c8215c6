/** Steps through a run in a terminal: forward, backward, to the next entry of the same thread or object. */
import type { Story, StoryEntry } from "../explorer/story.ts";
import { type StoryLook, entryLines, machineLines } from "./story-text.ts";
import type { Keys, Output } from "./world.ts";

const CLEAR = "\u001b[2J\u001b[H";
const HELP = "right/space next  left back  t same thread  T back to it  o same object  O back to it  g first  G last  q quit";
/** Entries that are shown before the current one, and after it. */
const BEFORE = 8;
const AFTER = 3;

/** From there, where the key leads; undefined: it means nothing. */
export function moveBy(key: string, at: number, entries: readonly StoryEntry[]): number | undefined {
  const last = entries.length - 1;
  const here = entries[at];
  const sharesObject = (other: StoryEntry): boolean => other.objects.some((each) => each > 0xffff && here?.objects.includes(each) === true);
  const isSameThread = ({ thread }: StoryEntry): boolean => thread === here?.thread;
  const next = (accepts: (entry: StoryEntry) => boolean): number => {
    const found = entries.findIndex((entry, index) => index > at && accepts(entry));
    return found < 0 ? at : found;
  };
  const previous = (accepts: (entry: StoryEntry) => boolean): number => {
    const found = entries.slice(0, at).findLastIndex(accepts);
    return found < 0 ? at : found;
  };
  switch (key) {
    case "right":
    case "down":
    case "space":
    case "n":
      return Math.min(at + 1, last);
    case "left":
    case "up":
    case "p":
      return Math.max(at - 1, 0);
    case "t":
      return next(isSameThread);
    case "T":
      return previous(isSameThread);
    case "o":
      return next(sharesObject);
    case "O":
      return previous(sharesObject);
    case "g":
      return 0;
    case "G":
      return last;
    default:
      return undefined;
  }
}

export async function stepThrough({ entries }: Story, look: StoryLook, open: () => Keys, out: Output): Promise<void> {
  const keys = open();
  let at = Math.max(entries.length - 1, 0);
  try {
    for (;;) {
      out.write(screen(entries, at, look));
      const key = await keys.next();
      if (key === undefined || key === "q") return;
      at = moveBy(key, at, entries) ?? at;
    }
  } finally {
    keys.stop();
    out.write(CLEAR);
  }
}

/** The entries around the current one, and the machine as it was after it. */
function screen(entries: readonly StoryEntry[], at: number, look: StoryLook): string {
  const { colors } = look;
  const shown = entries.slice(Math.max(at - BEFORE, 0), at + AFTER + 1);
  const lines = shown.flatMap((entry) => {
    const [line = ""] = entryLines(entry, look);
    return [entry === entries[at] ? colors.inverse(line) : line];
  });
  const here = entries[at];
  const machine = here === undefined ? [] : machineLines(here, look);
  return `${CLEAR}${[...lines, "", ...machine, "", colors.dim(HELP)].join("\n")}\n`;
}
