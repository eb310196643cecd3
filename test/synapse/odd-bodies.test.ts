// Odd bodies of every request of a client that a callback decides about, on a real Synapse.
import { startHomeserver } from "../homeserver/homeserver.js";
import { bridge } from "./bridge.js";
import { tryOddBodies } from "./odd-requests.js";

tryOddBodies({ start: (config) => startHomeserver({ modules: bridge(config) }) });
