/** The miniport of port-miniport.ts with a planted mistake: it frees its port while the port is active. Rule: port-free-deactivate-first. */
import { defineDriver } from "ndislab";
import { portMiniport } from "./port-miniport.ts";

export default defineDriver("port-miniport-frees-active", (d) => portMiniport(d, false));
