// Waits for a condition, with a bound and a message for when it does not come.
export { waitFor } from "../../bridge/testing/synapse/wait.js";
