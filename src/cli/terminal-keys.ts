/** Keys as they are typed on a terminal. */
import { type Key, emitKeypressEvents } from "node:readline";
import type { ReadStream } from "node:tty";
import type { Keys } from "./world.ts";

export function keysOf(stream: ReadStream): Keys {
  const typed: string[] = [];
  let wake: (() => void) | undefined;
  let isOver = false;
  const hear = (_text: string | undefined, key: Key): void => {
    const { name = key.sequence ?? "", shift, ctrl } = key;
    if (ctrl === true && name === "c") isOver = true;
    else typed.push(shift === true && name.length === 1 ? name.toUpperCase() : name);
    wake?.();
  };
  emitKeypressEvents(stream);
  stream.setRawMode(true);
  stream.on("keypress", hear);
  stream.resume();
  return {
    next: async () => {
      while (typed.length === 0 && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return isOver ? undefined : typed.shift();
    },
    stop: () => {
      stream.off("keypress", hear);
      stream.setRawMode(false);
      stream.pause();
    },
  };
}
