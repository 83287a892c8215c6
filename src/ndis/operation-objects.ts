/** What stands for a call of a protocol's handler that may be completed later. */
import { type ViewOf, boolean, pointer, struct, u32 } from "../kernel/struct.ts";
import { Binding } from "./objects.ts";

/** Stands for one call of ProtocolBindAdapterEx; its handle is the BindContext. */
export const BindOperation = struct("BindOperation", { binding: pointer(() => Binding) });
/** Stands for one call of ProtocolUnbindAdapterEx; its handle is the UnbindContext. */
export const UnbindOperation = struct("UnbindOperation", { binding: pointer(() => Binding) });

/** One network PnP event on its way to one binding. */
export const PnPEvent = struct("PnPEvent", {
  binding: pointer(() => Binding),
  /** Address of the NET_PNP_EVENT_NOTIFICATION. */
  notification: u32,
  /** What its buffer has is not what the event should have: the receiver has to look. */
  isMalformed: boolean,
  isComplete: boolean,
  status: u32,
});
export type PnPEvent = ViewOf<typeof PnPEvent>;
