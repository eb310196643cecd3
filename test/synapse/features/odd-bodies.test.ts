// Odd bodies of every request of a client that a callback decides about, on a real Synapse.

import { bridge } from "../../support/bridge.js";
import { startHomeserver } from "../../support/homeserver.js";
import { lacking } from "../../support/subject.js";
import { tryOddBodies } from "./odd-requests.js";

tryOddBodies({ start: (config) => startHomeserver({ modules: [bridge(config)] }), lacking });
