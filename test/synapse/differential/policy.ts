// The scripted policy as a module of the bridge; policy_twin.py is the same in Python.
import { defineModule } from "synapse-module-bridge";
import { callbacks, configSchema } from "./callbacks.js";

export default defineModule({ configSchema, callbacks });
