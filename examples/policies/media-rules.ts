// Refuses media files by what they are, told by their first bytes, and by their hash: uploads of users here, and files that are
// fetched from other servers.
//
// For whom: servers that do not want to spread programs, or files that are known to be bad.
// Limits: a file in an encrypted room is encrypted, so it is of the kind `unknown`, and its hash is that of the encrypted bytes.
// To refuse `unknown` is to refuse all files in encrypted rooms, and all text files. The first bytes tell what a file claims to
// be; a program may hide in an archive. How large a file may be is Synapse's own `max_upload_size`. Pictures of URL previews are
// not judged.
import { createHash } from "node:crypto";
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const kinds = ["image", "audio", "video", "document", "archive", "program", "unknown"] as const;
type Kind = (typeof kinds)[number];

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      refuse: {
        description: "Kinds of files that are refused.",
        type: "array",
        items: { enum: kinds },
        default: ["program"],
      },
      refused_hashes: {
        description: "SHA-256 hashes of files that are refused, in hex.",
        type: "array",
        items: { type: "string", pattern: "^[0-9a-fA-F]{64}$" },
        default: [],
      },
    },
    additionalProperties: false,
  },
  setup: ({ config }) => ({
    refused: new Set<Kind>(config.refuse),
    hashes: new Set(config.refused_hashes.map((hash) => hash.toLowerCase())),
  }),
  callbacks: {
    check_media_file_for_spam: {
      match: { "file_info.url_cache": false },
      async handler({ file_wrapper, file_info }, { data, reason }) {
        if (file_info.thumbnail !== null) return NOT_SPAM; // Synapse has made it from a file that was judged
        const hash = data.hashes.size > 0 ? createHash("sha256") : undefined;
        let start = Buffer.alloc(0);
        for await (const bytes of file_wrapper.stream()) {
          if (start.length < START_BYTES) start = Buffer.concat([start, bytes.subarray(0, START_BYTES)]);
          hash?.update(bytes);
          if (!hash && start.length >= START_BYTES) break;
        }
        const kind = kindOf(start);
        if (data.refused.has(kind)) {
          reason("a kind of file that is refused", { kind });
          return Codes.FORBIDDEN;
        }
        if (hash && data.hashes.has(hash.digest("hex"))) {
          reason("a file whose hash is refused");
          return Codes.FORBIDDEN;
        }
        return NOT_SPAM;
      },
    },
  },
});

/** As many as the table below looks at. */
const START_BYTES = 16;

type Mark = readonly [Kind, ...(readonly [at: number, bytes: string])[]];

/** Where a kind of file has which bytes, in Latin-1: all of a line must be there. The first line that fits decides. */
const marks: readonly Mark[] = [
  // Windows, Linux, scripts, macOS (three formats), WebAssembly, Android.
  ...[
    "MZ",
    "\x7fELF",
    "#!",
    "\xfe\xed\xfa\xce",
    "\xfe\xed\xfa\xcf",
    "\xce\xfa\xed\xfe",
    "\xcf\xfa\xed\xfe",
  ].map(begins("program")),
  ...["\xca\xfe\xba\xbe", "\0asm", "dex\n"].map(begins("program")),
  // PNG, JPEG, GIF, BMP, TIFF (two), icons, JPEG XL, WebP, AVIF, HEIC.
  ...["\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF8", "BM", "II*\0", "MM\0*", "\0\0\x01\0", "\xff\x0a"].map(
    begins("image"),
  ),
  ["image", [0, "RIFF"], [8, "WEBP"]],
  ...["ftypavif", "ftypavis", "ftypmif1", "ftypmsf1", "ftypheic", "ftypheix", "ftyphevc"].map(
    begins("image", 4),
  ),
  // MP3 (with tags, and without), AAC, FLAC, Ogg, WAV, M4A.
  ...["ID3", "\xff\xfb", "\xff\xf3", "\xff\xf2", "\xff\xf1", "\xff\xf9", "fLaC", "OggS"].map(begins("audio")),
  ["audio", [0, "RIFF"], [8, "WAVE"]],
  ["audio", [4, "ftypM4A "]],
  // WebM and Matroska, MP4, QuickTime, AVI, MPEG, FLV.
  ["video", [0, "\x1a\x45\xdf\xa3"]],
  ...["ftyp", "moov", "mdat"].map(begins("video", 4)),
  ["video", [0, "RIFF"], [8, "AVI "]],
  ...["\0\0\x01\xba", "\0\0\x01\xb3", "FLV\x01"].map(begins("video")),
  // PDF, RTF, older Office, PostScript. Newer Office files are ZIP archives.
  ...["%PDF-", "{\\rtf", "\xd0\xcf\x11\xe0", "%!PS"].map(begins("document")),
  // ZIP (two), gzip, bzip2, 7z, RAR, xz, Zstandard.
  ...[
    "PK\x03\x04",
    "PK\x05\x06",
    "\x1f\x8b",
    "BZh",
    "7z\xbc\xaf",
    "Rar!",
    "\xfd7zXZ",
    "\x28\xb5\x2f\xfd",
  ].map(begins("archive")),
];

function begins(kind: Kind, at = 0): (bytes: string) => Mark {
  return (bytes) => [kind, [at, bytes]];
}

function kindOf(start: Uint8Array): Kind {
  const text = Buffer.from(start).toString("latin1");
  const found = marks.find(([, ...bytes]) => bytes.every(([at, mark]) => text.startsWith(mark, at)));
  return found?.[0] ?? "unknown";
}
