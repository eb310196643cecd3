// Implements a handler's `file_wrapper`: a media file that is readable while its callback runs.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import type { FileWrapper } from "../sdk/objects.js";
import type { Lifetime } from "./lifetime.js";

export class MediaFile implements FileWrapper {
  #lifetime: Lifetime;

  constructor(
    readonly path: string,
    lifetime: Lifetime,
  ) {
    this.#lifetime = lifetime;
  }

  async read(): Promise<Uint8Array> {
    this.#lifetime.check("file_wrapper");
    return new Uint8Array(await readFile(this.path));
  }

  stream(): ReadableStream<Uint8Array> {
    this.#lifetime.check("file_wrapper");
    return Readable.toWeb(createReadStream(this.path)) as ReadableStream<Uint8Array>;
  }
}
