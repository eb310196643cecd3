// Makes the one certificate that all servers of a test share: for localhost, and its own authority.
import * as kit from "../../bridge/testing/synapse/certificates.js";
import { venvPython } from "./paths.js";

export type Certificates = kit.Certificates;
export const makeCertificates = (): Certificates => kit.makeCertificates(venvPython());
