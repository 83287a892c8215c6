/** What the stock counterpart drivers, which are C, ask of the tool itself. */
import { leaf, local } from "../kernel/routine.ts";
import { readAnsi } from "../kernel/strings.ts";

export const counterpartRoutines = [
  /** A number below `count`; `what` names the choice. */
  leaf("NdislabChoose", (k, count, what) => k.choose(count, readAnsi(k.memory, what, 80))),
  /** Puts a line into the trace. */
  local("NdislabNote", (k, text, value) => k.note("counterpart", 0, value, readAnsi(k.memory, text, 200))),
];
