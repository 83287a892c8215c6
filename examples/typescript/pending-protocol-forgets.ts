/**
 * The protocol of pending-protocol.ts with a planted mistake: when NdisCloseAdapterEx pends, it never calls NdisCompleteUnbindAdapterEx.
 * Rule: unbind-pending-must-complete.
 */
import { defineDriver } from "ndislab";
import { pendingProtocol } from "./pending-protocol.ts";

export default defineDriver("pending-protocol-forgets", (d) => pendingProtocol(d, false));
