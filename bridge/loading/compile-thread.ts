// Runs the compiler in a thread that ends soon after: the compiler takes more memory than all the rest of the host. jiti wants
// its code at once, so the caller's thread waits, and gets no events. So another thread keeps the compiler's, and tells how it
// has ended.
import { openSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { OWN_FOLDER } from "../base/own-folder.js";
import { VERSION } from "../base/version.js";
import type { Compiled, CompileRequest } from "../compiler/request.js";

type Reply = { compiled: Compiled } | { failure: string };

/** What the keeping thread gets. */
interface KeeperData {
  /** Where it tells, in words, how the compiler's thread has ended. */
  ended: MessagePort;
  /** What the compiler's thread runs. */
  text: string;
  heapMb: number;
  compiler: ThreadData;
}

interface ThreadData {
  port: MessagePort;
  /** How many replies there have been, with that of the end; and whether the compiler's thread was started. */
  replies: Int32Array;
  identity: string;
  /** The bundled compiler and jiti's Babel. */
  programs: { file: string; fd: number; cache: string | undefined }[];
}

// Longer than a slow machine takes for a large file, and shorter than the time that a host has to start.
const LIMIT_MS = 20_000;
// From one file of a module to the next it takes milliseconds.
const IDLE_MS = 500;

// Of its own, since the limit for modules may be small. A file of 1 MB takes 150 MB.
const HEAP_MB = 1024;

// The places in `replies`.
const REPLIES = 0;
const STARTED = 1;

const require = createRequire(import.meta.url);
const JITI = path.dirname(require.resolve("jiti/package.json"));
const COMPILER = "compiler.cjs";

interface Running {
  thread: Worker;
  port: MessagePort;
  ended: MessagePort;
  replies: Int32Array;
}

/** Opens the files of the compiler, so that they can be read later even if they are removed: modules can import at any time. */
export function holdCompiler(): void {
  held ??= [
    // Not bundled, the host is beside the folder of the build.
    openFirst([path.join(OWN_FOLDER, COMPILER), path.join(OWN_FOLDER, "..", "dist", COMPILER)]),
    openFirst([path.join(JITI, "dist/babel.cjs")]),
  ];
}

let held: { file: string; fd: number }[] | undefined;
let running: Running | undefined;
let idle: NodeJS.Timeout | undefined;

/**
 * Compiles a file. `folder` is a private folder in which V8's form of the compiler is kept, so that it starts in a third of the
 * time. Throws an Error if the compiler itself fails.
 */
export function compileInThread(
  request: CompileRequest,
  folder: string | undefined,
  heapMb: number = HEAP_MB,
): Compiled {
  clearTimeout(idle);
  running ??= start(folder, heapMb);
  let before = Atomics.load(running.replies, REPLIES);
  if (receiveMessageOnPort(running.ended)) {
    // It has ended since the last file.
    stop();
    running = start(folder, heapMb);
    before = 0;
  }
  const { port, ended, replies } = running;
  port.postMessage(request);
  Atomics.wait(replies, REPLIES, before, LIMIT_MS);
  const reply = receiveMessageOnPort(port)?.message as Reply | undefined;
  if (reply) idle = setTimeout(stop, IDLE_MS).unref();
  else {
    const end = receiveMessageOnPort(ended)?.message as string | undefined;
    const late = Atomics.load(replies, STARTED) ? "it took longer than" : "the compiler did not start within";
    stop();
    throw new Error(`${request.filename} could not be compiled: ${end ?? `${late} ${LIMIT_MS / 1000} s`}`);
  }
  if ("failure" in reply) throw new Error(`${request.filename} could not be compiled: ${reply.failure}`);
  return reply.compiled;
}

function start(folder: string | undefined, heapMb: number): Running {
  holdCompiler();
  const channel = new MessageChannel();
  const end = new MessageChannel();
  const replies = new Int32Array(new SharedArrayBuffer(8));
  const programs = (held ?? []).map(({ file, fd }) => ({
    ...{ file, fd },
    cache: folder && path.join(folder, `${path.basename(file)}.v8`),
  }));
  const identity = `${VERSION} ${process.version} ${process.arch}`;
  const workerData: KeeperData = {
    ...{ ended: end.port2, text: `(${serve})(require)`, heapMb },
    compiler: { port: channel.port2, replies, programs, identity },
  };
  const thread = new Worker(`(${keep})(require)`, {
    ...{ eval: true, name: "compiler's keeper", workerData, execArgv: [], env: {} },
    transferList: [end.port2, channel.port2],
  });
  // Who waits gets no events, and throws at the end of the time.
  thread.on("error", () => {});
  // A command that ends at once waits until V8's form is kept, which the next one needs.
  thread.once("message", () => thread.unref());
  channel.port1.unref();
  end.port1.unref();
  return { thread, port: channel.port1, ended: end.port1, replies };
}

function stop(): void {
  running?.port.close();
  running?.ended.close();
  void running?.thread.terminate();
  running = undefined;
}

function openFirst(files: string[]): { file: string; fd: number } {
  for (const [index, file] of files.entries()) {
    try {
      return { file, fd: openSync(file, "r") };
    } catch (error) {
      if (index === files.length - 1) throw error;
    }
  }
  throw new Error("no files");
}

/** What the keeping thread runs. The function is passed on as text, so it uses nothing outside it. */
function keep(load: NodeJS.Require): void {
  const threads = load("node:worker_threads") as typeof import("node:worker_threads");
  const { ended, text, heapMb, compiler } = threads.workerData as KeeperData;
  const tell = (end: string) => {
    ended.postMessage(end);
    Atomics.add(compiler.replies, 0, 1);
    Atomics.notify(compiler.replies, 0);
  };
  const thread = new threads.Worker(text, {
    ...{ eval: true, name: "compiler", workerData: compiler, transferList: [compiler.port] },
    ...{ execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: heapMb } },
  });
  thread.on("online", () => Atomics.store(compiler.replies, 1, 1));
  thread.on("message", (message) => threads.parentPort?.postMessage(message));
  thread.on("error", (error: NodeJS.ErrnoException) =>
    tell(
      error.code === "ERR_WORKER_OUT_OF_MEMORY"
        ? `the compiler needs more memory than its ${heapMb} MB`
        : `the compiler's thread has failed: ${error.message}`,
    ),
  );
  thread.on("exit", (code) => tell(`the compiler's thread has ended, with ${code}`));
}

/** What the compiler's thread runs. It is passed on as text, too. */
function serve(load: NodeJS.Require): void {
  const { createHash } = load("node:crypto") as typeof import("node:crypto");
  const { fstatSync, readFileSync, readSync, renameSync, writeFileSync } = load(
    "node:fs",
  ) as typeof import("node:fs");
  const { createRequire } = load("node:module") as typeof import("node:module");
  const { Script } = load("node:vm") as typeof import("node:vm");
  const threads = load("node:worker_threads") as typeof import("node:worker_threads");
  const { port, replies, programs, identity } = threads.workerData as ThreadData;
  const HASH_BYTES = 32;
  const pending: (() => void)[] = [];

  const run = ({ file, fd, cache }: ThreadData["programs"][number]): unknown => {
    const text = Buffer.alloc(fstatSync(fd).size);
    // From its start, whatever was read before.
    readSync(fd, text, 0, text.length, 0);
    // V8 itself compares the length of the text only, and damaged data would end the process.
    const keyOf = (data: Buffer) => createHash("sha256").update(identity).update(text).update(data).digest();
    let cachedData: Buffer | undefined;
    try {
      const known = cache === undefined ? undefined : readFileSync(cache);
      const data = known?.subarray(HASH_BYTES);
      if (data && known?.subarray(0, HASH_BYTES).equals(keyOf(data))) cachedData = data;
    } catch {
      // It is the first time.
    }
    const code = `(function (exports, require, module, __filename, __dirname) { ${text.toString("utf8")}\n})`;
    const script = new Script(code, { filename: file, ...(cachedData && { cachedData }) });
    const module = { exports: {} };
    const wrapped = script.runInThisContext();
    wrapped.call(module.exports, module.exports, createRequire(file), module, file, "");
    if (cache !== undefined && (!cachedData || script.cachedDataRejected))
      pending.push(() => {
        const part = `${cache}.${process.pid}-${threads.threadId}`;
        const data = script.createCachedData();
        writeFileSync(part, Buffer.concat([keyOf(data), data]), { mode: 0o600 });
        renameSync(part, cache);
      });
    return module.exports;
  };

  type Compile = (request: CompileRequest, babel: unknown) => Compiled;
  let compiler: { compile: Compile; babel: unknown } | undefined;
  const answer = (request: CompileRequest): Reply => {
    try {
      const [first, second] = programs as [ThreadData["programs"][number], ThreadData["programs"][number]];
      compiler ??= { compile: (run(first) as { compile: Compile }).compile, babel: run(second) };
      return { compiled: compiler.compile(request, compiler.babel) };
    } catch (error) {
      return { failure: String((error as Error)?.stack ?? error) };
    }
  };
  port.on("message", (request: CompileRequest) => {
    port.postMessage(answer(request));
    Atomics.add(replies, 0, 1);
    Atomics.notify(replies, 0);
    // After the first file, since what V8 has compiled for it is kept too.
    setImmediate(() => {
      for (const write of pending.splice(0)) {
        try {
          write();
        } catch {
          // The disk may be full. The next host takes longer to start.
        }
      }
      threads.parentPort?.postMessage("kept");
    });
  });
}
