// What each view gets.
import type { Status } from "../catalogue/admin-api.js";
import type { Api } from "./api.js";

export interface ViewProps {
  readonly api: Api;
  readonly status: Status;
  /** Asks for the status at once. */
  readonly reload: () => void;
}
