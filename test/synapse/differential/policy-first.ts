// The scripted policy again, with the callbacks that Synapse takes from one module only.
import { defineModule } from "synapse-module-bridge";
import { callbacks, configSchema, singleCallbacks } from "./callbacks.js";

export default defineModule({ configSchema, callbacks: { ...callbacks, ...singleCallbacks } });
